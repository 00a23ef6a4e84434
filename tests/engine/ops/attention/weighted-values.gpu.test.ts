// Sums of values with given weights against their reference, for self-attention and cross-attention.
import { expect, it } from 'vitest';
import { weightedValuesOp } from '../../../../src/engine/ops/attention/weighted-values.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

for (const [batch, queries, keys, heads, headWidth] of [
  [1, 1, 1, 1, 1],
  [2, 5, 7, 3, 4],
  [1, 33, 19, 2, 5],
] as const)
  it(`sums values of ${heads} heads for ${queries} queries and ${keys} keys`, async () => {
    const inner = heads * headWidth;
    await checkOp(weightedValuesOp, {
      inputs: {
        p: randomTensor([batch, heads, queries, keys], 1),
        kv: randomTensor([batch, keys, 2 * inner], 2),
      },
      attrs: { heads, headWidth },
      tolerance: 3e-6,
    });
    await checkOp(weightedValuesOp, {
      inputs: {
        p: randomTensor([batch, heads, keys, keys], 1),
        kv: randomTensor([batch, keys, 3 * inner], 2),
      },
      attrs: { heads, headWidth, self: true },
      tolerance: 3e-6,
    });
  });

it('rejects weights that do not fit the values', () => {
  const type = (shape: readonly number[]) => ({ dtype: 'f32', shape }) as const;
  const shapes = { p: type([1, 2, 3, 4]), kv: type([1, 5, 16]) };
  expect(() => weightedValuesOp.shape(shapes, { heads: 2, headWidth: 4 })).toThrow(
    errorAbout({ area: 'weighted_values', values: ['[1,2,3,4]', '[1,5,16]', '[1,2,3,5]'] }),
  );
});
