// Positions counted over tokens that are not padding, and embeddings that use them or have a frozen row, on
// the GPU.

import { expect, it } from 'vitest';
import { i32, type Shape, type Tensor } from '../../../../src/core/tensor.ts';
import { embeddingOp } from '../../../../src/engine/ops/embedding/embedding.ts';
import { embeddingBackwardOp } from '../../../../src/engine/ops/embedding/embedding-backward.ts';
import { fairseqSinusoids } from '../../../../src/engine/ops/embedding/sinusoids.ts';
import { tokenPositionsOp } from '../../../../src/engine/ops/embedding/token-positions.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

const u32 = (shape: Shape, data: number[]): Tensor => ({ dtype: 'u32', shape, data: Uint32Array.from(data) });

// Padding (1) at the start, inside and at the end.
const ids = i32([3, 5], [5, 6, 7, 1, 1, 1, 5, 1, 6, 7, 2, 1, 1, 1, 1]);

it('counts tokens that are not padding', async () => {
  await checkOp(tokenPositionsOp, { inputs: { ids }, attrs: { padId: 1 }, tolerance: 0 });
});

it('gives the position of the newest token in decoding', async () => {
  await checkOp(tokenPositionsOp, { inputs: { ids, step: 'step' }, attrs: { padId: 1 }, tolerance: 0 });
});

it.each([8, 7])('adds the row of each position id, width %i', async (D) => {
  const positionIds = u32([2, 3], [2, 3, 1, 2, 3, 4]);
  await checkOp(embeddingOp, {
    inputs: {
      ids: i32([2, 3], [5, 6, 1, 3, 2, 0]),
      table: randomTensor([9, D], 1),
      positions: randomTensor([6, D], 2),
      positionIds,
    },
    attrs: { scale: 2, positions: 'fixed', offset: 0, decode: false, rate: 0, site: 0 },
    tolerance: 1e-6,
  });
});

it.each([8, 7])('leaves the frozen row without a gradient, width %i', async (D) => {
  // Token ids 1, 0, 1, 2, 1 at positions 0 to 4.
  const inputs = {
    dy: randomTensor([1, 5, D], 1),
    rowStart: u32([5], [0, 1, 4, 5, 5]),
    occurrences: u32([5], [1, 0, 2, 4, 3]),
  };
  const attrs = { scale: 1, rate: 0, site: 0, frozenId: 1 };
  await checkOp(embeddingBackwardOp, { inputs, attrs, tolerance: 1e-6 });
  await checkOp(embeddingBackwardOp, {
    inputs: { ...inputs, base: randomTensor([4, D], 2) },
    attrs,
    tolerance: 1e-6,
  });
});

it('computes fairseq sinusoids: sines, then cosines; zeros for padding and in the last column of an odd width', () => {
  const table = fairseqSinusoids(4, 7, 1);
  const row = (p: number) => Array.from(table.subarray(p * 7, (p + 1) * 7));
  expect(row(1)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  const angles = [2, 2 / 100, 2 / 10000];
  const want = [...angles.map(Math.sin), ...angles.map(Math.cos), 0];
  for (const [i, x] of row(2).entries()) expect(x).toBeCloseTo(want[i]!, 6);
});
