// The gradients of recurrent ops. Only the backward pass loads this file.

import { columnSum } from '../elementwise/column-sum.ts';
import { type GradientsOf, gradient } from '../op-gradient.ts';
import type * as ssruModule from './ssru.ts';
import { ssruOp } from './ssru.ts';
import { ssruBackwardOp } from './ssru-backward.ts';

/** The gradient of each op of the family that has one. */
export const recurrenceGradients = {
  ssruOp: gradient(ssruOp, (builder, { x, bias }, _outputs, { y: dy }) => {
    if (!dy) return {};
    const { dx, partials } = builder.apply(ssruBackwardOp, { x, bias, dy });
    return { x: dx, bias: builder.needs(bias) ? columnSum(builder, partials)[0] : undefined };
  }),
} satisfies GradientsOf<typeof ssruModule>;
