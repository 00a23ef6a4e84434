// Converts the settings of a run to the options of its parts: data and model, optimizer, schedule.

import { augmentRates, augmentSymbols } from '../../features/corpora/augment/augment-rates.ts';
import type { MaskOptions } from '../../features/speech/batches/frame-masks.ts';
import { withoutUndefined } from '../../files/json-files.ts';
import type { ModelOptions } from '../../model/model-config.ts';
import { presets } from '../../model/presets.ts';
import type { PieceSettings } from '../../text/sentencepiece/piece-options.ts';
import { type OptimizerConfig, optimizerFields, scaling } from '../update/optimizer-config.ts';
import { type ScheduleConfig, scheduleFields } from '../update/schedule.ts';
import type { TrainingDataOptions } from '../update/training-data.ts';
import type { CompleteSettings } from './run-defaults.ts';
import { settings } from './settings.ts';

/** Options of the tokenizers, the model configuration and the batches. */
export function dataOptions(s: CompleteSettings): TrainingDataOptions {
  const { norm, dropout, labelSmoothing, maxLength, batchSize = 0, maxTokens = 0 } = s;
  const preset: Partial<ModelOptions> = presets[s.preset];
  const alignmentHead = s.guidedAlignment === undefined ? undefined : 0;
  return {
    model: {
      ...preset,
      ...withoutUndefined<unknown>({ norm, dropout, labelSmoothing, maxLength, alignmentHead }),
      ...s.model,
    },
    tokenizer: {
      kind: s.tokenizer,
      size: s.vocabSize,
      lowercase: s.lowercase,
      fill: s.fillVocab || undefined,
      pieces: piecesOf(s),
    },
    maxLength,
    truncate: s.truncate,
    batchSize,
    maxTokens,
    buckets: s.buckets,
    seed: s.seed,
    augment: s.augment && augmentRates(s.augment),
    sampling: { samplingAlpha: s.samplingAlpha, bpeDropout: s.bpeDropout },
    masks: masksOf(s),
  };
}

/** Options of SpecAugment. */
export const masksOf = (s: CompleteSettings): MaskOptions => ({
  maskTimeProb: s.maskTimeProb,
  maskTimeLength: s.maskTimeLength,
  maskFeatureProb: s.maskFeatureProb,
  maskFeatureLength: s.maskFeatureLength,
});

/** Options of a SentencePiece model; undefined for other tokenizers. */
function piecesOf(s: CompleteSettings): PieceSettings | undefined {
  if (s.tokenizer !== 'unigram') return undefined;
  const { byteFallback, characterCoverage, splitDigits, userSymbols, controlSymbols } = s;
  const symbols = s.augment ? augmentSymbols(augmentRates(s.augment)) : [];
  return {
    byteFallback,
    characterCoverage,
    splitDigits,
    userSymbols: symbols.length > 0 ? [...new Set([...(userSymbols ?? []), ...symbols])] : userSymbols,
    controlSymbols,
  };
}

/** The settings that have the names of fields; those that are not given are left out. */
const sharedSettings = (s: CompleteSettings, fields: object): Record<string, unknown> =>
  withoutUndefined<unknown>(
    Object.fromEntries(
      Object.keys(fields).flatMap((name) =>
        name in settings ? [[name, s[name as keyof CompleteSettings]]] : [],
      ),
    ),
  );

/** The optimizer in the settings; omitted fields have the defaults of `optimizerConfig`. */
export function optimizerOf(s: CompleteSettings): Partial<OptimizerConfig> {
  const [beta1, beta2] = s.betas ?? [];
  return {
    kind: s.optimizer,
    ...scaling(s.precision),
    ...withoutUndefined({ beta1, beta2 }),
    ...sharedSettings(s, optimizerFields),
  };
}

/** The schedule in the settings; omitted fields have the defaults of `scheduleConfig`. */
export function scheduleOf(
  s: CompleteSettings,
): Partial<ScheduleConfig> & Pick<ScheduleConfig, 'learningRate'> {
  const { steps: _, ...fields } = scheduleFields; // `steps` of a run is its length
  return {
    kind: s.schedule,
    learningRate: s.learningRate,
    ...sharedSettings(s, fields),
    ...withoutUndefined({ steps: s.scheduleSteps }),
  };
}
