// How a command ends early: by a signal (Ctrl-C, SIGTERM, SIGHUP), or because nobody reads its output any more.
// A job first saves its work, at its next step; a second signal ends the process at once.

import { log } from './output.ts';

/** Exit statuses as in shells: 128 plus the number of the signal. */
const exitStatuses = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const pipeStatus = 141;

/** Commands that end quietly without a reader, since they have nothing to save: `heddle plan | head`. */
const shortCommands: readonly string[] = ['heddle', 'plan', 'info', 'runs'];

let isShort = true;
let running: Interruption | undefined;

/** Sets the command of this process. */
export const setCommand = (name: string): void => {
  isShort = shortCommands.includes(name);
};

/** Ends the command after its output lost its reader: a long one saves its work, as at SIGPIPE. */
export function stopWithoutReader(): void {
  if (isShort) process.exit();
  if (running) running.stopWithoutReader();
  else process.exit(process.exitCode || pipeStatus);
}

/** Stops a job of this process at a signal, or without a reader. */
export class Interruption {
  readonly #abort = new AbortController();
  /** The exit status after a stop. */
  #status: number | undefined;
  #isUnread = false;
  #waitsForStep: boolean;

  private constructor(isTraining: boolean) {
    this.#waitsForStep = isTraining;
  }

  /** Handles signals until `close`. `isTraining`: whether the job saves nothing before its first step. */
  static open(isTraining = false): Interruption {
    const interruption = new Interruption(isTraining);
    for (const signal of Object.keys(exitStatuses)) process.on(signal, interruption.#onSignal);
    running = interruption;
    return interruption;
  }

  /** Aborted at the first signal. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Stops the job if its output has no reader. A training stops after its first step, so that there is something to
   * save.
   */
  stopWithoutReader(): void {
    if (this.signal.aborted || this.#isUnread) return;
    this.#isUnread = true;
    log('heddle: nobody reads the output; stopping after this step');
    if (!this.#waitsForStep) this.#stop(pipeStatus);
  }

  /** Tells that the job has done a step of a training. */
  stepped(): void {
    this.#waitsForStep = false;
    if (this.#isUnread && !this.signal.aborted) this.#stop(pipeStatus);
  }

  /**
   * Ends the handling of signals, and sets the exit status of the process if there was one: the process ends
   * soon, and another signal still ends it at once.
   */
  close(): void {
    running = undefined;
    if (this.#status !== undefined) process.exitCode = this.#status;
    else for (const signal of Object.keys(exitStatuses)) process.off(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const status = exitStatuses[signal as keyof typeof exitStatuses];
    if (this.signal.aborted) process.exit(status); // Puppeteer's exit hook ends the browser
    log('heddle: stopping after this step; press Ctrl-C again to stop at once');
    this.#stop(status);
  };

  #stop(status: number): void {
    this.#status = status;
    this.#abort.abort();
  }
}
