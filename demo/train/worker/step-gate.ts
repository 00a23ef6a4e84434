// Step gate: work that needs the model of a running training waits here and runs between two updates; pausing
// holds the gate closed.

import type { RunningModel } from '../../../src/index.ts';
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

/** The gate between updates. */
export interface StepGate {
  /** Whether work or a pause is due before the next update. */
  readonly isPending: boolean;
  /** Whether a pause was requested. */
  readonly paused: boolean;
  /** Runs the queued work and waits while paused; called between two updates, while none is pending. */
  drain(training: RunningModel): Promise<void>;
  /** Queues work to run between two updates. */
  enqueue(work: GateWork): void;
  /** Requests a pause; resolves when the training is paused. */
  pause(): Promise<void>;
  /**
   * Lets one update through a pause, after which a checkpoint is saved; resolves when the training is paused
   * again.
   */
  step(): Promise<void>;
  continue(): void;
  /** Ends the wait of a paused training if it is stopping. */
  wake(): void;
  /** Rejects a pending `pause()`: the training has ended. */
  rejectPause(error: Error): void;
  /** Runs the queued work after the training has ended. */
  close(): void;
}

/**
 * Creates the gate of a training. `stopping` ends all waiting. While `hasPendingSave` returns true, a pause
 * waits for the next update, after which the checkpoint is saved. A single step is such a wait.
 */
export function createStepGate(
  progress: Progress,
  stopping: AbortSignal,
  hasPendingSave: () => boolean,
): StepGate {
  const queue: GateWork[] = [];
  let paused = false;
  let pausing = deferred<void>();
  let wake = () => {};

  /** Waits until work is queued, or the training continues or stops. */
  async function wait(): Promise<void> {
    if (progress.state !== 'paused') progress.setState('paused');
    pausing.resolve();
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }

  return {
    get isPending() {
      return queue.length > 0 || (paused && !hasPendingSave());
    },
    get paused() {
      return paused;
    },
    async drain(training) {
      progress.flush();
      while (queue.length > 0 || (paused && !hasPendingSave() && !stopping.aborted)) {
        const work = queue.shift();
        await (work ? work(training) : wait());
      }
      const isStep = paused && !stopping.aborted;
      if (progress.state === 'paused' && !isStep)
        progress.setState(stopping.aborted ? 'stopping' : 'training');
    },
    enqueue(work) {
      queue.push(work);
      wake();
    },
    pause() {
      if (!paused) {
        paused = true;
        pausing = deferred<void>();
      }
      return pausing.promise;
    },
    step() {
      pausing = deferred();
      wake();
      return pausing.promise;
    },
    continue() {
      paused = false;
      wake();
    },
    wake: () => wake(),
    rejectPause: (error) => pausing.reject(error),
    close() {
      for (const work of queue.splice(0)) void work(undefined);
    },
  };
}
