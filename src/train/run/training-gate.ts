// The training gate: between two updates a host, such as the training page, can pause the run and use its
// model.

import type { TextModel } from '../../decode/translator.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Plan } from '../../engine/plan/plan.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import type { LiveSettings } from '../report/run-changes.ts';

/** Callbacks of a training run; the run waits for them. */
export interface TrainingGate {
  /** The run is ready: its plans and weights are on the engine. Called again after a lost device. */
  ready(training: RunningTraining): void;
  /**
   * Called before each update. If it returns work, the run awaits pending updates, then does the work with
   * its clock stopped.
   */
  between(): (() => Promise<void>) | undefined;
  /** Called after each update: whether to save a checkpoint now. */
  wantsCheckpoint(): boolean;
}

/** A run between two updates. */
export interface RunningTraining {
  readonly engine: Engine;
  readonly model: TextModel;
  /** The weights on the engine, with their storage and the LoRA adapter if one is trained. */
  readonly parameters: ParameterList;
  readonly plans: readonly Plan[];
  /** Returns the number of updates done. */
  readonly step: () => number;
  /** Does work while the engine has the weights of the model: the moving average (EMA) if there is one. */
  onModel<T>(work: () => Promise<T>): Promise<T>;
  /** Returns the settings of the next update that may change. `dropout` is the largest rate. */
  readonly live: () => Required<LiveSettings>;
  /**
   * Changes settings from the next update on, and records that in the log and the checkpoints. Call it while
   * the run waits in `between`. Throws a HeddleError that names the setting.
   */
  change(settings: LiveSettings): Promise<void>;
}
