// Linear layers y = dropout(f(x·wᵀ + b)), weights as in PyTorch. The product's epilogue adds b and applies f
// and dropout.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, matrixOf, type Shape, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import {
  type Activation,
  activationKinds,
  type DropoutAttrs,
  keepsInput,
} from '../elementwise/elementwise-ops.ts';
import { applyOp, attrsOf, type Builder, defineOp, type TensorTypes, type Value } from '../op.ts';
import { expectDropout, expectType } from '../type-checks.ts';
import { wholeVectors } from '../work-division.ts';
import { naiveProduct, productKernels, type Sizes } from './matmul-kernels.ts';
import { epilogueDropout, productLaunches } from './matmul-launches.ts';

/**
 * The epilogue of the product after its bias: activation, dropout. `padded`: rows of y are padded with zeros
 * to whole vectors of four numbers; without activation and dropout only.
 */
export type LinearAttrs = {
  readonly activation: Activation;
  readonly padded?: boolean;
} & Partial<DropoutAttrs>;

/**
 * x [..,I], w [O,I], b [O], step if there is dropout; y [..,O] and, if the gradient of the activation needs
 * it (GELU, SiLU), the input of the activation z [..,O]. If `padded`, y is [.., O rounded up to a multiple of
 * 4].
 */
export const linearOp = defineOp({
  name: 'linear',
  inputs: ['x', 'w', 'b?', 'step?'],
  outputs: ['y', 'z?'],
  attrs: attrsOf<LinearAttrs>({ activation: 'string', padded: 'boolean?', rate: 'number?', site: 'number?' }),
  shape({ x, w, b, step }, { activation, padded = false, rate = 0 }) {
    expectType('linear', 'x', x, 'f32');
    expectType('linear', 'w', w, 'f32');
    const fits = w.shape.length === 2 && dim(w, 1) === matrixOf(x.shape).cols;
    check(fits, () => msg`inner sizes differ, x ${show(x.shape)} · w ${show(w.shape)}ᵀ`, { area: 'linear' });
    if (b) expectType('linear', 'b', b, 'f32', [dim(w, 0)], `w is ${show(w.shape)}`);
    check(activation in activationKinds, msg`there is no ${activation}`, { area: 'linear' });
    expectDropout('linear', rate, step);
    check(
      !padded || (activation === 'none' && rate === 0),
      'padded rows have neither activation nor dropout',
      { area: 'linear' },
    );
    const y = tensorType('f32', [...x.shape.slice(0, -1), padded ? wholeVectors(dim(w, 0)) : dim(w, 0)]);
    return { y, z: keepsInput(activation) ? y : undefined };
  },
  f16Storage: ['x', 'w', 'y', 'z'],
  naive: naiveProduct,
  variants: ({ x, w }: TensorTypes<'x' | 'w'>, _attrs: unknown, traits: DeviceTraits) =>
    productKernels(sizesOf(x, w), [x, w], traits),
  modelFlops: ({ x, w }) => 2 * matrixOf(x.shape).rows * sizeOf(w.shape),
  launch({ x, w, b, step }, { y, z }, attrs, context) {
    const { activation } = attrs;
    const epilogue = { bias: b, activation, activationInput: z, dropout: epilogueDropout(step, attrs) };
    return productLaunches({ ...sizesOf(x, w), a: x, b: w, c: y, ldc: dim(y, -1), ...epilogue }, context);
  },
});

/**
 * f(x·wᵀ + b): x [..,I], w [O,I], b [O] or nothing; y [..,O].
 *
 * @example
 * const w = graph.state('w', 'f32', [256, 64]);
 * const y = linear(graph, graph.input('x', 'f32', [32, 64]), w, undefined, 'relu'); // [32, 256]
 */
export const linear = (
  builder: Builder,
  x: Value,
  w: Value,
  b?: Value,
  activation: Activation = 'none',
): Value => applyOp(builder, linearOp, { x, w, b }, { activation }).y;

/**
 * x·wᵀ + b as `linear`, with rows padded with zeros to whole vectors: y [.., O rounded up to a multiple of
 * 4].
 */
export const paddedLinear = (builder: Builder, x: Value, w: Value, b?: Value): Value =>
  applyOp(builder, linearOp, { x, w, b }, { activation: 'none', padded: true }).y;

function sizesOf(x: { readonly shape: Shape }, w: { readonly shape: Shape }): Sizes {
  const { rows, cols } = matrixOf(x.shape);
  return { form: 'NT', m: rows, n: dim(w, 0), k: cols };
}
