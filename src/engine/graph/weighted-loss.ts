// The root of a backward pass that starts from any values with given gradients, as in checks of gradients and
// in benchmarks of backward kernels.

import { tensorType } from '../../core/tensor.ts';
import { defineOp } from '../ops/op.ts';

/**
 * A scalar loss, the sum of xs[i] · weights[i] over i: its gradient w.r.t. xs[i] is weights[i]. No kernel
 * computes it.
 */
export const weightedLossOp = defineOp({
  name: 'weighted_loss',
  inputs: ['xs[]', 'weights[]'],
  outputs: ['loss'],
  shape: () => ({ loss: tensorType('f32', [1]) }),
  f16Storage: ['xs', 'weights'],
  launch: () => [],
  grad: (_builder, { weights }) => ({ xs: weights }),
  reference({ xs, weights }, { loss }) {
    for (const [i, x] of xs.entries())
      for (let k = 0; k < x.size; k++) loss.add(0, x.at(k) * (weights[i]?.at(k) ?? Number.NaN));
  },
});
