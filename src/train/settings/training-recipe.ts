// The recipe of a training: everything that its settings decide, without reading a file.

import { check } from '../../core/errors.ts';
import { listed, msg, option } from '../../core/message.ts';
import { checkRewriteNames } from '../../engine/graph/rewrites.ts';
import { withoutUndefined } from '../../files/json-files.ts';
import type { SavedModel } from '../../formats/shared/saved-model.ts';
import type { InitScheme } from '../../model/initialize-weights.ts';
import { type LoraConfig, loraConfig } from '../../model/lora.ts';
import type { LossPart } from '../../model/loss-part.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../../model/model-config.ts';
import { presets } from '../../model/presets.ts';
import type { WeightStorage } from '../../model/quantized-parameters.ts';
import { type DataStep, neededSteps } from '../../session/data-step.ts';
import type { Features } from '../../session/feature-table.ts';
import type { TrainingSourceKind } from '../../session/training-source.ts';
import { allMetrics } from '../../text/metrics/main-metrics.ts';
import type { Metric } from '../../text/metrics/metric.ts';
import type { PieceSettings } from '../../text/sentencepiece/piece-options.ts';
import { type TrainingDataOptions, updatesIn } from '../data/training-data.ts';
import {
  type OptimizerConfig,
  optimizerConfig,
  optimizerFields,
  scaling,
} from '../update/optimizer-config.ts';
import { type ScheduleConfig, scheduleConfig, scheduleFields } from '../update/schedule.ts';
import type { TrainerOptions, UpdateConfig } from '../update/trainer-graphs.ts';
import { type CompleteSettings, initFolder } from './run-defaults.ts';
import type { CompleteArguments } from './train-arguments.ts';
import type { TrainSettings } from './train-settings.ts';

/** The decisions of the settings of a run. */
export class Recipe {
  readonly args: CompleteArguments;
  /** The metrics of evaluations, and the one by which the best weights are known. */
  readonly metrics: readonly Metric[];
  readonly bestMetric: Metric;
  readonly optimizer: OptimizerConfig;
  /** The LoRA adapter to train; undefined: the weights themselves. */
  readonly lora: LoraConfig | undefined;
  /** Steps of the data, in order. */
  readonly dataSteps: readonly DataStep[];
  /** Whether the steps read the texts of the pairs, which a cache of token ids does not have. */
  readonly needsTexts: boolean;
  /** The kind of the sources, if they are not text. */
  readonly sourceKind: TrainingSourceKind | undefined;
  /** Tokenizers, model configuration and batches. */
  readonly data: TrainingDataOptions;

  private constructor(
    args: CompleteArguments,
    { metrics, bestMetric }: Pick<Recipe, 'metrics' | 'bestMetric'>,
    dataSteps: readonly DataStep[],
    needsTexts: boolean,
    sourceKind: TrainingSourceKind | undefined,
  ) {
    this.args = args;
    this.metrics = metrics;
    this.bestMetric = bestMetric;
    this.optimizer = optimizerConfig(optimizerOf(args));
    this.lora = args.lora && loraConfig(args.lora);
    this.dataSteps = dataSteps;
    this.needsTexts = needsTexts;
    this.sourceKind = sourceKind;
    this.data = dataOptions(args, dataSteps);
    checkRewriteNames(args.noFuse);
    this.checkBest();
    if (args.steps) this.schedule(args.steps, 1); // a wrong schedule is an error before the corpus is read
  }

  /**
   * The recipe of complete settings. `start`: the model that is fine-tuned or resumed; `features`: what guests bring,
   * whose code is loaded here; `given`: the settings of the caller, if the run is new. Throws a HeddleError that names
   * the setting that does not fit.
   */
  static async of(
    complete: CompleteArguments,
    start: SavedModel | undefined,
    features: Features,
    given?: TrainSettings,
  ): Promise<Recipe> {
    let args = complete;
    const rows = neededSteps(features.dataSteps, args, hasStages(args));
    const steps = await Promise.all(rows.map((row) => row.load()));
    const source = start?.config.source ?? modelOptionsOf(args, steps).source ?? 'tokens';
    const isText = source === 'tokens';
    const load = isText ? undefined : features.trainingSources[source];
    check(isText || load, msg`no guest brings sources of ${source}`, { area: 'train' });
    const kind = await load?.();
    kind?.checkSettings(args);
    if (start && given) args = { ...args, ...kind?.defaults?.(given, start) };
    const metrics = allMetrics(features.metrics).filter((row) => row.sources?.includes(source) ?? true);
    const bestMetric = metrics.find(({ name }) => name === args.bestMetric);
    check(
      bestMetric,
      msg`${option('bestMetric')} ${args.bestMetric} is not for models of ${source}; use ${listed(metrics.map(({ name }) => name))}`,
      { area: 'train' },
    );
    return new Recipe(
      args,
      { metrics, bestMetric },
      steps,
      rows.some((row) => row.needsTexts),
      kind,
    );
  }

  /**
   * Throws a HeddleError if a run that evaluates every `evalSteps` updates never computes the metric by which the best
   * weights are known.
   */
  checkBest(evalSteps = this.args.evalSteps): void {
    const { patience, devSentences } = this.args;
    const { name, needs } = this.bestMetric;
    check(
      patience === 0 || evalSteps > 0,
      msg`${option('patience')} needs dev pairs and evaluations (${option('evalSteps')})`,
      { area: 'train' },
    );
    check(
      name === 'loss' || evalSteps > 0,
      msg`best by ${name} needs dev pairs and evaluations (${option('evalSteps')})`,
      { area: 'train' },
    );
    check(
      evalSteps === 0 || devSentences > 0 || needs !== 'translations',
      msg`best by ${name} needs translations (${option('devSentences')})`,
      { area: 'train' },
    );
  }

  /** The schedule of a run of some updates. Throws a HeddleError for wrong values. */
  schedule(steps: number, dModel: number): ScheduleConfig {
    return scheduleConfig(scheduleOf(this.args), { steps, dModel });
  }

  /** Number of updates with some batches per epoch. */
  updates(perEpoch: number): number {
    const { steps, epochs = 1 } = this.args;
    return steps ?? this.updatesIn(epochs, perEpoch);
  }

  /** Number of updates in some epochs. */
  updatesIn(epochs: number, perEpoch: number): number {
    return updatesIn(epochs, perEpoch, this.args.gradientAccumulationSteps);
  }

  /** Configuration of the updates. */
  update(steps: number, dModel: number): UpdateConfig {
    const { args } = this;
    return {
      optimizer: this.optimizer,
      schedule: this.schedule(steps, dModel),
      seed: args.seed,
      init: initFolder(args) === undefined ? (args.init as InitScheme) : 'xavier',
      gradientAccumulationSteps: args.gradientAccumulationSteps,
    };
  }

  /** Parts of the loss beside the cross-entropy of the target tokens. */
  get lossParts(): readonly LossPart[] {
    return this.dataSteps.flatMap((step) => step.loss?.(this.args) ?? []);
  }

  /** How the weights of the model are stored. */
  get storage(): WeightStorage {
    const { weights, weightsExclude } = this.args;
    return { weights, weightsExclude };
  }

  /** Options of the trainer, without those that follow from the weights. */
  get trainer(): TrainerOptions {
    const { args, lora, lossParts } = this;
    return {
      precision: args.precision,
      noFuse: args.noFuse,
      gradientCheckpointing: args.gradientCheckpointing,
      checkFinite: args.checkFinite,
      updateRatioSteps: args.updateRatioSteps,
      quantizeBits: args.quantizeBits,
      freeze: args.freeze,
      lora,
      lossParts,
    };
  }

  /** A model that is fine-tuned, with the fields that the steps of the data need. */
  started<Model extends { readonly config: ModelConfig }>(start: Model): Model {
    const fields = this.dataSteps.map((step) => step.modelOptions?.(this.args, start.config));
    return { ...start, config: modelConfig(Object.assign({}, start.config, ...fields)) };
  }
}

/** Whether the files of a corpus have weights or stages. */
export const hasStages = ({ corpus }: Pick<CompleteArguments, 'corpus'>): boolean =>
  corpus.kind === 'files' && corpus.stages !== undefined;

/** Options of a new model, without those that its tokenizers decide. */
function modelOptionsOf(args: CompleteArguments, steps: readonly DataStep[]): Partial<ModelOptions> {
  const { norm, dropout, labelSmoothing, maxLength } = args;
  const preset: Partial<ModelOptions> = presets[args.preset];
  return {
    ...preset,
    ...withoutUndefined<unknown>({ norm, dropout, labelSmoothing, maxLength }),
    ...Object.assign({}, ...steps.map((step) => step.modelOptions?.(args))),
    ...args.model,
  };
}

/** Options of the tokenizers, the model configuration and the batches. */
function dataOptions(args: CompleteArguments, steps: readonly DataStep[]): TrainingDataOptions {
  return {
    model: modelOptionsOf(args, steps),
    tokenizer: {
      kind: args.tokenizer,
      size: args.vocabSize,
      lowercase: args.lowercase,
      fill: args.fillVocab || undefined,
      pieces: piecesOf(args, steps),
    },
    maxLength: args.maxLength,
    truncate: args.truncate,
    batchSize: args.batchSize ?? 0,
    maxTokens: args.maxTokens ?? 0,
    buckets: args.buckets,
    seed: args.seed,
  };
}

/** Options of a SentencePiece model; undefined for other tokenizers. */
function piecesOf(args: CompleteArguments, steps: readonly DataStep[]): PieceSettings | undefined {
  if (args.tokenizer !== 'unigram') return undefined;
  const { byteFallback, characterCoverage, splitDigits, userSymbols, controlSymbols } = args;
  const symbols = steps.flatMap((step) => step.symbols?.(args) ?? []);
  return {
    byteFallback,
    characterCoverage,
    splitDigits,
    userSymbols: symbols.length > 0 ? [...new Set([...(userSymbols ?? []), ...symbols])] : userSymbols,
    controlSymbols,
  };
}

/** The settings that have the names of fields; those that are not given are left out. */
const sharedSettings = (args: CompleteSettings, fields: object): Record<string, unknown> =>
  withoutUndefined<unknown>(
    Object.fromEntries(Object.keys(fields).map((name) => [name, args[name as keyof CompleteSettings]])),
  );

/** The optimizer in the settings; omitted fields have the defaults of `optimizerConfig`. */
export function optimizerOf(args: CompleteSettings): Partial<OptimizerConfig> {
  const [beta1, beta2] = args.betas ?? [];
  return {
    kind: args.optimizer,
    ...scaling(args.precision),
    ...withoutUndefined({ beta1, beta2 }),
    ...sharedSettings(args, optimizerFields),
  };
}

/** The schedule in the settings; omitted fields have the defaults of `scheduleConfig`. */
export function scheduleOf(
  args: CompleteSettings,
): Partial<ScheduleConfig> & Pick<ScheduleConfig, 'learningRate'> {
  const { steps: _, ...fields } = scheduleFields; // `steps` of a run is its length
  return {
    kind: args.schedule,
    learningRate: args.learningRate,
    ...sharedSettings(args, fields),
    ...withoutUndefined({ steps: args.scheduleSteps }),
  };
}
