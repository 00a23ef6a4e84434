// The plan of a training: what it says about the corpus, and about a budget of memory.

import { expect, it } from 'vitest';
import { checkForecast, checkMemory, modelMemory } from '../../src/api/memory-needs.ts';
import { notesOf } from '../../src/api/plan-training.ts';
import { type PlanTrainingOptions, planTraining } from '../../src/entries/plan-with-features.ts';
import { dawnGpu } from '../../src/host/dawn.ts';
import { modelConfig } from '../../src/model/model-config.ts';
import { presets } from '../../src/model/presets.ts';
import { noFeatures } from '../../src/session/feature-table.ts';
import { emitTo, type SessionEvent } from '../../src/session/session-event.ts';
import { readTsv } from '../../src/text/corpus/tsv.ts';
import { expectError } from '../support/expect-error.ts';
import { tinyCorpus, tinySizes } from '../support/training.ts';

it('keeps messages and warnings about the corpus, and no progress', () => {
  expect(notesOf({ type: 'message', text: 'a.tsv: line 3 (no tab)' })).toEqual(['a.tsv: line 3 (no tab)']);
  expect(notesOf({ type: 'warning', text: 'more than 2 % unknown tokens' })).toEqual([
    'more than 2 % unknown tokens',
  ]);
  const progress = {
    type: 'progress',
    task: 'tokenize',
    done: 9,
    total: 9,
    text: 'pairs, 1,739 pairs/s, 0 s left',
  } as const;
  expect(notesOf(progress)).toEqual([]);
});

it('compares GPU and JavaScript memory with a budget, and offers settings that fit', async () => {
  const { pairs } = readTsv(new TextEncoder().encode(tinyCorpus), 'pairs.tsv');
  const options: PlanTrainingOptions = {
    preset: 'tiny',
    model: { ...tinySizes, feedForward: 256 },
    tokenizer: 'word',
    vocabSize: 60,
    batchSize: 64,
    buckets: 1,
    steps: 12,
    heldOut: 0,
    device: await dawnGpu(),
  };
  const plan = (memoryBudget?: number) => planTraining(pairs, { ...options, memoryBudget });
  const { planned, fits, offer } = await plan();
  expect([fits, offer]).toEqual([true, undefined]);
  expect(planned.javascript).toBeGreaterThan(4 * 1000);
  const need = planned.peak + planned.staging + planned.javascript;
  expect(await plan(need)).toMatchObject({ fits: true, planned });
  const tight = await plan(need - 1);
  expect(tight.fits).toBe(false);
  expect(tight.reason).toMatch(
    /^The training does not fit: it needs .* of memory, of which .* are JavaScript's/,
  );
  expect(tight.offer?.settings.gradientCheckpointing).toBe(true);
  expect(tight.offer?.bytes).toBeLessThan(need);
  const { settings } = tight.offer ?? {};
  expect(await planTraining(pairs, { ...options, ...settings, memoryBudget: need - 1 })).toMatchObject({
    fits: true,
  });
  expect((await plan(1000)).offer).toBeUndefined();
});

it('says what a model needs before its weights are downloaded, and which formats fit', async () => {
  const c = modelConfig({ srcVocab: 8000, tgtVocab: 8000, ...presets.small });
  const whole = await modelMemory(c, {});
  const bytes = await modelMemory(c, { weights: 'int8' });
  expect(whole.total).toBe(whole.weights + whole.activations + whole.staging + whole.javascript);
  expect(bytes.weights).toBeLessThan(whole.weights / 2.5);
  const said: string[] = [];
  const emit = emitTo((event: SessionEvent) => void (event.type === 'message' && said.push(event.text)));
  await checkMemory('me/it', c, { memoryBudget: whole.total, emit, features: noFeatures });
  expect(said).toEqual([
    expect.stringMatching(/^me\/it needs .* of memory \(weights .*\) with weights in f32$/),
  ]);
  const tight = checkMemory('me/it', c, { memoryBudget: whole.total - 1, emit, features: noFeatures });
  const { message } = await expectError(() => tight, {
    kind: 'memory',
    offers: [{ weights: 'f16' }, { weights: 'int8' }, { weights: 'int4' }],
    values: ['me/it', whole.total, whole.total - 1],
  });
  expect(message).toMatch(/the memory budget is .*; it fits with weights: 'f16' \(.*\) or weights: 'int8' /);
  const never = checkMemory('me/it', c, { memoryBudget: 1000, emit, features: noFeatures });
  await expectError(() => never, { kind: 'memory', offers: [], values: [1000] });
});

it('is an error with the settings that fit', async () => {
  const offer = { settings: { batchSize: 16, gradientCheckpointing: true }, bytes: 2 ** 20 };
  await expectError(() => checkForecast({ fits: false, reason: 'Too large.', offer }), {
    kind: 'memory',
    offers: [offer.settings],
    values: ['Too large.', 2 ** 20],
  });
  expect(() => checkForecast({ fits: true, reason: '', offer: undefined })).not.toThrow();
});
