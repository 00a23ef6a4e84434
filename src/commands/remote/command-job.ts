// A job of a command, which is loaded when it runs.

import type { Job } from '../../session/job.ts';
import type { TrainingEvent } from '../../train/report/training-events.ts';

/**
 * Work of a command that may run outside this process: in a page of a headless browser, or in Deno. Its arguments and
 * its result are plain JSON.
 */
export interface CommandJob<A, R> {
  /** Name of the job in a page or in Deno, and in messages. */
  readonly name: string;
  /** Loads the code of the job. */
  load(): Promise<Job<A, R, TrainingEvent>>;
  /**
   * What the job saves; after a signal it ends in order. `folder`: a model folder, at its end. `run`: a training run,
   * which can be saved after its first step. [nothing: after a signal the job is abandoned if it does not end soon]
   */
  readonly saves?: 'folder' | 'run';
}
