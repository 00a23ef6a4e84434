// The gradient of gated activations.

import { attrsOf, defineOp, tensorType } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { rowGroupsFor } from '../work-division.ts';
import type { ActivationAttrs } from './activation.ts';
import { gatedLaunch, gatedWidth } from './gated-activation.ts';

/** x [..,2F] and dy [..,F]; dx [..,2F]. */
export const gatedActivationBackwardOp = defineOp({
  name: 'gated_activation_backward',
  inputs: ['x', 'dy'],
  outputs: ['dx'],
  attrs: attrsOf<ActivationAttrs>(),
  shape({ x, dy }) {
    expectType('gated_activation_backward', 'x', x, 'f32');
    expectType('gated_activation_backward', 'dy', dy, 'f32', [...x.shape.slice(0, -1), gatedWidth(x)], 'half of x');
    return { dx: tensorType('f32', x.shape) };
  },
  f16Storage: ['x', 'dy', 'dx'],
  variants: ({ x }) => rowGroupsFor(gatedWidth(x)),
  launch: ({ x, dy }, { dx }, attrs, { variant }) => [
    gatedLaunch('gated_activation_backward', dy.shape, attrs, variant, { x, dy, dx }),
  ],
});
