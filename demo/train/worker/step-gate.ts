// What a training does between two updates: work that wants its model, and waiting while it is paused.

import type { RunningTraining } from '../../../src/runtime/training-observer.ts';
import { deferred } from './deferred.ts';
import type { Progress } from './progress-events.ts';

/** Work with the model of a training; it gets undefined where the training has ended meanwhile. Its rejection ends the training. */
export type Work = (training: RunningTraining | undefined) => Promise<void>;

/** The time between updates. */
export interface Interludes {
  /** Whether there is something to do before the next update. */
  readonly due: boolean;
  /** Whether the training was told to pause. */
  readonly paused: boolean;
  /** Does all that is wanted, and waits while paused; called between two updates. */
  hold(training: RunningTraining): Promise<void>;
  /** Work to be done at the next interlude. */
  want(work: Work): void;
  /** Resolves when the training waits. */
  pause(): Promise<void>;
  continue(): void;
  /** Looks anew whether to wait: the training is to stop. */
  wake(): void;
  /** The training has ended: whoever waits for it to pause gets `error`. */
  endPause(error: Error): void;
  /** The training has ended: what is wanted still goes on without it. */
  endWork(): void;
}

/**
 * The interludes of a training. `stopping` ends all waiting. Where a pause begins amid an interlude, `unsaved` says that a checkpoint
 * is still to come after the next update: only then the training waits.
 */
export function createInterludes(progress: Progress, stopping: AbortSignal, unsaved: () => boolean): Interludes {
  const wanted: Work[] = [];
  let paused = false;
  let pausing = deferred<void>();
  let wake = () => {};

  /** Until something is wanted, or the training shall go on or stop. */
  async function wait(): Promise<void> {
    if (progress.state !== 'paused') progress.enter('paused');
    pausing.resolve();
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }

  return {
    get due() {
      return wanted.length > 0 || (paused && !unsaved());
    },
    get paused() {
      return paused;
    },
    async hold(training) {
      progress.flush();
      while (wanted.length > 0 || (paused && !unsaved() && !stopping.aborted)) {
        const work = wanted.shift();
        await (work ? work(training) : wait());
      }
      if (progress.state === 'paused') progress.enter(stopping.aborted ? 'stopping' : 'training');
    },
    want(work) {
      wanted.push(work);
      wake();
    },
    pause() {
      if (!paused) {
        paused = true;
        pausing = deferred<void>();
      }
      return pausing.promise;
    },
    continue() {
      paused = false;
      wake();
    },
    wake: () => wake(),
    endPause: (error) => pausing.reject(error),
    endWork() {
      for (const work of wanted.splice(0)) void work(undefined);
    },
  };
}
