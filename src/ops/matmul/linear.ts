// Linear layers: y = f(x·wᵀ + b) with PyTorch's weight layout, bias and activation in the product's epilogue.

import { check } from '../../core/errors.ts';
import { matrixOf, show, type TensorType } from '../../core/tensor.ts';
import { dropoutMask } from '../dropout-mask.ts';
import { activationBackwardOp } from '../elementwise/activation.ts';
import { type Activation, activate, keepsInput } from '../elementwise/activation-functions.ts';
import { type DropoutAfter, dropout, dropoutAfter } from '../elementwise/dropout.ts';
import { expectRate, expectStep, expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, type Value } from '../op.ts';
import { readStep } from '../step-scalars.ts';
import { linearBackward } from './linear-backward.ts';
import { type KernelName, productKernels, type Sizes } from './matmul-kernels.ts';
import { productLaunches } from './matmul-launches.ts';

/** What follows the product: bias, activation, dropout. */
export type LinearAttrs = { readonly activation: Activation; readonly bias: boolean } & DropoutAfter;

/**
 * Inputs x [..,I], w [O,I], with `bias` b [O] and with dropout the step; outputs y [..,O] and, where the activation's gradient needs it
 * (GELU, SiLU), what the activation was taken of, z [..,O].
 */
export const linearOp = defineOp<LinearAttrs>({
  name: 'linear',
  shape(inputs, { activation, bias, rate = 0 }) {
    const x = inputAt('linear', inputs, 0, 'x');
    const w = inputAt('linear', inputs, 1, 'w');
    expectType('linear', 'x', x, 'f32');
    expectType('linear', 'w', w, 'f32');
    const { cols } = matrixOf(x.shape);
    const fits = w.shape.length === 2 && w.shape[1] === cols;
    check(fits, () => `linear: inner sizes differ, x ${show(x.shape)} · w ${show(w.shape)}ᵀ`);
    const outs = w.shape[0]!;
    if (bias) expectType('linear', 'b', inputAt('linear', inputs, 2, 'b'), 'f32', [outs], `w is ${show(w.shape)}`);
    expectRate('linear', rate);
    if (rate > 0) expectStep('linear', inputs[bias ? 3 : 2]);
    const y: TensorType = { dtype: 'f32', shape: [...x.shape.slice(0, -1), outs] };
    return keepsInput(activation) ? [y, y] : [y];
  },
  half: () => ({ inputs: [0, 1], outputs: [0, 1] }),
  variants: ({ inputs }, traits) => productKernels(sizesOf(inputs), traits),
  launch({ attrs, inputs, outputs }, context) {
    const [x, w, b] = inputs as [Value, Value, Value?];
    const [y, z] = outputs as [Value, Value?];
    const { activation, bias } = attrs;
    const after = { bias: bias ? b : undefined, activation, kept: z, dropout: dropoutAfter(attrs, inputs) };
    const product = { ...sizesOf(inputs), a: x, b: w, c: y, ...after };
    return productLaunches(product, context.variant as KernelName, context);
  },
  grad(builder, { attrs, inputs, outputs: [y, z] }, [dy, keptGradient]) {
    if (keptGradient) throw new Error('linear: z is for the gradient of y, it has none of its own');
    const [x, w, b] = inputs as [Value, Value, Value?];
    if (!dy) return [];
    const { activation: kind, bias } = attrs;
    const dropped = dropoutAfter(attrs, inputs);
    const da = dropped ? dropout(builder, dy, dropped.step, { rate: dropped.rate, site: dropped.site }) : dy;
    // Where y was dropped ReLU's slope is taken as 0, as da is.
    const dz = kind === 'none' ? da : builder.apply(activationBackwardOp, [z ?? y!, da], { kind })[0]!;
    const wants = { dx: builder.needs(x), dw: builder.needs(w), db: bias && builder.needs(b!) };
    const { dx, dw, db } = linearBackward(builder, dz, x, w, wants);
    return [dx, dw, db];
  },
  reference({ attrs, inputs, outputs: [y, z] }) {
    const [x, w, b] = inputs;
    const { activation, bias } = attrs;
    const dropped = dropoutAfter(attrs, inputs);
    const factor = dropped ? dropoutMask(readStep(dropped.step.data), dropped.site, dropped.rate) : () => 1;
    const { rows, cols } = matrixOf(x!.shape);
    const outs = w!.shape[0]!;
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < outs; j++) {
        let sum = bias ? b!.data[j]! : 0;
        for (let k = 0; k < cols; k++) sum += x!.data[i * cols + k]! * w!.data[j * cols + k]!;
        y!.data[i * outs + j] = activate(sum, activation) * factor(i * outs + j);
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
