// The gated activation of a feed-forward network: f(a) ⊙ b, where each row of the input holds a and then b
// (Shazeer, 2020, "GLU Variants Improve Transformer").

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, matrixOf, type Shape, show, tensorType } from '../../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Launch, type TensorTypes, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { gridOf, type RowGroup, rowConstants, rowGroupsFor, shaderFor } from '../work-division.ts';
import { type Activation, type ActivationAttrs, activationKinds } from './elementwise-ops.ts';

/** Width of the output of a gated activation of x. */
export const gatedWidth = (x: { readonly shape: Shape }): number => dim(x, -1) / 2;

/** x [..,2F]; y [..,F] = f(x[..,0..F]) · x[..,F..2F]. y stays f32: in T5 it exceeds float16. */
export const gatedActivationOp = defineOp({
  name: 'gated_activation',
  inputs: ['x'],
  outputs: ['y'],
  attrs: attrsOf<ActivationAttrs>({ kind: 'string' }),
  shape({ x }) {
    expectType('gated_activation', 'x', x, 'f32');
    check(dim(x, -1) % 2 === 0, () => msg`x is ${show(x.shape)}, its last axis must be even`, {
      area: 'gated_activation',
    });
    return { y: tensorType('f32', [...x.shape.slice(0, -1), gatedWidth(x)]) };
  },
  f16Storage: ['x'],
  variants: ({ x }: TensorTypes<'x'>) => rowGroupsFor(gatedWidth(x)),
  launch: ({ x }, { y }, attrs, { variant }) => [
    gatedLaunch('gated_activation', y.shape, attrs, variant, { x, y }),
  ],
});

/** A dispatch of shaders/elementwise/gated-activation.wgsl. */
export function gatedLaunch(
  entry: string,
  shape: Shape,
  { kind }: ActivationAttrs,
  variant: RowGroup,
  bind: Launch['bind'],
): Launch {
  const { rows, cols } = matrixOf(shape);
  return {
    shader: shaderFor('gated-activation', cols),
    entry,
    constants: { ...rowConstants(variant), KIND: activationKinds[kind] },
    params: { rows, cols },
    bind,
    grid: gridOf(rows, variant.rows),
    flops: 2 * rows * cols,
  };
}

/** f(a) ⊙ b for x [..,2F], whose rows hold a and then b: [..,F]. */
export const gatedActivation = (builder: Builder, x: Value, kind: Activation): Value =>
  builder.apply(gatedActivationOp, { x }, { kind }).y;
