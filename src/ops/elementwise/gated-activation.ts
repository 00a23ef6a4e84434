// The gated activation of a feed-forward network: f(a) ⊙ b, where each row of the input holds a and then b (Shazeer,
// 2020, "GLU Variants Improve Transformer").

import { check } from '../../core/errors.ts';
import { matrixOf, type Shape, show } from '../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, dim, gridOf, type Launch, tensorType, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { rowGroupOf, rowGroupsFor, shaderFor } from '../work-division.ts';
import type { ActivationAttrs } from './activation.ts';
import { type Activation, activate, activationDerivative, activationKinds } from './activation-functions.ts';

const widthOf = (x: { readonly shape: Shape }): number => dim(x, -1) / 2;

/** x [..,2F]; y [..,F] = f(x[..,0..F]) · x[..,F..2F]. y stays f32: in T5 it exceeds float16. */
export const gatedActivationOp = defineOp({
  name: 'gated_activation',
  inputs: ['x'],
  outputs: ['y'],
  attrs: attrsOf<ActivationAttrs>(),
  shape({ x }) {
    expectType('gated_activation', 'x', x, 'f32');
    check(dim(x, -1) % 2 === 0, () => `gated_activation: x is ${show(x.shape)}, its last axis must be even`);
    return { y: tensorType('f32', [...x.shape.slice(0, -1), widthOf(x)]) };
  },
  f16Storage: ['x'],
  variants: ({ x }) => rowGroupsFor(widthOf(x)),
  launch: ({ x }, { y }, attrs, { variant }) => [launch('gated_activation', y.shape, attrs, variant, { x, y })],
  grad: (builder, { x }, _outputs, { y: dy }, attrs) => ({
    x: dy && builder.apply(gatedActivationBackwardOp, { x, dy }, attrs).dx,
  }),
  reference({ x }, { y }, { kind }) {
    for (let r = 0; r < y.rows; r++)
      for (let c = 0; c < y.cols; c++) y.set(r, c, activate(x.at(r, c), kind) * x.at(r, y.cols + c));
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
    expectType('gated_activation_backward', 'dy', dy, 'f32', [...x.shape.slice(0, -1), widthOf(x)], 'half of x');
    return { dx: tensorType('f32', x.shape) };
  },
  f16Storage: ['x', 'dy', 'dx'],
  variants: ({ x }) => rowGroupsFor(widthOf(x)),
  launch: ({ x, dy }, { dx }, attrs, { variant }) => [
    launch('gated_activation_backward', dy.shape, attrs, variant, { x, dy, dx }),
  ],
  reference({ x, dy }, { dx }, { kind }) {
    for (let r = 0; r < dy.rows; r++)
      for (let c = 0; c < dy.cols; c++) {
        const [a, b, d] = [x.at(r, c), x.at(r, dy.cols + c), dy.at(r, c)];
        dx.set(r, c, d * b * activationDerivative(a, kind));
        dx.set(r, dy.cols + c, d * activate(a, kind));
      }
  },
});

function launch(entry: string, shape: Shape, { kind }: ActivationAttrs, variant: string, bind: Launch['bind']): Launch {
  const { rows, cols } = matrixOf(shape);
  const rowGroup = rowGroupOf(variant);
  return {
    shader: shaderFor('gated-activation', cols),
    entry,
    constants: { ...rowGroup, KIND: activationKinds[kind] },
    params: { rows, cols },
    bind,
    grid: gridOf(rows, rowGroup.ROWS),
    flops: 2 * rows * cols,
  };
}

/**
 * f(a) ⊙ b for x [..,2F], whose rows hold a and then b: [..,F].
 *
 * @example
 * const y = gatedActivation(graph, graph.input('x', 'f32', [32, 128]), 'gelu-tanh'); // [32, 64]
 */
export const gatedActivation = (builder: Builder, x: Value, kind: Activation): Value =>
  builder.apply(gatedActivationOp, { x }, { kind }).y;
