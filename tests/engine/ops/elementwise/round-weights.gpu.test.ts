// Rounding weights to 8 bits: parts with a scale each, sizes on both sides of a workgroup's share, zeros.

import { expect, it } from 'vitest';
import { roundWeightsOp } from '../../../../src/engine/ops/elementwise/round-weights.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

it.each([
  [[3, 2 ** 14 + 1], 3],
  [[4, 12], 2],
  [[5, 7], 1],
] as const)('rounds %j in %i parts, each by its own maximum', async (shape, parts) => {
  const weights = randomTensor([...shape], 3);
  (weights.data as Float32Array).fill(0, 0, weights.data.length / parts / (parts > 1 ? 1 : 2));
  const copies = randomTensor([...shape], 4);
  await checkOp(roundWeightsOp, { inputs: { weights, copies }, attrs: { parts } });
});

it('refuses parts that are not equal', () => {
  const type = { dtype: 'f32', shape: [5, 3] } as const;
  expect(() => roundWeightsOp.shape({ weights: type, copies: type }, { parts: 2 })).toThrow(
    errorAbout({ area: 'round_weights', values: ['[5,3]', 2] }),
  );
});
