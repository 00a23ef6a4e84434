// Converts the settings of a run to the options of its parts: data and model, optimizer, schedule.

import { withoutUndefined } from '../../files/json-files.ts';
import type { ModelOptions } from '../../model/model-config.ts';
import { presets } from '../../model/presets.ts';
import { type OptimizerConfig, scaling } from '../update/optimizer-config.ts';
import type { ScheduleConfig } from '../update/schedule.ts';
import type { TrainingDataOptions } from '../update/training-data.ts';
import type { CompleteSettings } from './recipes.ts';

/** Options of the tokenizers, the model configuration and the batches. */
export function dataOptions(s: CompleteSettings): TrainingDataOptions {
  const {
    norm,
    dropout,
    labelSmoothing,
    lowercase,
    fillVocab,
    batchSize = 0,
    maxTokens = 0,
    buckets,
    seed,
  } = s;
  const { maxLength, truncate } = s;
  const preset: Partial<ModelOptions> = presets[s.preset];
  return {
    model: {
      ...preset,
      ...withoutUndefined<unknown>({ norm, dropout, labelSmoothing, maxLength }),
      ...s.model,
    },
    tokenizer: { kind: s.tokenizer, size: s.vocabSize, lowercase, ...(fillVocab && { fill: true }) },
    maxLength,
    truncate,
    batchSize,
    maxTokens,
    buckets,
    seed,
  };
}

/** The optimizer in the settings; omitted fields have the defaults of `optimizerConfig`. */
export function optimizerOf(s: CompleteSettings): Partial<OptimizerConfig> {
  const { weightDecay, eps, momentum, rho, clipNorm, emaDecay, lossScaleGrowth } = s;
  const [beta1, beta2] = s.betas ?? [];
  const given = { weightDecay, beta1, beta2, eps, momentum, rho, clipNorm, emaDecay, lossScaleGrowth };
  return { kind: s.optimizer, ...scaling(s.precision), ...withoutUndefined(given) };
}

/** The schedule in the settings; omitted fields have the defaults of `scheduleConfig`. */
export function scheduleOf(
  s: CompleteSettings,
): Partial<ScheduleConfig> & Pick<ScheduleConfig, 'learningRate'> {
  const { schedule: kind, learningRate, warmupSteps, scheduleSteps: steps, minLearningRate } = s;
  return { kind, learningRate, ...withoutUndefined({ warmupSteps, steps, minLearningRate }) };
}
