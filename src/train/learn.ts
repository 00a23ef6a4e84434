// The shortest way from sentence pairs to a model on an engine, for programs; src/jobs/train.ts is the one with checkpoints and logs.

import type { Engine } from '../engine.ts';
import { HeddleError } from '../errors.ts';
import { type ModelOptions, type PresetName, presets } from '../model/config.ts';
import type { Pair } from '../text/pairs.ts';
import { optimizerConfig } from './optimizer.ts';
import { prepareTask, type Task, type TaskOptions } from './task.ts';
import { createTrainer, type StepReport, startWeights } from './trainer.ts';

/** What to learn and how; everything has a default. */
export interface LearnOptions {
  readonly preset?: PresetName;
  /** Fields of the model that differ from the preset's; norms stand before the sub-layers unless said otherwise. */
  readonly model?: Partial<ModelOptions>;
  readonly tokenizer?: TaskOptions['tokenizer'];
  /** Sentences a batch; 64 unless given. */
  readonly batch?: number;
  readonly steps?: number;
  readonly learningRate?: number;
  readonly seed?: number;
  readonly onStep?: (report: StepReport) => void;
  readonly signal?: AbortSignal;
}

/**
 * Trains on pairs; the weights end on the engine, and what comes back is what `createTranslator` takes. Throws a HeddleError where the
 * loss is no number any more.
 */
export async function learn(engine: Engine, pairs: readonly Pair[], options: LearnOptions = {}): Promise<Task> {
  const { preset = 'tiny', model, batch = 64, steps = 500, learningRate = 3e-3, seed = 1, onStep, signal } = options;
  const { tokenizer = { kind: 'word', size: 4000, lowercase: false } } = options;
  const task = prepareTask(pairs, {
    model: { norm: 'pre', ...presets[preset], ...model },
    tokenizer,
    batch,
    tokens: 0,
    buckets: 2,
    seed,
  });
  const schedule = {
    kind: 'linear',
    learningRate,
    warmup: Math.min(100, Math.floor(steps / 10)),
    steps,
    floor: 0,
    dModel: task.config.dModel,
  } as const;
  const recipe = { optimizer: optimizerConfig(), schedule, seed, init: 'xavier', accumulate: 1 } as const;
  const trainer = await createTrainer(engine, task.config, recipe, task.shapes);
  startWeights(engine, task.config, recipe);
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
    const next = trainer.update([task.batchAt(trainer.step)]);
    await take(pending);
    pending = next;
  }
  await take(pending);
  return task;
}
