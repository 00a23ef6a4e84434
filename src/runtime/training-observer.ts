// What a host that shows a training while it runs adds to a job's context: it hears of every record of the log, and may have the engine
// to itself between two updates.

import type { TextModel } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import type { Plan } from '../plan/plan.ts';
import type { LogRecord, Sample } from '../report/training-log.ts';

/** A host that looks on. */
export interface TrainingObserver {
  /** The training's plans are ready, and its weights on the engine; once more after a lost device. */
  ready(training: RunningTraining): void;
  /** A record of the log as it is made. What is done again after a lost device comes once. */
  record(record: LogRecord): void;
  /** Dev sentences as they were just translated. */
  samples(step: number, samples: readonly Sample[]): void;
  /**
   * Asked before each update. Where it gives a promise, the updates that are pending end first, and training waits for the promise
   * with its clock stopped.
   */
  between(): Promise<void> | undefined;
  /** Whether a checkpoint shall be saved now, beyond those that the arguments ask for; asked after each update. */
  wantsSave(): boolean;
  /** A checkpoint of so many updates is whole in the model's folder. */
  saved(step: number): void;
  /** Something went wrong and training goes on. */
  warning(text: string): void;
  /** The device was lost; `back`: there is a new one, and training goes on from this many updates. */
  lost(text: string): void;
  back(step: number, text: string): void;
  /** Steps that the log keeps singly; older ones are thinned out. All where it is left out. */
  readonly keptSteps?: number;
}

/** A training as one may look at it between updates. */
export interface RunningTraining {
  readonly engine: Engine;
  readonly model: TextModel;
  readonly plans: readonly Plan[];
  /** Updates done. */
  readonly step: () => number;
  /** Does something while the engine's weights are those that are the model: their moving average where one is kept. */
  onModel<T>(work: () => Promise<T>): Promise<T>;
}
