// ReLU, GELU and SiLU as ops of their own. After a matrix product its epilogue computes them instead.

import { check } from '../../core/errors.ts';
import { sameShape, show, sizeOf } from '../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Launch, tensorType, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { elementwise, elementwiseVariants } from '../work-division.ts';
import {
  type Activation,
  activate,
  activationDerivative,
  activationKinds,
  keepsInput,
} from './activation-functions.ts';

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
      ? [launch('activation_in_place', variant, attrs, y, { y })]
      : [launch('activation', variant, attrs, y, { x, y })],
  grad: (builder, { x }, { y }, { y: dy }, attrs) => ({
    x: dy && builder.apply(activationBackwardOp, { x: keepsInput(attrs.kind) ? x : y, dy }, attrs).dx,
  }),
  reference({ x }, { y }, { kind }) {
    for (let i = 0; i < y.size; i++) y.set(i, activate(x.at(i), kind));
  },
});

/** dx = f'(x)·dy; for ReLU x may be the output y. dx may take the memory of dy. */
export const activationBackwardOp = defineOp({
  name: 'activation_backward',
  inputs: ['x', 'dy'],
  outputs: ['dx'],
  attrs: attrsOf<ActivationAttrs>(),
  shape({ x, dy }) {
    expectType('activation_backward', 'x', x, 'f32');
    check(
      sameShape(x.shape, dy.shape),
      `activation_backward: shapes differ, x ${show(x.shape)} and dy ${show(dy.shape)}`,
    );
    return { dx: tensorType('f32', x.shape) };
  },
  inPlace: { dx: 'dy' },
  f16Storage: ['x', 'dy', 'dx'],
  variants: elementwiseVariants,
  launch: ({ x, dy }, { dx }, attrs, { shared, variant }) =>
    shared('dy', 'dx')
      ? [launch('activation_backward_in_place', variant, attrs, dx, { x, dx })]
      : [launch('activation_backward', variant, attrs, dx, { x, dy, dx })],
  reference({ x, dy }, { dx }, { kind }) {
    for (let i = 0; i < dx.size; i++) dx.set(i, dy.at(i) * activationDerivative(x.at(i), kind));
  },
});

/**
 * f(x), element by element; x itself if the kind is none.
 *
 * @example
 * const y = activation(graph, x, 'gelu');
 */
export const activation = (builder: Builder, x: Value, kind: Activation): Value =>
  kind === 'none' ? x : builder.apply(activationOp, { x }, { kind }).y;

function launch(entry: string, variant: string, { kind }: ActivationAttrs, out: Value, bind: Launch['bind']): Launch {
  const count = sizeOf(out.shape);
  const { constants, grid } = elementwise(variant, count);
  const all = { ...constants, KIND: activationKinds[kind] };
  return { shader: 'activation', entry, constants: all, params: { count }, bind, grid, flops: count };
}
