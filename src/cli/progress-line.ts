// Shows what a job says while it runs: on a terminal a line that renews itself, elsewhere a line every few seconds.

import cliProgress from 'cli-progress';
import type { JobEvent } from '../runtime/job.ts';
import { tell } from './output.ts';

/** Milliseconds between lines where stderr is no terminal. */
const linesEvery = 5000;

/** Something that takes events; `close` before anything else is printed. */
export interface Progress {
  show(event: JobEvent): void;
  close(): void;
}

type ProgressEvent = Extract<JobEvent, { type: 'progress' }>;

/** A progress on stderr. */
export function createProgress(terminal = process.stderr.isTTY === true): Progress {
  return terminal ? barProgress() : lineProgress();
}

function barProgress(): Progress {
  let bar: cliProgress.SingleBar | undefined;
  let task = '';
  const close = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    close,
    show(event) {
      if (event.type === 'log') {
        close();
        tell(event.text);
        return;
      }
      if (event.type === 'piece') return;
      if (event.task !== task) close();
      task = event.task;
      if (!bar) {
        const format = '{task} [{bar}] {value}/{total}  {text}';
        bar = new cliProgress.SingleBar({ format, barsize: 20, clearOnComplete: true, hideCursor: true, fps: 10 });
        bar.start(event.of, event.done, { task, text: event.text });
      }
      bar.setTotal(event.of);
      bar.update(event.done, { task, text: event.text });
    },
  };
}

function lineProgress(): Progress {
  let told = performance.now();
  let untold: ProgressEvent | undefined;
  const line = ({ task, done, of, text }: ProgressEvent) => tell(`${task} ${done}/${of}  ${text}`);
  const close = () => {
    if (untold) line(untold);
    untold = undefined;
  };
  return {
    close,
    show(event) {
      if (event.type === 'log') {
        close();
        tell(event.text);
        return;
      }
      if (event.type === 'piece') return;
      if (untold && untold.task !== event.task) close();
      untold = event;
      if (performance.now() - told < linesEvery) return;
      told = performance.now();
      close();
    },
  };
}
