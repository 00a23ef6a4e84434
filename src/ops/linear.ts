// Linear layers: y = f(x·wᵀ + b) with PyTorch's weight layout, bias and activation in the product's epilogue.

import { check } from '../errors.ts';
import { matrixOf, show, type TensorType } from '../tensor.ts';
import { activationBackwardOp } from './activation.ts';
import { type Activation, activate, keepsInput } from './activation-functions.ts';
import { expectType, inputAt } from './expect.ts';
import { linearBackward } from './linear-backward.ts';
import { type KernelName, productKernels, productLaunches, type Sizes } from './matmul-kernels.ts';
import { type Builder, defineOp, type Value } from './op.ts';

/** What follows the product. */
export type LinearAttrs = { readonly activation: Activation; readonly bias: boolean };

/**
 * Inputs x [..,I], w [O,I] and, with `bias`, b [O]; outputs y [..,O] and, where the activation's gradient needs it (GELU, SiLU), what
 * the activation was taken of, z [..,O].
 */
export const linearOp = defineOp<LinearAttrs>({
  name: 'linear',
  shape(inputs, { activation, bias }) {
    const x = inputAt('linear', inputs, 0, 'x');
    const w = inputAt('linear', inputs, 1, 'w');
    expectType('linear', 'x', x, 'f32');
    expectType('linear', 'w', w, 'f32');
    const { cols } = matrixOf(x.shape);
    const fits = w.shape.length === 2 && w.shape[1] === cols;
    check(fits, () => `linear: inner sizes differ, x ${show(x.shape)} · w ${show(w.shape)}ᵀ`);
    const outs = w.shape[0]!;
    if (bias) expectType('linear', 'b', inputAt('linear', inputs, 2, 'b'), 'f32', [outs], `w is ${show(w.shape)}`);
    const y: TensorType = { dtype: 'f32', shape: [...x.shape.slice(0, -1), outs] };
    return keepsInput(activation) ? [y, y] : [y];
  },
  half: () => ({ inputs: [0, 1], outputs: [0, 1] }),
  variants: ({ inputs }, traits) => productKernels(sizesOf(inputs), traits),
  launch({ attrs: { activation }, inputs, outputs }, context) {
    const [x, w, bias] = inputs as [Value, Value, Value?];
    const [y, z] = outputs as [Value, Value?];
    const product = { ...sizesOf(inputs), a: x, b: w, c: y, bias, activation, kept: z };
    return productLaunches(product, context.variant as KernelName, context);
  },
  grad(builder, { attrs: { activation }, inputs, outputs: [y, z] }, [dy, keptGradient]) {
    if (keptGradient) throw new Error('linear: z is for the gradient of y, it has none of its own');
    const [x, w, b] = inputs as [Value, Value, Value?];
    if (!dy) return [];
    const dz =
      activation === 'none' ? dy : builder.apply(activationBackwardOp, [z ?? y!, dy], { kind: activation })[0]!;
    const wants = { dx: builder.needs(x), dw: builder.needs(w), db: b !== undefined && builder.needs(b) };
    const { dx, dw, db } = linearBackward(builder, dz, x, w, wants);
    return [dx, dw, db];
  },
  reference({ attrs: { activation, bias }, inputs: [x, w, b], outputs: [y, z] }) {
    const { rows, cols } = matrixOf(x!.shape);
    const outs = w!.shape[0]!;
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < outs; j++) {
        let sum = bias ? b!.data[j]! : 0;
        for (let k = 0; k < cols; k++) sum += x!.data[i * cols + k]! * w!.data[j * cols + k]!;
        y!.data[i * outs + j] = activate(sum, activation);
        if (z) z.data[i * outs + j] = sum;
      }
  },
});

/** f(x·wᵀ + b): x [..,I], w [O,I], b [O] or nothing; y [..,O]. */
export function linear(builder: Builder, x: Value, w: Value, b?: Value, activation: Activation = 'none'): Value {
  return builder.apply(linearOp, b ? [x, w, b] : [x, w], { activation, bias: b !== undefined })[0]!;
}

function sizesOf([x, w]: readonly Value[]): Sizes {
  const { rows, cols } = matrixOf(x!.shape);
  return { form: 'NT', m: rows, n: w!.shape[0]!, k: cols };
}
