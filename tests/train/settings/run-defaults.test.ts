// Default settings by corpus, preset and fine-tuning.
import { expect, it } from 'vitest';
import { settingTable } from '../../../src/features/all-settings.ts';
import { completeSettings, type RunKind } from '../../../src/train/settings/run-defaults.ts';
import type { TrainSettings } from '../../../src/train/settings/train-settings.ts';

/** The settings with all defaults. */
const complete = (given: TrainSettings, kind: RunKind) => completeSettings(given, kind, settingTable);

it('takes the given settings, and the others by corpus, preset or fine-tuning', () => {
  expect(complete({ learningRate: 0.5, vocabSize: 77 }, 'pairs')).toMatchObject({
    learningRate: 0.5,
    vocabSize: 77,
    preset: 'small',
    tokenizer: 'unigram',
    batchSize: 64,
    devSentences: 200,
  });
  expect(complete({ preset: 'keras' }, 'pairs')).toMatchObject({
    optimizer: 'rmsprop',
    vocabSize: 15_000,
    tokenizer: 'word',
    fillVocab: true,
    clipNorm: 0,
  });
  expect(complete({ preset: 'mid' }, 'intl')).toMatchObject({ preset: 'mid', tokenizer: 'word' });
  expect(complete({ init: 'models/bart' }, 'pairs')).toMatchObject({ learningRate: 2e-4, epochs: 3 });
  expect(complete({ maxTokens: 2048 }, 'pairs').batchSize).toBeUndefined();
});

it('takes small batches for a LoRA adapter of packed weights, if their size is not given', () => {
  const packed = { init: 'models/bart', lora: { rank: 8 }, weights: 'int8' } as const;
  const sizes = (given: TrainSettings) => {
    const { batchSize, maxTokens, gradientAccumulationSteps } = complete({ ...packed, ...given }, 'pairs');
    return [batchSize, maxTokens, gradientAccumulationSteps];
  };
  expect(sizes({})).toEqual([undefined, 512, 2]);
  expect(sizes({ gradientAccumulationSteps: 1 })).toEqual([undefined, 512, 1]);
  expect(sizes({ maxTokens: 100 })).toEqual([undefined, 100, 1]);
  expect(sizes({ batchSize: 8 })).toEqual([8, undefined, 1]);
  expect(sizes({ weights: 'f32' })).toEqual([64, undefined, 1]);
});

it('ends the schedule with the run only if the number of steps is from the recipe', () => {
  expect(complete({}, 'intl')).toMatchObject({ schedule: 'linear', steps: 800 });
  expect(complete({ steps: 40 }, 'intl')).toMatchObject({ schedule: 'inverse-sqrt', steps: 40 });
  expect(complete({ epochs: 2 }, 'intl').schedule).toBe('inverse-sqrt');
  expect(complete({ steps: 40, schedule: 'linear' }, 'intl').schedule).toBe('linear');
});
