// The gradient of the SSRU's scan, in one kernel. Only the backward pass loads this file.

import { dim, type TensorType, tensorType } from '../../../core/tensor.ts';
import { defineOp } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { channelsOf, scanLaunch, scanVariants } from './ssru.ts';

/** x [B,T,2D], bias [D], dy [B,T,D]; dx [B,T,2D], and partials [B,D], whose sum over B is the bias's gradient. */
export const ssruBackwardOp = defineOp({
  name: 'ssru_backward',
  inputs: ['x', 'bias', 'dy'],
  outputs: ['dx', 'partials'],
  shape({ x, bias, dy }) {
    const D = channelsOf('ssru_backward', x, bias);
    expectType('ssru_backward', 'dy', dy, 'f32', [dim(x, 0), dim(x, 1), D]);
    return { dx: tensorType('f32', x.shape), partials: tensorType('f32', [dim(x, 0), D]) };
  },
  // dx holds c for a while, so it stays f32.
  f16Storage: ['x', 'dy'],
  variants: ({ x, bias }: Record<'x' | 'bias', TensorType>) =>
    scanVariants(dim(x, 0) * dim(bias, 0), dim(bias, 0)),
  launch: ({ x, bias, dy }, { dx, partials }, _attrs, { variant }) => [
    scanLaunch('ssru_backward', x, { x, bias, dy, dx, partials }, variant),
  ],
});
