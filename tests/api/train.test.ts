// Settings of train, on the float64 references of the ops.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lossScales } from '../../src/engine/ops/optimizer/clip.ts';
import { type TrainOptions, train } from '../../src/entries/train-with-features.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { registerHost } from '../../src/session/host.ts';
import { type Pair, splitPairs } from '../../src/text/corpus/pairs.ts';
import type { LogStep } from '../../src/train/report/training-log.ts';
import { errorAbout } from '../support/expect-error.ts';

const pairs = Array.from({ length: 16 }, (_, i) => ({
  source: `${'abcd'[i % 4]} b`,
  target: `${'cde'[i % 3]}`,
}));
const options: TrainOptions = {
  device: 'cpu',
  model: { dModel: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 8, maxLength: 8 },
  preset: 'tiny',
  tokenizer: 'word',
  batchSize: 4,
  heldOut: 0,
  steps: 3,
  learningRate: 0.01,
  schedule: 'linear',
};

async function trained(more: TrainOptions = {}) {
  const steps: LogStep[] = [];
  const model = await train(pairs, { ...options, ...more, onStep: (step) => steps.push(step) });
  return { steps, weights: Object.values(model.weights()).flatMap(({ data }) => [...data]) };
}

it('uses AdamW, one batch an update and f32 by default', async () => {
  const { steps } = await trained();
  expect(steps.map(({ learningRate }) => learningRate)).toEqual(
    [2 / 3, 1 / 3, 0].map((x) => expect.closeTo(x / 100)),
  );
  expect(steps.map(({ tokens, lossScale }) => [tokens, lossScale])).toEqual(steps.map(() => [8, undefined]));
});

it('takes a schedule, an optimizer, batches an update and a precision', async () => {
  const { steps } = await trained({
    schedule: 'constant',
    learningRate: 0.5,
    warmupSteps: 0,
    optimizer: 'sgd',
    clipNorm: 0,
    gradientAccumulationSteps: 2,
    precision: 'f16',
  });
  expect(steps.map(({ learningRate }) => learningRate)).toEqual([0.5, 0.5, 0.5]);
  expect(steps.map(({ tokens }) => tokens)).toEqual([16, 16, 16]);
  expect(steps.map(({ lossScale }) => lossScale)).toEqual(steps.map(() => lossScales.first));
});

it('returns the moving average of the weights, if there is one', async () => {
  const [plain, averaged] = [await trained(), await trained({ emaDecay: 0.5 })];
  expect(averaged.steps.map(({ loss }) => loss)).toEqual(plain.steps.map(({ loss }) => loss));
  expect(averaged.weights).not.toEqual(plain.weights);
});

it('holds out the default fraction of pairs, as the command does, and less if dev or test pairs are given', async () => {
  const many = Array.from({ length: 200 }, (_, i) => ({ source: `${i} b`, target: 'c' }));
  const { heldOut: _, ...rest } = options;
  const counts = async (more: TrainOptions) => {
    let found: unknown;
    const onEvent: TrainOptions['onEvent'] = (event) => {
      if (event.type === 'start') found = event.corpus;
    };
    await train(many, { ...rest, steps: 1, testSentences: 0, evalSteps: 0, ...more, onEvent });
    return found;
  };
  const { train: kept, dev, test } = splitPairs(many, { dev: 0.02, test: 0.02 });
  expect(dev.length * test.length).toBeGreaterThan(0);
  expect(await counts({})).toMatchObject({ pairs: kept.length, dev: dev.length, test: test.length });
  expect(await counts({ test: many.slice(0, 1) })).toMatchObject({ dev: dev.length, test: 1 });
  expect(await counts({ dev: many.slice(0, 3) })).toMatchObject({ pairs: 200, dev: 3, test: 0 });
});

it('names an invalid pair', async () => {
  const wrong = [pairs[0], { src: 'a', tgt: 'b' }] as unknown as readonly Pair[];
  await expect(train(wrong, options)).rejects.toThrow(errorAbout({ area: 'train', values: ['pairs', 1] }));
  await expect(trained({ dev: wrong })).rejects.toThrow(errorAbout({ area: 'train', values: ['dev', 1] }));
  await expect(train('pairs.tsv' as unknown as typeof wrong)).rejects.toThrow(
    errorAbout({ area: 'train', values: ['pairs'] }),
  );
});

it('rejects a schedule without room for its warm-up before it reads the corpus', async () => {
  const events: string[] = [];
  const onEvent: TrainOptions['onEvent'] = ({ type }) => events.push(type);
  await expect(trained({ warmupSteps: 3, onEvent })).rejects.toThrow(
    errorAbout({ area: 'schedule', options: ['warmupSteps', 'warmupSteps', 'steps'], values: [3, 'linear'] }),
  );
  expect(events).toEqual([]);
});

it('names the step at which a number is not finite, if it checks', async () => {
  // The first update makes weights so large that products of them overflow.
  const training = trained({ batchSize: 16, steps: 9, learningRate: 1e200, checkFinite: true });
  await expect(training).rejects.toThrow(errorAbout({ values: [1, 'adamw', 'optimizer'] }));
});

it('finds before the first step that a checkpoint cannot be written', async () => {
  registerHost({ ...nodeHost(), files: nodeFiles() });
  const folder = mkdtempSync(join(tmpdir(), 'heddle-train-'));
  try {
    writeFileSync(join(folder, 'file'), 'mine');
    const checkpoint = join(folder, 'file', 'run');
    const steps: unknown[] = [];
    await expect(trained({ checkpoint, onStep: (step) => steps.push(step) })).rejects.toThrow(
      errorAbout({ values: ['write'] }),
    );
    expect(steps).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('replaces the model of a checkpoint only with force, and writes it for one training at a time', async () => {
  registerHost({ ...nodeHost(), files: nodeFiles() });
  const folder = mkdtempSync(join(tmpdir(), 'heddle-train-'));
  const checkpoint = join(folder, 'ck');
  try {
    const together = await Promise.allSettled([trained({ checkpoint }), trained({ checkpoint })]);
    expect(together.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(together.flatMap((it) => (it.status === 'rejected' ? [it.reason] : []))).toEqual([
      errorAbout({ area: checkpoint, values: [String(process.pid)] }),
    ]);
    const model = () => readFileSync(join(checkpoint, 'model.safetensors'));
    const before = model();
    await expect(trained({ checkpoint, seed: 2 })).rejects.toThrow(
      errorAbout({ offers: [{ resume: true }, { force: true }] }),
    );
    expect(model()).toEqual(before);
    await trained({ checkpoint, seed: 2, force: true });
    expect(model()).not.toEqual(before);
    await trained({ checkpoint, steps: 4, resume: true });
    expect(readdirSync(folder)).toEqual(['ck']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('replaces the last steps of another run only with force', async () => {
  registerHost({ ...nodeHost(), files: nodeFiles() });
  const folder = mkdtempSync(join(tmpdir(), 'heddle-train-'));
  const checkpoint = join(folder, 'ck');
  const keep = { checkpoint, saveSteps: 1, keepLast: 1 };
  try {
    await trained(keep);
    expect(readdirSync(folder)).toEqual(['ck', 'ck.step-3']);
    const kept = () => readFileSync(join(folder, 'ck.step-3/model.safetensors'));
    const before = kept();
    rmSync(checkpoint, { recursive: true });
    const about = { options: ['keepLast'], values: [checkpoint, '.step-3'] };
    const other = { ...keep, seed: 2 };
    await expect(trained(other)).rejects.toThrow(errorAbout({ ...about, offers: [{ force: true }] }));
    expect(readdirSync(folder)).toEqual(['ck.step-3']);
    await trained({ checkpoint, seed: 2, steps: 2 });
    await expect(trained({ ...other, resume: true, steps: 3 })).rejects.toThrow(
      errorAbout({ ...about, offers: [] }),
    );
    expect(kept()).toEqual(before);
    await trained({ ...other, force: true });
    expect(kept()).not.toEqual(before);
    await trained({ checkpoint, steps: 4, resume: true }); // keepLast of the checkpoint
    expect(readdirSync(folder)).toEqual(['ck', 'ck.step-4']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
