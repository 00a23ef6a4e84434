// Linear layers: y = dropout(f(x·wᵀ + b)) with PyTorch's weight layout; bias, activation and dropout are in the
// product's epilogue.

import { check } from '../../core/errors.ts';
import { matrixOf, type Shape, show, sizeOf } from '../../core/tensor.ts';
import { type DropoutAttrs, dropoutFactor } from '../dropout-mask.ts';
import { activationBackwardOp } from '../elementwise/activation.ts';
import { type Activation, activate, keepsInput } from '../elementwise/activation-functions.ts';
import { dropout } from '../elementwise/dropout.ts';
import { attrsOf, type Builder, defineOp, dim, tensorType, type Value } from '../op.ts';
import { expectDropout, expectType } from '../type-checks.ts';
import { linearBackward } from './linear-backward.ts';
import { productKernels, type Sizes } from './matmul-kernels.ts';
import { epilogueDropout, productLaunches } from './matmul-launches.ts';

/** The epilogue of the product after its bias: activation, dropout. */
export type LinearAttrs = { readonly activation: Activation } & Partial<DropoutAttrs>;

/**
 * x [..,I], w [O,I], b [O], step if there is dropout; y [..,O] and, if the gradient of the activation needs it (GELU,
 * SiLU), the input of the activation z [..,O].
 */
export const linearOp = defineOp({
  name: 'linear',
  inputs: ['x', 'w', 'b?', 'step?'],
  outputs: ['y', 'z?'],
  attrs: attrsOf<LinearAttrs>(),
  shape({ x, w, b, step }, { activation, rate = 0 }) {
    expectType('linear', 'x', x, 'f32');
    expectType('linear', 'w', w, 'f32');
    const fits = w.shape.length === 2 && dim(w, 1) === matrixOf(x.shape).cols;
    check(fits, () => `linear: inner sizes differ, x ${show(x.shape)} · w ${show(w.shape)}ᵀ`);
    if (b) expectType('linear', 'b', b, 'f32', [dim(w, 0)], `w is ${show(w.shape)}`);
    expectDropout('linear', rate, step);
    const y = tensorType('f32', [...x.shape.slice(0, -1), dim(w, 0)]);
    return { y, z: keepsInput(activation) ? y : undefined };
  },
  f16Storage: ['x', 'w', 'y', 'z'],
  naive: 'naive',
  variants: ({ x, w }, _attrs, traits) => productKernels(sizesOf(x, w), [x, w], traits),
  modelFlops: ({ x }, { y }) => 2 * sizeOf(y.shape) * dim(x, -1),
  launch({ x, w, b, step }, { y, z }, attrs, context) {
    const { activation } = attrs;
    const epilogue = { bias: b, activation, activationInput: z, dropout: epilogueDropout(step, attrs) };
    return productLaunches({ ...sizesOf(x, w), a: x, b: w, c: y, ...epilogue }, context);
  },
  grad(builder, { x, w, b, step }, { y, z }, { y: dy, z: dz }, { activation: kind, rate = 0, site = 0 }) {
    if (dz) throw new Error('linear: z is for the gradient of y, it has no gradient of its own');
    if (!dy) return {};
    const dActivated = step ? dropout(builder, dy, step, { rate, site }) : dy;
    // Where y is dropped, ReLU's derivative at y is 0, but so is dActivated.
    const dProduct =
      kind === 'none' ? dActivated : builder.apply(activationBackwardOp, { x: z ?? y, dy: dActivated }, { kind }).dx;
    const wanted = { dx: builder.needs(x), dw: builder.needs(w), db: b !== undefined && builder.needs(b) };
    const { dx, dw, db } = linearBackward(builder, dProduct, x, w, wanted);
    return { x: dx, w: dw, b: db };
  },
  reference({ x, w, b, step }, { y, z }, attrs) {
    const factor = dropoutFactor(step, attrs);
    for (let i = 0; i < x.rows; i++)
      for (let j = 0; j < w.rows; j++) {
        let sum = b?.at(j) ?? 0;
        for (let k = 0; k < x.cols; k++) sum += x.at(i, k) * w.at(j, k);
        y.set(i, j, activate(sum, attrs.activation) * factor(i * w.rows + j));
        z?.set(i, j, sum);
      }
  },
});

/**
 * f(x·wᵀ + b): x [..,I], w [O,I], b [O] or nothing; y [..,O].
 *
 * @example
 * const w = graph.state('w', 'f32', [256, 64]);
 * const y = linear(graph, graph.input('x', 'f32', [32, 64]), w, undefined, 'relu'); // [32, 256]
 */
export function linear(builder: Builder, x: Value, w: Value, b?: Value, activation: Activation = 'none'): Value {
  return builder.apply(linearOp, { x, w, b }, { activation }).y;
}

function sizesOf(x: { readonly shape: Shape }, w: { readonly shape: Shape }): Sizes {
  const { rows, cols } = matrixOf(x.shape);
  return { form: 'NT', m: rows, n: dim(w, 0), k: cols };
}
