// The shortest way to a model, and its recipe, on the references.
import { expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine/engine.ts';
import { lossScales } from '../../src/ops/optimizer/clip.ts';
import { type LearnRecipe, learn } from '../../src/trainer/learn.ts';
import type { StepReport } from '../../src/trainer/trainer.ts';

const pairs = Array.from({ length: 16 }, (_, i) => ({ source: `${'abcd'[i % 4]} b`, target: `${'cde'[i % 3]}` }));
const model = { dModel: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 8, maxLength: 8 };

async function learnt(recipe?: LearnRecipe) {
  const engine = cpuEngine();
  const reports: StepReport[] = [];
  await learn(engine, pairs, {
    model,
    batch: 4,
    steps: 3,
    learningRate: 0.01,
    ...(recipe && { recipe }),
    onStep: (report) => reports.push(report),
  });
  const read = async (state: string) => (await engine.read(state)).data;
  return { reports, read };
}

it('is AdamW on a linear schedule, one batch an update, in f32, unless told otherwise', async () => {
  const { reports } = await learnt();
  expect(reports.map(({ learningRate }) => learningRate)).toEqual(
    [2 / 3, 1 / 3, 0].map((x) => expect.closeTo(x / 100)),
  );
  expect(reports.map(({ tokens, lossScale }) => [tokens, lossScale])).toEqual(reports.map(() => [8, 0]));
});

it('takes a schedule, an optimizer, batches an update and a precision', async () => {
  const { reports, read } = await learnt({
    schedule: { kind: 'constant', learningRate: 0.5, warmupSteps: 0 },
    optimizer: { kind: 'sgd', clipNorm: 0 },
    accumulate: 2,
    precision: 'f16',
  });
  expect(reports.map(({ learningRate }) => learningRate)).toEqual([0.5, 0.5, 0.5]);
  expect(reports.map(({ tokens }) => tokens)).toEqual([16, 16, 16]);
  expect(reports.map(({ lossScale }) => lossScale)).toEqual(reports.map(() => lossScales.first));
  await expect(read('moment1')).resolves.toBeDefined();
  await expect(read('moment2')).rejects.toThrow();
});

it('leaves the moving average of the weights where one is asked for', async () => {
  const [plain, averaged] = [await learnt(), await learnt({ optimizer: { emaDecay: 0.5 } })];
  const weights = await averaged.read('weights');
  expect(weights).toEqual(await averaged.read('average'));
  expect(weights).not.toEqual(await plain.read('weights'));
});

it('refuses a schedule that cannot be', async () => {
  await expect(learnt({ schedule: { warmupSteps: 3 } })).rejects.toThrow('linear over 3 steps needs fewer warmupSteps');
});

it('names the step at which the loss is no number any more, counted from 1', async () => {
  // The first update makes weights so large that products of them overflow.
  const training = learn(cpuEngine(), pairs, { model, batch: 16, steps: 9, learningRate: 1e200 });
  await expect(training).rejects.toThrow('The loss of step 2 is NaN; lower the learning rate.');
});
