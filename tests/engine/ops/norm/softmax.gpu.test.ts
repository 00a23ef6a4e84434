// Softmax on the GPU, whole and masked, with NaN in the masked columns.

import { expect, it } from 'vitest';
import { softmaxBackwardOp, softmaxOp } from '../../../../src/engine/ops/norm/softmax.ts';
import { itOnDawn } from '../../../support/gpu.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

// exp keeps 3 + 2|x| ULP, x up to about 100 at scale 30; the sum of a row rounds a few times.
const tolerance = 2e-6;
// The backward takes the difference of dy and a mean of it.
const gradTolerance = 5e-6;

// Around vectors of 4, the 16 vectors that a thread holds, blocks of 16, row groups of 32 and 256, 512
// columns, above which row groups are larger; primes; a vocabulary.
for (const [rows, cols] of [
  [1, 1],
  [3, 2],
  [5, 4],
  [33, 31],
  [31, 32],
  [7, 33],
  [9, 16],
  [5, 17],
  [33, 64],
  [5, 68],
  [32, 127],
  [5, 257],
  [3, 512],
  [2, 516],
  [2, 2053],
  [3, 8000],
] as const)
  it(`gives the results and gradients of the reference for [${rows},${cols}] at several scales`, async () => {
    for (const scale of [1e-3, 1, 30]) {
      await checkOp(softmaxOp, {
        inputs: { x: randomTensor([rows, cols], 1, scale) },
        attrs: {},
        // A row of one number has a gradient of 0, so no error is relative to it.
        wrt: cols > 1 && scale < 30 ? ['x'] : undefined,
        tolerance,
        gradTolerance,
      });
    }
  });

for (const [queries, keys] of [
  [1, 1],
  [7, 7],
  [32, 32],
  [33, 129],
  [129, 40],
] as const)
  it(`masks [${queries},${keys}] by lengths and causally, and never reads masked columns`, async () => {
    const shape = [3, 2, queries, keys];
    const lens = [keys, Math.ceil(keys / 2), 0];
    for (const causal of [false, true]) {
      const x = randomTensor(shape, 1, 3);
      const dy = randomTensor(shape, 2);
      const y = randomTensor(shape, 3);
      for (const i of x.data.keys()) {
        const row = Math.floor(i / keys);
        const seen = Math.min(lens[Math.floor(row / (2 * queries))]!, causal ? (row % queries) + 1 : keys);
        if (i % keys < seen) continue;
        x.data[i] = Number.NaN;
        dy.data[i] = Number.NaN;
      }
      const length = integers('u32', [3], lens);
      await checkOp(softmaxOp, { inputs: { x, lens: length }, attrs: { causal }, tolerance });
      await checkOp(softmaxBackwardOp, {
        inputs: { y, dy, lens: length },
        attrs: { causal },
        tolerance: gradTolerance,
      });
    }
  });

itOnDawn('takes tens of thousands of rows, past one dimension of workgroups', async () => {
  const c = { inputs: { x: randomTensor([70_001, 3], 1) }, attrs: {}, tolerance };
  const errors = await checkOp(softmaxOp, c, { everyKernel: true });
  expect(Object.keys(errors).length).toBeGreaterThanOrEqual(3);
});
