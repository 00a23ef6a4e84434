// Step gate: work that needs the model of a running training waits here and runs between two updates; pausing
// holds the gate closed.

import type { RunningModel as RunningModelOf } from '../../../src/entries/heddle.ts';
import type { AnyModel } from '../guests/train-guests.ts';

type RunningModel = RunningModelOf<AnyModel>;

import type { Progress } from './progress-events.ts';

/** A promise with its resolve and reject functions (Promise.withResolvers, which older browsers lack). */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Creates a deferred promise. Its rejection is not reported as unhandled if nothing awaits it. */
export function deferred<T>(): Deferred<T> {
  let [resolve, reject]: [(value: T) => void, (error: unknown) => void] = [() => {}, () => {}];
  const promise = new Promise<T>((a, b) => {
    [resolve, reject] = [a, b];
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

/**
 * Work with the model of a training; gets undefined if the training has ended. A rejection ends the training.
 */
export type GateWork = (training: RunningModel | undefined) => Promise<void>;

/** The gate between the updates of a training. */
export class StepGate {
  readonly #progress: Progress;
  readonly #stopping: AbortSignal;
  readonly #hasPendingSave: () => boolean;
  readonly #queue: GateWork[] = [];
  #paused = false;
  /** Resolves when the training is paused. */
  #pausing = deferred<void>();
  #endWait = (): void => {};

  /**
   * `stopping` ends all waiting. While `hasPendingSave` returns true, a pause waits for the next update, after which
   * the checkpoint is saved. A single step is such a wait.
   */
  constructor(progress: Progress, stopping: AbortSignal, hasPendingSave: () => boolean) {
    this.#progress = progress;
    this.#stopping = stopping;
    this.#hasPendingSave = hasPendingSave;
  }

  /** Whether work or a pause is due before the next update. */
  get isPending(): boolean {
    return this.#queue.length > 0 || (this.#paused && !this.#hasPendingSave());
  }

  /** Whether a pause was requested. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Runs the queued work and waits while paused; called between two updates, while none is pending. */
  async drain(training: RunningModel): Promise<void> {
    const [progress, stopping] = [this.#progress, this.#stopping];
    progress.flush();
    while (this.#queue.length > 0 || (this.#paused && !this.#hasPendingSave() && !stopping.aborted)) {
      const work = this.#queue.shift();
      await (work ? work(training) : this.#wait());
    }
    const isStep = this.#paused && !stopping.aborted;
    if (progress.state === 'paused' && !isStep) progress.setState(stopping.aborted ? 'stopping' : 'training');
  }

  /** Waits until work is queued, or the training continues or stops. */
  async #wait(): Promise<void> {
    if (this.#progress.state !== 'paused') this.#progress.setState('paused');
    this.#pausing.resolve();
    await new Promise<void>((resolve) => {
      this.#endWait = resolve;
    });
  }

  /** Queues work to run between two updates. */
  enqueue(work: GateWork): void {
    this.#queue.push(work);
    this.wake();
  }

  /** Requests a pause; resolves when the training is paused. */
  pause(): Promise<void> {
    if (!this.#paused) {
      this.#paused = true;
      this.#pausing = deferred<void>();
    }
    return this.#pausing.promise;
  }

  /**
   * Lets one update through a pause, after which a checkpoint is saved; resolves when the training is paused
   * again.
   */
  step(): Promise<void> {
    this.#pausing = deferred();
    this.wake();
    return this.#pausing.promise;
  }

  /** Ends a pause. */
  continue(): void {
    this.#paused = false;
    this.wake();
  }

  /** Ends the wait of a paused training, to look at its queue, its pause and whether it is stopping. */
  wake(): void {
    this.#endWait();
  }

  /** Rejects a pending `pause()`: the training has ended. */
  rejectPause(error: Error): void {
    this.#pausing.reject(error);
  }

  /** Runs the queued work after the training has ended. */
  close(): void {
    for (const work of this.#queue.splice(0)) void work(undefined);
  }
}
