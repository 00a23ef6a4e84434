// The backward kernel of an SSRU by itself: the gradient of its input, and the sums over time.

import { it } from 'vitest';
import { ssruBackwardOp } from '../../../../src/engine/ops/recurrence/ssru-backward.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

it.each([
  [3, 7, 6],
  [2, 33, 12],
])('equals its reference for [%i,%i,%i]', async (B, T, D) => {
  const inputs = {
    x: randomTensor([B, T, 2 * D], 1),
    bias: randomTensor([D], 2),
    dy: randomTensor([B, T, D], 3),
  };
  await checkOp(ssruBackwardOp, { inputs, attrs: {}, through: ['dx', 'partials'], tolerance: 3e-6 });
});
