// ReLU, GELU and SiLU as ops of their own. After a matrix product its epilogue computes them instead.

import { sizeOf } from '../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Launch, tensorType, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { elementwise, elementwiseVariants } from '../work-division.ts';
import { type Activation, activationKinds } from './activation-functions.ts';

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
      ? [activationLaunch('activation_in_place', variant, attrs, y, { y })]
      : [activationLaunch('activation', variant, attrs, y, { x, y })],
});

/**
 * f(x), element by element; x itself if the kind is none.
 *
 * @example
 * const y = activation(graph, x, 'gelu');
 */
export const activation = (builder: Builder, x: Value, kind: Activation): Value =>
  kind === 'none' ? x : builder.apply(activationOp, { x }, { kind }).y;

/** A dispatch of shaders/elementwise/activation.wgsl. */
export function activationLaunch(
  entry: string,
  variant: string,
  { kind }: ActivationAttrs,
  out: Value,
  bind: Launch['bind'],
): Launch {
  const count = sizeOf(out.shape);
  const { constants, grid } = elementwise(variant, count);
  const all = { ...constants, KIND: activationKinds[kind] };
  return { shader: 'activation', entry, constants: all, params: { count }, bind, grid, flops: count };
}
