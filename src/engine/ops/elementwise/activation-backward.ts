// The gradients of activations, gated ones too.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { sameShape, show, tensorType } from '../../../core/tensor.ts';
import { attrsOf, defineOp, type TensorTypes } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { elementwiseVariants, rowGroupsFor } from '../work-division.ts';
import { type ActivationAttrs, elementwiseLaunch } from './elementwise-ops.ts';
import { gatedLaunch, gatedWidth } from './gated-activation.ts';

/** dx = f'(x)·dy; for ReLU x may be the output y. dx may take the memory of dy. */
export const activationBackwardOp = defineOp({
  name: 'activation_backward',
  inputs: ['x', 'dy'],
  outputs: ['dx'],
  attrs: attrsOf<ActivationAttrs>(),
  shape({ x, dy }) {
    expectType('activation_backward', 'x', x, 'f32');
    check(sameShape(x.shape, dy.shape), msg`shapes differ, x ${show(x.shape)} and dy ${show(dy.shape)}`, {
      area: 'activation_backward',
    });
    return { dx: tensorType('f32', x.shape) };
  },
  inPlace: { dx: 'dy' },
  f16Storage: ['x', 'dy', 'dx'],
  variants: elementwiseVariants,
  launch({ x, dy }, { dx }, { kind }, { shared, variant }) {
    const bind = { x, b: shared('dy', 'dx') ? undefined : dy };
    return [elementwiseLaunch('activation_backward', variant, dx, bind, { kind })];
  },
});

/** x [..,2F] and dy [..,F]; dx [..,2F]. */
export const gatedActivationBackwardOp = defineOp({
  name: 'gated_activation_backward',
  inputs: ['x', 'dy'],
  outputs: ['dx'],
  attrs: attrsOf<ActivationAttrs>(),
  shape({ x, dy }) {
    expectType('gated_activation_backward', 'x', x, 'f32');
    expectType(
      'gated_activation_backward',
      'dy',
      dy,
      'f32',
      [...x.shape.slice(0, -1), gatedWidth(x)],
      'half of x',
    );
    return { dx: tensorType('f32', x.shape) };
  },
  f16Storage: ['x', 'dy', 'dx'],
  variants: ({ x }: TensorTypes<'x'>) => rowGroupsFor(gatedWidth(x)),
  launch: ({ x, dy }, { dx }, attrs, { variant }) => [
    gatedLaunch('gated_activation_backward', dy.shape, attrs, variant, { x, dy, dx }),
  ],
});
