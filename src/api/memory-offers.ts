// Settings with which a training needs less memory, if it does not fit.

import type { Device } from '../engine/gpu/device.ts';
import { modelConfig } from '../model/model-config.ts';
import { parameterList } from '../model/parameters.ts';
import type { Features } from '../session/feature-table.ts';
import { shortened } from '../text/batches/encoded-corpus.ts';
import { encodeOptionsOf, plainBatches } from '../train/data/training-data.ts';
import type { PreparedRun } from '../train/run/prepared-run.ts';
import type { EvaluatedPairs } from '../train/run/run-plans.ts';
import { completeArguments, type TrainArguments } from '../train/settings/train-arguments.ts';
import { SettingTable, type TrainSettings } from '../train/settings/train-settings.ts';
import { Recipe } from '../train/settings/training-recipe.ts';
import { type MemoryLimits, planOf } from './plan-of-run.ts';

/** Settings that need less memory. */
export interface MemoryOffer {
  /** Settings to change. */
  readonly settings: Pick<
    TrainSettings,
    'batchSize' | 'gradientCheckpointing' | 'lora' | 'weights' | 'maxLength'
  >;
  /** Bytes of GPU and JavaScript memory with them. */
  readonly bytes: number;
}

/** Shorter sequences are offered down to this maximum length. */
const shortest = 16;

/**
 * Changes of settings that save memory, those that change a training least first: more compute, smaller batches, for a
 * model that is fine-tuned a LoRA adapter on int8 or int4 weights, then shorter sequences.
 */
function changesOf(options: TrainSettings, isTuned: boolean): MemoryOffer['settings'][] {
  const { batchSize = 64, maxTokens } = options;
  const halves = maxTokens === undefined ? [1, 2, 4, 8, 16, 32].filter((half) => half <= batchSize) : [1];
  const batches = halves.map((half): MemoryOffer['settings'] => ({
    gradientCheckpointing: true,
    batchSize: half === 1 ? options.batchSize : Math.floor(batchSize / half),
  }));
  const [first = {}, last = first] = [batches[0], batches.at(-1)];
  const adapters =
    isTuned && !options.lora
      ? (['int8', 'int4'] as const).flatMap((weights) =>
          [first, last].map((batch) => ({ ...batch, lora: { rank: 8 }, weights })),
        )
      : [];
  const smallest = adapters.at(-1) ?? last;
  const lengths: MemoryOffer['settings'][] = [];
  for (let maxLength = (options.maxLength ?? 128) / 2; maxLength >= shortest; maxLength /= 2)
    lengths.push({ ...smallest, maxLength: Math.floor(maxLength) });
  return [...batches, ...adapters, ...lengths];
}

/** The first of some changes of settings with which a training fits. The corpus is neither read nor encoded again. */
export async function offerFor(
  run: PreparedRun,
  evaluated: EvaluatedPairs,
  given: TrainArguments,
  device: Device,
  limits: MemoryLimits,
  features: Features,
): Promise<MemoryOffer | undefined> {
  for (const settings of changesOf(given, run.start !== undefined)) {
    const changed = await changedRun(run, { ...given, ...settings }, features);
    if (!changed) continue;
    const { why, memory } = await planOf(changed, evaluated, device, limits);
    if (why === undefined && memory)
      return { settings, bytes: memory.peak + memory.staging + memory.javascript };
  }
  return undefined;
}

/** A run that is prepared, with other settings of batches, memory or maximum length; undefined if no pair is left. */
async function changedRun(
  run: PreparedRun,
  given: TrainArguments,
  features: Features,
): Promise<PreparedRun | undefined> {
  const args = completeArguments(given, new SettingTable(features.settings));
  const recipe = await Recipe.of(args, run.start, features, given);
  const { maxLength } = recipe.data;
  const isNew = run.start === undefined;
  const config =
    isNew && maxLength !== undefined
      ? modelConfig({ ...run.data.config, maxLength, maxSource: undefined })
      : run.data.config;
  const corpus = shortened(run.data.corpus, encodeOptionsOf(config, recipe.data));
  if (corpus.count === 0) return undefined;
  const batches = plainBatches(corpus, recipe.data);
  const { perEpoch } = batches.order;
  const steps = recipe.updates(perEpoch);
  return {
    ...run,
    recipe,
    args: recipe.args,
    data: { ...run.data, config, corpus, batches },
    parameters: parameterList(config, run.parameters.source),
    update: recipe.update(steps, config.dModel),
    steps,
    perEpoch: recipe.updatesIn(1, perEpoch),
  };
}
