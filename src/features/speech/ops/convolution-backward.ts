// The gradients of the weights and the bias of a convolution: a product of the gradient of its output with the
// windows of its input. That of the input is a convolution too; see the gradient in convolution.ts.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../../../engine/ops/device-traits.ts';
import { backwardKernels, backwardLaunches } from '../../../engine/ops/matmul/linear-backward.ts';
import { naiveProduct } from '../../../engine/ops/matmul/matmul-kernels.ts';
import { attrsOf, defineOp, type Launch, type TensorTypes, type Value } from '../../../engine/ops/op.ts';
import { expectType } from '../../../engine/ops/type-checks.ts';
import { ofWindows } from './windows.ts';

/** `length`: number of windows of a row of the batch. */
export type ConvolutionBackwardAttrs = {
  readonly taps: number;
  readonly stride: number;
  readonly length: number;
  readonly db: boolean;
};

/** Windows of the whole batch, as if it were one row: dy is zero for those that cross its rows. */
const windowsOf = (dy: { readonly shape: readonly number[] }, { length }: ConvolutionBackwardAttrs): number =>
  ((dy.shape[0] ?? 1) - 1) * (dy.shape[1] ?? 0) + length;

/**
 * dy [B,R,D], zero after `length` frames of each row, x [B,stride·R,C]; dw [D,K·C] and, if wanted, db [D].
 */
export const convolutionBackwardOp = defineOp({
  name: 'convolution_backward',
  inputs: ['dy', 'x'],
  outputs: ['dw', 'db?'],
  attrs: attrsOf<ConvolutionBackwardAttrs>(),
  shape({ dy, x }, { taps, stride, length, db }) {
    const [B = 0, R = 0, D = 0] = dy.shape;
    expectType('convolution_backward', 'dy', dy, 'f32');
    expectType('convolution_backward', 'x', x, 'f32', [B, stride * R, dim(x, 2)], `dy is ${show(dy.shape)}`);
    check(
      (length - 1) * stride + taps <= stride * R,
      () => msg`${length} windows do not fit in x ${show(x.shape)}`,
      { area: 'convolution_backward' },
    );
    return {
      dw: tensorType('f32', [D, taps * dim(x, 2)]),
      db: db ? tensorType('f32', [D]) : undefined,
    };
  },
  f16Storage: ['dy', 'x'],
  naive: naiveProduct,
  // No window that crosses rows may count, as in a run.
  sample: ({ dy }, { length }) => {
    const [, rows = 1, width = 1] = dy.shape;
    return { dy: (i) => (Math.floor(i / width) % rows < length ? undefined : 0) };
  },
  variants: ({ dy, x }: TensorTypes<'dy' | 'x'>, attrs: ConvolutionBackwardAttrs, traits: DeviceTraits) =>
    backwardKernels(windowsOf(dy, attrs), attrs.taps * dim(x, 2), dim(dy, 2), [dy, x], traits),
  modelFlops: ({ dy, x }, _outputs, attrs) =>
    2 * dim(dy, 0) * attrs.length * dim(dy, 2) * attrs.taps * dim(x, 2),
  launch({ dy, x }, { dw, db }, attrs, context) {
    const [rows, width, channels] = [windowsOf(dy, attrs), dim(dy, 2), dim(x, 2)];
    const inner = attrs.taps * channels;
    // The tensors as matrices; launches bind the tensors themselves.
    const [dyMatrix, windows] = [
      { ...dy, shape: [rows, width] },
      { ...x, shape: [rows, inner] },
    ];
    const weights = { ...x, shape: [width, inner] }; // read for the gradient of the input only
    const bound = new Map<Value | undefined, Value | undefined>([
      [dyMatrix, dy],
      [windows, x],
      [weights, undefined],
    ]);
    const ldb = attrs.stride * channels;
    return backwardLaunches({ dy: dyMatrix, x: windows, w: weights, dw, db }, context).map((launch) => {
      const binds = Object.entries(launch.bind).map(([name, v]) => [name, bound.has(v) ? bound.get(v) : v]);
      // In slices of K, `k` is the number of windows of a slice.
      const slices: Launch['params'] =
        launch.entry === 'linear_backward' ? {} : { b_batch: ldb * (launch.params?.k ?? 0) };
      return ofWindows(
        { ...launch, bind: Object.fromEntries(binds) },
        {
          constants: { B_VECTORS: channels % 4 === 0 ? 1 : 0 },
          params: { ldb, ...slices },
        },
      );
    });
  },
  reference: ({ dy, x }, { dw, db }, { stride, length }) => {
    const [B, R, P, C] = [dy.dim(0), dy.dim(1), x.dim(1), x.dim(2)];
    for (let row = 0; row < B; row++)
      for (let t = 0; t < length; t++)
        for (let d = 0; d < dy.cols; d++) {
          const g = dy.at(row * R + t, d);
          db?.add(d, g);
          for (let i = 0; i < dw.cols; i++) dw.add(d, i, g * x.at((row * P + t * stride) * C + i));
        }
  },
});
