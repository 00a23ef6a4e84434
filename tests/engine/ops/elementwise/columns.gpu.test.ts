// Columns of a matrix on the GPU: added to and taken out, in place or not, and the gradient compared with
// finite differences.

import { expect, it } from 'vitest';
import { addColumnsOp, takeColumnsOp } from '../../../../src/engine/ops/elementwise/columns.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkInPlace } from '../../../support/in-place.ts';
import { checkGradient, checkOp, randomTensor } from '../../../support/op.ts';

// One sum and one product a number.
const tolerance = 1e-6;

for (const { rows, wide, first, narrow } of [
  { rows: [1], wide: 1, first: 0, narrow: 1 },
  { rows: [2, 3], wide: 12, first: 4, narrow: 4 },
  { rows: [7], wide: 33, first: 11, narrow: 11 },
  { rows: [3, 43], wide: 130, first: 129, narrow: 1 },
  { rows: [5], wide: 9, first: 0, narrow: 9 },
]) {
  const inputs = () => ({ x: randomTensor([...rows, wide], 1), u: randomTensor([...rows, narrow], 2, 30) });
  it(`adds to columns ${first}.. of [${rows},${wide}], ${narrow} of them`, async () => {
    const attrs = { first, scale: 0.5 };
    await checkOp(addColumnsOp, { inputs: inputs(), attrs, wrt: ['x', 'u'], tolerance });
    await checkInPlace(addColumnsOp, { inputs: inputs(), attrs, tolerance });
    // Finite differences of each number are slow: only for small matrices.
    if (rows.length === 1) checkGradient(addColumnsOp, { inputs: inputs(), attrs, wrt: ['x', 'u'] });
  });
  it(`takes columns ${first}.. of [${rows},${wide}], ${narrow} of them`, async () => {
    const attrs = { first, scale: -2, count: narrow };
    await checkOp(takeColumnsOp, { inputs: { x: inputs().x }, attrs, tolerance });
  });
}

it('rejects missing columns and different rows', () => {
  const f32 = (...shape: number[]) => ({ dtype: 'f32' as const, shape });
  expect(() => addColumnsOp.shape({ x: f32(2, 6), u: f32(2, 4) }, { first: 3, scale: 1 })).toThrow(
    errorAbout({ area: 'add_columns', values: [3, 6, '[2,6]'] }),
  );
  expect(() => addColumnsOp.shape({ x: f32(2, 6), u: f32(3, 4) }, { first: 0, scale: 1 })).toThrow(
    errorAbout({ area: 'add_columns', values: ['[2,6]', '[3,4]'] }),
  );
});
