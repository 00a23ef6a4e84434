// The gradients of matrix products and linear layers. Only the backward pass loads this file.

import { matrixOf } from '../../../core/tensor.ts';
import { activationBackwardOp } from '../elementwise/activation-backward.ts';
import { dropout } from '../elementwise/elementwise-ops.ts';
import type { Value } from '../op.ts';
import { type GradientsOf, gradient } from '../op-gradient.ts';
import type * as linearModule from './linear.ts';
import { linearOp } from './linear.ts';
import { linearBackward } from './linear-backward.ts';
import type * as matmulModule from './matmul.ts';
import { matmul, matmulOp } from './matmul.ts';
import type { Form } from './matmul-kernels.ts';
import type * as packedLinearModule from './packed-linear.ts';
import { packedLinearOp } from './packed-linear.ts';
import { packedLinearBackwardOp } from './packed-linear-backward.ts';

/** The gradient of each op of the family that has one. */
export const matmulGradients = {
  matmulOp: gradient(matmulOp, (builder, { a, b }, _outputs, { c: dc }, { transA, transB, batched }) => {
    if (!dc) return {};
    const product = (x: Value, y: Value, form: Form) =>
      matmul(builder, x, y, { transA: form === 'TN', transB: form === 'NT', batched });
    const da = () => (transA ? product(b, dc, 'NT') : product(dc, b, transB ? 'NN' : 'NT'));
    const db = () => (transB ? product(dc, a, 'TN') : product(a, dc, transA ? 'NN' : 'TN'));
    return { a: builder.needs(a) ? da() : undefined, b: builder.needs(b) ? db() : undefined };
  }),
  linearOp: gradient(
    linearOp,
    (builder, { x, w, b, step }, { y, z }, { y: dy, z: dz }, { activation: kind, rate = 0, site = 0 }) => {
      if (dz) throw new Error('linear: z is for the gradient of y, it has no gradient of its own');
      if (!dy) return {};
      const dActivated = step ? dropout(builder, dy, step, { rate, site }) : dy;
      // Where y is dropped, ReLU's derivative at y is 0, but so is dActivated.
      const dProduct =
        kind === 'none'
          ? dActivated
          : builder.apply(activationBackwardOp, { x: z ?? y, dy: dActivated }, { kind }).dx;
      const wanted = { dx: builder.needs(x), dw: builder.needs(w), db: b !== undefined && builder.needs(b) };
      const { dx, dw, db } = linearBackward(builder, dProduct, x, w, wanted);
      return { x: dx, w: dw, b: db };
    },
  ),
  packedLinearOp: gradient(
    packedLinearOp,
    (builder, { x, words, scales }, _outputs, { y: dy }, { format }) => {
      if (!dy || !builder.needs(x)) return {};
      const ins = matrixOf(x.shape).cols;
      return { x: builder.apply(packedLinearBackwardOp, { dy, words, scales }, { format, ins }).dx };
    },
  ),
} satisfies GradientsOf<typeof matmulModule & typeof linearModule & typeof packedLinearModule>;
