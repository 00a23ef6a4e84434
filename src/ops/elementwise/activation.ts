// ReLU, GELU and SiLU as ops of their own. After a matrix product its epilogue computes them instead.

import { sizeOf } from '../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Launch, tensorType, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { elementwiseVariants } from '../work-division.ts';
import { type Activation, activationKinds } from './activation-functions.ts';
import { elementwiseLaunch } from './elementwise-launch.ts';

/** Which activation. */
export type ActivationAttrs = { readonly kind: Activation };

/** y = f(x), in place if the gradient does not need x. */
export const activationOp = defineOp({
  name: 'activation',
  inputs: ['x'],
  outputs: ['y'],
  attrs: attrsOf<ActivationAttrs>(),
  shape({ x }) {
    expectType('activation', 'x', x, 'f32');
    return { y: tensorType('f32', x.shape) };
  },
  inPlace: { y: 'x' },
  f16Storage: ['x', 'y'],
  variants: elementwiseVariants,
  launch: ({ x }, { y }, attrs, { shared, variant }) =>
    shared('x', 'y')
      ? [activationLaunch('activation_in_place', variant, attrs, y, {})]
      : [activationLaunch('activation', variant, attrs, y, { x })],
});

/**
 * f(x), element by element; x itself if the kind is none.
 *
 * @example
 * const y = activation(graph, x, 'gelu');
 */
export const activation = (builder: Builder, x: Value, kind: Activation): Value =>
  kind === 'none' ? x : builder.apply(activationOp, { x }, { kind }).y;

/** A dispatch of an activation or its gradient, which computes `out`, bound as y. */
export function activationLaunch(
  entry: string,
  variant: string,
  { kind }: ActivationAttrs,
  out: Value,
  bind: Launch['bind'],
): Launch {
  const { constants, ...rest } = elementwiseLaunch(entry, variant, out, bind);
  return { ...rest, constants: { ...constants, KIND: activationKinds[kind] }, flops: sizeOf(out.shape) };
}
