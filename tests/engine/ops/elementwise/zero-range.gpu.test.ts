// Zeros in a range of a tensor against their reference and gradient.

import { it } from 'vitest';
import { f32 } from '../../../../src/core/tensor.ts';
import { zeroRangeOp } from '../../../../src/engine/ops/elementwise/zero-range.ts';
import { checkOp } from '../../../support/op.ts';

it('sets a range to zero, which has no gradient', async () => {
  await checkOp(zeroRangeOp, {
    inputs: { x: f32([9], [1, 2, 3, 4, 5, 6, 7, 8, 9]) },
    attrs: { first: 3, end: 6 },
    wrt: ['x'],
    tolerance: 0,
    gradTolerance: 1e-6,
  });
});
