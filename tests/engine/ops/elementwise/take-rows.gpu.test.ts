// Rows of a tensor on the GPU.

import { expect, it } from 'vitest';
import { takeRowsOp } from '../../../../src/engine/ops/elementwise/take-rows.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

for (const { shape, group, indices } of [
  { shape: [1, 1], group: 1, indices: [0] },
  { shape: [6, 5, 3], group: 2, indices: [2, 0, 2] },
  { shape: [32, 7, 33], group: 4, indices: [7, 1] },
  { shape: [5], group: 1, indices: [4, 3, 3, 0, 1, 2] },
])
  it(`takes ${indices} of [${shape}], ${group} rows each`, async () => {
    const rows = integers('u32', [indices.length], indices);
    await checkOp(takeRowsOp, {
      inputs: { x: randomTensor(shape, 1), indices: rows },
      attrs: { group },
      tolerance: 0,
    });
    const n = shape.reduce((a, b) => a * b, 1);
    const slots = integers(
      'u32',
      shape,
      Array.from({ length: n }, (_, i) => 2 ** 31 + i),
    );
    await checkOp(takeRowsOp, { inputs: { x: slots, indices: rows }, attrs: { group }, tolerance: 0 });
  });

it('takes single numbers', async () => {
  const indices = integers('u32', [4], [0, 29, 7, 7]);
  const inputs = { x: randomTensor([2, 1, 15], 1), indices };
  await checkOp(takeRowsOp, { inputs, attrs: { group: 1, numbers: true }, tolerance: 0 });
});

it('rejects rows that are not whole groups', () => {
  const types = { x: { dtype: 'f32', shape: [5, 2] }, indices: { dtype: 'u32', shape: [1] } } as const;
  expect(() => takeRowsOp.shape(types, { group: 2 })).toThrow(
    errorAbout({ area: 'take_rows', values: ['f32', '[5,2]', 2] }),
  );
});
