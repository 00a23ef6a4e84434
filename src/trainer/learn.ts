// The shortest way from sentence pairs to a model on an engine, for programs; src/jobs/train.ts is the one with checkpoints and logs.

import { HeddleError } from '../core/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { type ModelOptions, type PresetName, presets } from '../model/model-config.ts';
import type { InitScheme } from '../model/parameters.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import { type OptimizerConfig, optimizerConfig } from './optimizer-config.ts';
import { type Precision, scaling } from './precision.ts';
import { type ScheduleConfig, scheduleConfig } from './schedule.ts';
import { createTrainer, initializeTraining, type Recipe, type StepReport } from './trainer.ts';
import { prepareTrainingData, type TrainingData, type TrainingDataOptions } from './training-data.ts';

/** How `learn` trains. What is left out has the value in brackets. */
export interface LearnRecipe {
  /** [AdamW as `optimizerConfig` completes it] With `emaDecay` the model is the moving average of the weights. */
  readonly optimizer?: Partial<OptimizerConfig>;
  /** [linear: up over a tenth of the steps, at most 100, then down to 0 at the last] */
  readonly schedule?: Partial<ScheduleConfig>;
  /** Batches an update. [1] */
  readonly accumulate?: number;
  /** [f32] f16 needs an adapter with shader-f16. */
  readonly precision?: Precision;
  /** [xavier] */
  readonly init?: InitScheme;
}

/** What to learn and how. What is left out has the value in brackets. */
export interface LearnOptions {
  /** Sizes of the model. [tiny] */
  readonly preset?: PresetName;
  /** Fields of the model that differ from the preset's; norms stand before the sub-layers unless said otherwise. */
  readonly model?: Partial<ModelOptions>;
  /** [at most 4,000 words a side, case kept] */
  readonly tokenizer?: TrainingDataOptions['tokenizer'];
  /** Sentences a batch. [64] */
  readonly batch?: number;
  /** Updates. [500] */
  readonly steps?: number;
  /** Largest learning rate. [3e-3] */
  readonly learningRate?: number;
  /** Decides the first weights, the order of the pairs and dropout. [1] */
  readonly seed?: number;
  readonly recipe?: LearnRecipe;
  /** Hears of each update, one update late. */
  readonly onStep?: (report: StepReport) => void;
  /** Ends the training after the update that runs; what was learnt so far stays. */
  readonly signal?: AbortSignal;
}

/**
 * Trains on pairs; the weights end on the engine, and what comes back is what `createTranslator` takes. Throws a HeddleError that names
 * an option which cannot be, or where the loss is no number any more.
 */
export async function learn(engine: Engine, pairs: readonly Pair[], options: LearnOptions = {}): Promise<TrainingData> {
  const {
    preset = 'tiny',
    model,
    batch: batchSize = 64,
    steps = 500,
    learningRate = 3e-3,
    seed = 1,
    onStep,
    signal,
  } = options;
  const { tokenizer = { kind: 'word', size: 4000, lowercase: false } } = options;
  const {
    optimizer,
    schedule,
    accumulate: gradientAccumulationSteps = 1,
    precision = 'f32',
    init = 'xavier',
  } = options.recipe ?? {};
  const task = prepareTrainingData(pairs, {
    model: { norm: 'pre', ...presets[preset], ...model },
    tokenizer,
    batchSize,
    maxTokens: 0,
    buckets: 2,
    seed,
  });
  const { config, shapes } = task;
  const recipe: Recipe = {
    optimizer: optimizerConfig({ ...scaling(precision), ...optimizer }),
    schedule: scheduleConfig({ kind: 'linear', learningRate, ...schedule }, { steps, dModel: config.dModel }),
    seed,
    init,
    gradientAccumulationSteps,
  };
  const trainer = await createTrainer(engine, config, recipe, shapes, { precision });
  initializeTraining(engine, config, recipe);
  const take = async (pending: Promise<StepReport> | undefined): Promise<void> => {
    const report = await pending;
    if (!report) return;
    if (!Number.isFinite(report.loss))
      throw new HeddleError(`The loss of step ${report.step + 1} is ${report.loss}; lower the learning rate.`);
    onStep?.(report);
  };
  // The loss of a step is looked at while the next one runs.
  let pending: Promise<StepReport> | undefined;
  while (trainer.step < steps && !signal?.aborted) {
    const turn = trainer.step * gradientAccumulationSteps;
    const next = trainer.update(Array.from({ length: gradientAccumulationSteps }, (_, k) => task.batchAt(turn + k)));
    await take(pending);
    pending = next;
  }
  await take(pending);
  if (recipe.optimizer.emaDecay > 0) engine.write('weights', (await engine.read('average')).data);
  return task;
}
