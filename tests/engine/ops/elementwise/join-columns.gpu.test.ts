// Two matrices side by side on the GPU.

import { expect, it } from 'vitest';
import { joinColumnsOp } from '../../../../src/engine/ops/elementwise/join-columns.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

it.each([
  [1, 1, 1],
  [7, 3, 6],
  [65, 64, 128],
])('joins %i rows of %i and %i columns', async (rows, M, N) => {
  const inputs = { a: randomTensor([1, rows, M], 1), b: randomTensor([1, rows, N], 2) };
  await checkOp(joinColumnsOp, { inputs, attrs: {}, wrt: ['a', 'b'], tolerance: 1e-6 });
});

it('rejects different numbers of rows', () => {
  const f32 = (...shape: number[]) => ({ dtype: 'f32', shape }) as const;
  expect(() => joinColumnsOp.shape({ a: f32(2, 3), b: f32(3, 3) }, {})).toThrow(
    errorAbout({ area: 'join_columns', values: ['[2,3]', '[3,3]'] }),
  );
});
