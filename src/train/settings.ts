// What heddle train is asked for and what it gives back, as plain JSON.

import type { TranslationMetrics } from '../metrics/translation-metrics.ts';
import type { LoraConfig } from '../model/lora.ts';
import type { ModelConfig, ModelOptions, PresetName } from '../model/model-config.ts';
import type { InitScheme } from '../model/parameters.ts';
import type { LogEval, Sample } from '../report/training-log.ts';
import type { CorpusArguments } from '../runtime/load-corpus.ts';
import type { OptimizerConfig } from '../trainer/optimizer-config.ts';
import type { Precision } from '../trainer/precision.ts';
import type { ScheduleConfig } from '../trainer/schedule.ts';
import type { TrainingDataOptions } from '../trainer/training-data.ts';
import type { BestMetric, BestState } from './selection.ts';

/** Everything that decides a training; plain JSON. */
export interface TrainArguments extends Omit<TrainingDataOptions, 'model'> {
  readonly corpus: CorpusArguments;
  /** Fraction of source sentences held out for dev, and again for test. */
  readonly heldOut: number;
  readonly preset: PresetName;
  /** Fields of the model that differ from the preset's. */
  readonly model: Partial<ModelOptions>;
  /** Steps in all; or epochs, where steps are 0. */
  readonly steps: number;
  readonly epochs: number;
  readonly accumulate: number;
  readonly optimizer: Partial<OptimizerConfig>;
  readonly schedule: Partial<ScheduleConfig> & Pick<ScheduleConfig, 'learningRate'>;
  readonly init: InitScheme;
  /** Model folder to go on from, with its configuration and tokenizers, instead of `preset`, `tokenizer` and `init`. */
  readonly initFrom?: string;
  /** Evaluate on the dev part every so many steps, and after the last; 0: never. */
  readonly evalEvery: number;
  /** Sentences, spread over the dev part, that are translated at each evaluation; 0: none, loss and accuracy alone. */
  readonly devSentences: number;
  /** Metric of the dev set by which the weights are chosen that become the model. */
  readonly metric: BestMetric;
  /** Evaluations in a row without a better one after which training ends; 0: never. */
  readonly patience: number;
  /** Sentences, spread over the test part, that are translated at the end; 0: none. */
  readonly testSentences: number;
  /** Model folder to write; none where empty. */
  readonly out: string;
  /** Also write the folder every so many steps, or so many seconds, which take at most a fiftieth of the time; 0: only at the end. */
  readonly saveEvery: number;
  readonly saveSeconds?: number;
  /** Go on from the checkpoint in `out`, with the settings it was made with; see `resumable` of resume.ts for what may be new. */
  readonly resume: boolean;
  readonly noFuse: readonly string[];
  /** As in GraphOptions. */
  readonly checkpointLayers?: boolean;
  /** As in TrainerOptions. */
  readonly checkFinite?: boolean;
  /** As in GraphOptions. */
  readonly precision?: Precision;
  /** As in TuningOptions: what stays as it is, or an adapter for the model of `initFrom`, which is then what is written. */
  readonly freeze?: readonly string[];
  readonly lora?: LoraConfig;
}

/** How a training went; plain JSON. */
export interface TrainResult {
  readonly config: ModelConfig;
  readonly parameters: number;
  readonly pairs: number;
  readonly steps: number;
  /** Whether it was ended before its last step. */
  readonly stopped: boolean;
  readonly skipped: number;
  readonly losses: readonly number[];
  readonly trainSeconds: number;
  readonly tokensPerSecond: number;
  readonly peakBytes: number;
  readonly dispatches: number;
  /** Evaluations of the dev part. */
  readonly dev: readonly LogEval[];
  /** The evaluation whose weights are the model; none where there was none. */
  readonly best?: BestState;
  /** Translations of the test part. */
  readonly evaluation?: TranslationMetrics & { readonly samples: readonly Sample[] };
  readonly out: string;
  /** The model that the result is an adapter of, if it is one. */
  readonly adapterOf?: string;
}
