// What a training run gets besides its arguments, and its result.

import type { Message } from '../../core/message.ts';
import type { Files } from '../../files/files.ts';
import type { SavedModel } from '../../formats/shared/saved-model.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { Split } from '../../text/corpus/pairs.ts';
import type { TranslationMetrics } from '../../text/metrics/translation-metrics.ts';
import type { LogEval, Sample } from '../report/training-log.ts';
import type { TrainSettings } from '../settings/train-settings.ts';
import type { BestState } from './best-model.ts';
import type { TrainingGate } from './loop.ts';

/** A checkpoint or model folder, and the files that it is in. */
export interface CheckpointFolder {
  readonly files: Files;
  readonly folder: string;
}

/** Options of a run that are not plain JSON values. */
export interface TrainInputs {
  /** The pairs, instead of the pairs of `corpus`. */
  readonly split?: Split;
  /** Data of the sources of the pairs by name, if they are neither texts nor files. */
  readonly sourceData?: ReadonlyMap<string, Float32Array>;
  /** The model to fine-tune, or the base of a LoRA adapter; `init` is its name in messages. A model folder: `openBase`. */
  readonly model?: SavedModel;
  /**
   * Receives the model without its weights, and the settings, before the device is opened. Returns warnings; throws if
   * the caller cannot use such a model.
   */
  readonly checkModel?: (model: SavedModel, settings: TrainSettings) => readonly Message[];
  /** Gate between two updates: the host can pause the run and use its model. */
  readonly gate?: TrainingGate;
  /** Files for checkpoints in memory. [new ones] */
  readonly snapshots?: Files;
  /** Maximum number of steps in the log; above it older steps are thinned out. [no limit] */
  readonly maxLogSteps?: number;
}

/** A finished run: its result, and the model. */
export interface FinishedTraining {
  readonly result: TrainResult;
  /** Returns the final model; a LoRA adapter is merged into its base. */
  model(): Promise<SavedModel>;
  /** The weights of the LoRA adapter, if one was trained. */
  readonly lora: Float32Array | undefined;
}

/** Result of a run; plain JSON. */
export interface TrainResult {
  /** Configuration of the model. */
  readonly config: ModelConfig;
  /** Number of parameters of the model. */
  readonly parameters: number;
  /** The settings of the run by name, defaults included. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Number of training pairs. */
  readonly pairs: number;
  /** Number of updates of this call: without those before a resumed checkpoint. */
  readonly steps: number;
  /** Whether the user stopped it before its last step. */
  readonly stopped: boolean;
  /** Number of updates that were skipped because a gradient was not finite. */
  readonly skipped: number;
  /** Training loss of each update of this call, in nats per target token. */
  readonly losses: readonly number[];
  /** Seconds of the updates, without evaluations and saving. */
  readonly trainSeconds: number;
  /** Target tokens per second of these. */
  readonly tokensPerSecond: number;
  /** Model FLOPs utilization, from 0 to 1; absent if the adapter's peak is unknown. */
  readonly mfu?: number;
  /** Bytes of the memory of the largest plan. */
  readonly peakBytes: number;
  /** Dispatches of an update, at most. */
  readonly dispatches: number;
  /** Evaluations of the dev pairs. */
  readonly dev: readonly LogEval[];
  /** The evaluation whose weights the model has; absent without evaluations. */
  readonly best?: BestState;
  /**
   * Metrics and translations of the test pairs (in the log: part `test`); of the dev pairs if there are no
   * test pairs.
   */
  readonly evaluation?: TranslationMetrics & { readonly samples: readonly Sample[] };
  /** Folder of the model; empty if it was not saved. */
  readonly out: string;
  /** Folder of the base model, if the result is a LoRA adapter. */
  readonly loraBase?: string;
}
