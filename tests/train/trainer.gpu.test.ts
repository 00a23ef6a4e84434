// The trainer on a GPU: more micro-batches than runs may be pending, and steps that are awaited late.

import { expect, it } from 'vitest';
import { cpuEngine, type Engine, gpuEngine } from '../../src/engine.ts';
import { wrapDevice } from '../../src/gpu/device.ts';
import { optimizerConfig } from '../../src/train/optimizer.ts';
import { createTrainer, type Recipe, startWeights } from '../../src/train/trainer.ts';
import { gpuDevice } from '../support/gpu.ts';
import { type Ids, loadIds, randomIds, smallModel } from '../support/model.ts';

const shape = { batch: 2, source: 4, target: 4 };

/** Losses of three updates of `accumulate` micro-batches each, two updates pending at a time. */
async function losses(engine: Engine, accumulate: number): Promise<number[]> {
  const { c } = smallModel({ srcVocab: 20, tgtVocab: 24, dModel: 16, feedForward: 32, dropout: 0.1 });
  const schedule = { kind: 'constant', learningRate: 1e-2, warmup: 0, steps: 3, floor: 0, dModel: 16 } as const;
  const recipe: Recipe = { optimizer: optimizerConfig(), schedule, seed: 4, init: 'xavier', accumulate };
  const trainer = await createTrainer(engine, c, recipe, [shape]);
  startWeights(engine, c, recipe);
  const batchOf = (ids: Ids) => ({
    shape: 0,
    tokens: ids.tgtLens.reduce((a, b) => a + b, 0),
    fill: (arrays: object) => loadIds({ inputs: arrays } as Parameters<typeof loadIds>[0], ids),
  });
  const out: number[] = [];
  const pending: Promise<unknown>[] = [];
  for (let step = 0; step < 3; step++) {
    const batches = Array.from({ length: accumulate }, (_, k) => batchOf(randomIds(c, shape, 10 * step + k)));
    pending.push(trainer.update(batches).then((report) => out.push(report.loss)));
    if (pending.length > 1) await pending.shift();
  }
  await Promise.all(pending);
  return out;
}

for (const accumulate of [1, 5])
  it(`trains with ${accumulate} micro-batches as the references do`, async () => {
    const engine = gpuEngine(wrapDevice(await gpuDevice()));
    const got = await losses(engine, accumulate);
    engine.destroy();
    const want = await losses(cpuEngine(), accumulate);
    // Float32 over three steps of Adam, whose small moments amplify rounding.
    for (const [i, loss] of got.entries()) expect(Math.abs(loss / want[i]! - 1)).toBeLessThan(1e-5);
  });
