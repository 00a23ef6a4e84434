// How a command ends early: by a signal (Ctrl-C, SIGTERM, SIGHUP), or because nobody reads its output any more.
// A job first saves its work, at its next step; a second signal ends the process at once.

import { log, warn } from './output.ts';

/** Exit statuses as in shells: 128 plus the number of the signal. */
export const exitStatuses = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGPIPE: 141 } as const;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Milliseconds that a stopped job without anything to save, and then its device, have to end. */
const grace = 300;

let command = 'heddle';
let running: Interruption | undefined;
/** The signal or closed pipe that stopped the command. */
let stoppedBy: NodeJS.Signals | undefined;
/** Work that is still running in the background after a stop, and whether it is in Dawn: a pipeline compiles. */
let background: { readonly isInDawn: boolean } | undefined;

/** Sets the command of this process. */
export const setCommand = (name: string): void => {
  command = name;
};

/** The command of this process. */
export const commandName = (): string => command;

/** Ends the process at a signal that nothing else handles, with the status of a shell. */
export function endAtSignals(): void {
  for (const signal of signals)
    process.on(signal, () => {
      if (process.listenerCount(signal) > 1) return; // a running job, or a server
      log(`heddle: ${command === 'heddle' ? '' : `${command}: `}interrupted`);
      process.exit(process.exitCode || exitStatuses[signal]);
    });
}

/**
 * Ends the command after its output lost its reader, as at SIGPIPE, or after an error of its output, with status 1; a
 * running job first saves its work.
 */
export function stopWithoutReader(error?: string): void {
  if (error !== undefined) process.exitCode ||= 1;
  if (running) running.stopWithoutReader(error);
  else {
    if (error !== undefined) warn(`heddle: ${error}`);
    process.exit(process.exitCode || exitStatuses.SIGPIPE);
  }
}

/**
 * Ends the process after a stop if work still runs in the background. Dawn crashes if the process exits while it
 * compiles; so the signal ends the process as if nothing handled it, which is the same status in a shell.
 */
export async function endIfStopped(): Promise<void> {
  if (!background || stoppedBy === undefined) return;
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((done) => stream.write('', () => done()));
  if (!background.isInDawn) process.exit(); // Puppeteer's exit hook ends the browser
  if (stoppedBy === 'SIGPIPE') return; // Node ignores this signal: the process ends after the work
  endBySignal(stoppedBy);
}

/** Ends the process as a signal does that nothing handles. */
function endBySignal(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** Stops a job of this process at a signal, or without a reader. */
export class Interruption {
  readonly #abort = new AbortController();
  /** The exit status after a stop. */
  #status: number | undefined;
  #isUnread = false;
  #waitsForStep: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(isTraining: boolean) {
    this.#waitsForStep = isTraining;
  }

  /** Handles signals until `close`. `isTraining`: whether the job saves nothing before its first step. */
  static open(isTraining = false): Interruption {
    const interruption = new Interruption(isTraining);
    for (const signal of signals) process.on(signal, interruption.#onSignal);
    running = interruption;
    return interruption;
  }

  /** Aborted at the first signal. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Stops the job if its output has no reader, or an `error`. A training stops after its first step, so that there is
   * something to save.
   */
  stopWithoutReader(error = 'nobody reads the output'): void {
    if (this.signal.aborted || this.#isUnread) return;
    this.#isUnread = true;
    log(`heddle: ${error}; stopping after this step`);
    if (!this.#waitsForStep) this.#stop('SIGPIPE');
  }

  /** Tells that the job has done a step of a training. */
  stepped(): void {
    this.#waitsForStep = false;
    if (this.#isUnread && !this.signal.aborted) this.#stop('SIGPIPE');
  }

  /**
   * Resolves as `work`. After a stop, work that has nothing to save has a moment to end; then the promise rejects, and
   * the work ends in the background. `isSaving`: whether it has something to save, a training after its first step.
   */
  async abandoning<T>(work: Promise<T>, isSaving: boolean): Promise<T> {
    const { signal } = this;
    const overdue = new Promise<never>((_, reject) => {
      const wait = () => {
        this.#timer = setTimeout(() => {
          if (!isSaving || this.#waitsForStep) reject(signal.reason);
        }, grace);
      };
      signal.addEventListener('abort', wait, { once: true });
    });
    return Promise.race([work, overdue]);
  }

  /** Whether a signal stopped the job, and not a lost reader. */
  get isSignalled(): boolean {
    return this.signal.aborted && stoppedBy !== 'SIGPIPE';
  }

  /**
   * Waits for the end of work; after a stop only a moment, or not at all if it ends `atOnce`: then it ends in the
   * background.
   */
  async finish(work: Promise<unknown>, isInDawn: boolean, atOnce = false): Promise<void> {
    const end = () => {
      background = undefined;
    };
    const ended = work.then(end, end);
    background = { isInDawn };
    if (atOnce) return;
    if (!this.signal.aborted) return ended;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, grace);
    });
    await Promise.race([ended, late]);
    clearTimeout(timer);
  }

  /**
   * Ends the handling of signals, and sets the exit status of the process if there was one: the process ends
   * soon, and another signal still ends it at once.
   */
  close(): void {
    running = undefined;
    clearTimeout(this.#timer);
    if (this.#status !== undefined) process.exitCode ||= this.#status;
    else for (const signal of signals) process.off(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.signal.aborted) {
      // Locks and Puppeteer's browser; Dawn crashes if the process exits while it compiles.
      process.emit('exit', exitStatuses[signal as keyof typeof exitStatuses]);
      endBySignal(signal);
      return;
    }
    log('heddle: stopping after this step; press Ctrl-C again to stop at once');
    this.#stop(signal as keyof typeof exitStatuses);
  };

  #stop(cause: keyof typeof exitStatuses): void {
    this.#status = exitStatuses[cause];
    stoppedBy = cause;
    this.#abort.abort();
  }
}
