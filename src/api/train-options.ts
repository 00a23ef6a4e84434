// The options of `train`.

import type { Files } from '../files/files.ts';
import type { SessionOptions } from '../session/session.ts';
import type { JobEvent } from '../train/report/training-events.ts';
import type { LogStep } from '../train/report/training-log.ts';
import type { RunningTraining, TrainingGate } from '../train/run/loop.ts';
import type { GivenData, GivenSettings } from './given-inputs.ts';
import type { BaseModel, Model } from './model.ts';

/** The model of a running training: what only reads its weights. */
export type ModelInTraining = Pick<
  Model,
  'config' | 'tokenizers' | 'translate' | 'stream' | 'generate' | 'attention' | 'inspect' | 'languages'
>;

/** A training run between two steps. `model` has the current weights. */
export type RunningModel<M = ModelInTraining> = RunningTraining<M>;

/** Gate between two steps of `train`, to pause the run and use its model. */
export type TrainGate<M = ModelInTraining> = TrainingGate<M>;

/** Options of `train`: the settings in docs/settings.md, and the following. */
export interface TrainOptions<M = ModelInTraining> extends GivenSettings, Omit<SessionOptions, 'onEvent'> {
  /** Pairs, or a file of pairs, for evaluations during the run. [the fraction `heldOut` of the pairs] */
  readonly dev?: GivenData;
  /**
   * Pairs, or a file of pairs, to translate at the end, for `Model.training.evaluation`. [another fraction
   * `heldOut`; with `dev`: none]
   */
  readonly test?: GivenData;
  /** The model to fine-tune (`--init DIR`; `init` in state.json); it does not change. */
  readonly from?: BaseModel;
  /**
   * Folder, or name in the browser's storage, for checkpoints (`--out`). [only in memory, for recovery from a
   * lost device]
   */
  readonly checkpoint?: string;
  /**
   * Whether to resume from the checkpoint, with its settings; docs/settings.md lists which may change.
   * [false]
   */
  readonly resume?: boolean;
  /** Whether to replace a model that `checkpoint` already has, and steps of another run (`keepLast`). [false: an error] */
  readonly force?: boolean;
  /** Callback after each step, with its number (from 1) and loss. */
  readonly onStep?: (step: LogStep) => void;
  /** Callback for every event: steps, evaluations, checkpoints, messages. */
  readonly onEvent?: (event: JobEvent) => void;
  /**
   * Stops the run: before the first step of this call `train` rejects with the signal's reason, an AbortError,
   * and writes nothing. Later the run ends after the current step and resolves to the model so far, with
   * `training.stopped`.
   */
  readonly signal?: AbortSignal;
  /** Gate between two steps, to pause the run and use its model. */
  readonly gate?: TrainGate<M>;
  /** Files for checkpoints in memory. [new ones] */
  readonly snapshots?: Files;
  /** Maximum number of steps in the log; above it older steps are thinned out. [no limit] */
  readonly maxLogSteps?: number;
}

/** The data and the initial model of `train` and `planTraining`. */
export type TrainData = GivenSettings & Pick<TrainOptions, 'dev' | 'test' | 'from'>;
