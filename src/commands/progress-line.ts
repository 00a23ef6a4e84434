// Progress of a job on stderr: a progress bar on a terminal, otherwise a line every few seconds.

import { existsSync } from 'node:fs';
import cliProgress from 'cli-progress';
import { escapeControls } from '../core/errors.ts';
import type { JobEvent } from '../train/report/training-events.ts';
import { commandName } from './interruption.ts';
import { eventText } from './message-flags.ts';
import { log, verbosityOf, warn } from './output.ts';

/** Milliseconds between lines if stderr is not a terminal. */
const LINE_INTERVAL = 5000;

/** Milliseconds after which a command says what it does, if it has said nothing yet. */
const FIRST_LINE = 500;

/** Display of events. Call `close` before anything else is printed. */
export interface Progress {
  show(event: JobEvent): void;
  close(): void;
}

type ProgressEvent = Extract<JobEvent, { type: 'progress' }>;

/** Returns a progress display on stderr. */
export function createProgress(
  terminal = process.stderr.isTTY === true,
  verbosity = verbosityOf(),
): Progress {
  if (verbosity === 'quiet')
    return { close() {}, show: (event) => event.type === 'warning' && warn(eventText(event)) };
  if (verbosity === 'verbose') return everyEvent();
  const { update, close } = terminal ? progressBar() : progressLines();
  return {
    close,
    show(event) {
      if (event.type === 'progress') update(event);
      if (event.type !== 'message' && event.type !== 'warning' && event.type !== 'recovery') return;
      close();
      log(eventText(event));
    },
  };
}

/** Progress of a command, which names the files that it reads if half a second passes without an event. */
export function openProgress(paths: readonly string[]): Progress {
  const progress = createProgress();
  const first = setTimeout(() => log(startText(paths)), FIRST_LINE);
  return {
    show(event) {
      clearTimeout(first);
      progress.show(event);
    },
    close() {
      clearTimeout(first);
      progress.close();
    },
  };
}

function startText(paths: readonly string[]): string {
  const read = paths.filter((path) => existsSync(path));
  const others = read.length > 3 ? ` and ${read.length - 3} more` : '';
  return `${commandName()}: ${read.length > 0 ? `reading ${read.slice(0, 3).join(', ')}${others}` : 'starting'}`;
}

/** A line for each event, with the seconds since the start. */
function everyEvent(): Progress {
  const start = performance.now();
  return {
    close() {},
    show(event) {
      if (event.type === 'piece') return;
      const { type, ...facts } = event;
      const text = 'text' in facts && !('done' in facts) ? facts.text : JSON.stringify(facts);
      log(`${((performance.now() - start) / 1000).toFixed(3)} s  ${type}  ${text}`);
    },
  };
}

interface Display {
  update(event: ProgressEvent): void;
  close(): void;
}

function progressBar(): Display {
  let bar: cliProgress.SingleBar | undefined;
  let current = '';
  const close = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    close,
    update({ task: name, done, total, text: plain }) {
      const [task, text] = [escapeControls(name), escapeControls(plain)];
      if (task !== current) close();
      current = task;
      if (!bar) {
        const format = total > 0 ? '{task} [{bar}] {value}/{total}  {text}' : '{task} {value}  {text}';
        bar = new cliProgress.SingleBar({
          format,
          barsize: 20,
          clearOnComplete: true,
          hideCursor: true,
          fps: 10,
        });
        bar.start(total, done, { task, text });
      }
      bar.setTotal(total);
      bar.update(done, { task, text });
    },
  };
}

function progressLines(): Display {
  let lastLine = performance.now() + FIRST_LINE - LINE_INTERVAL;
  /** The last event that is not printed yet. */
  let pending: ProgressEvent | undefined;
  const close = () => {
    // The total is 0 if it is unknown.
    if (pending)
      log(`${pending.task} ${pending.done}${pending.total > 0 ? `/${pending.total}` : ''}  ${pending.text}`);
    pending = undefined;
  };
  return {
    close,
    update(event) {
      if (pending && pending.task !== event.task) close();
      pending = event;
      if (performance.now() - lastLine < LINE_INTERVAL) return;
      lastLine = performance.now();
      close();
    },
  };
}
