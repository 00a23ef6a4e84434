// Columns of a tensor on the GPU.

import { expect, it } from 'vitest';
import { sliceOp } from '../../src/ops/slice.ts';
import '../support/gpu.ts';
import { checkOp, randomTensor } from '../support/op.ts';

for (const [rows, cols, column, width] of [
  [1, 1, 0, 1],
  [3, 7, 2, 5],
  [130, 96, 32, 64],
] as const)
  it(`takes columns ${column} to ${column + width} of [${rows},${cols}]`, async () => {
    await checkOp(sliceOp, { inputs: [randomTensor([rows, cols], 1)], attrs: { column, width }, tolerance: 0 });
  });

it('refuses columns that are not there', () => {
  expect(() => sliceOp.shape([{ dtype: 'f32', shape: [2, 8] }], { column: 4, width: 5 })).toThrow('which has 8');
});
