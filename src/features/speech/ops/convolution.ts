// Convolutions over time as matrix products. With frames x [P,C] one after another in memory, a window of K
// frames is K·C numbers in a row, and the next window starts stride·C numbers later. So the windows are the rows
// of a matrix that overlap, which the kernels of matrix products read in place.

import { dim, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../../../engine/ops/device-traits.ts';
import { activationBackwardOp } from '../../../engine/ops/elementwise/activation-backward.ts';
import { activate } from '../../../engine/ops/elementwise/activation-references.ts';
import { type Activation, keepsInput } from '../../../engine/ops/elementwise/elementwise-ops.ts';
import { naiveProduct, productKernels, type Sizes } from '../../../engine/ops/matmul/matmul-kernels.ts';
import { productLaunches } from '../../../engine/ops/matmul/matmul-launches.ts';
import { attrsOf, type Builder, defineOp, type TensorTypes, type Value } from '../../../engine/ops/op.ts';
import { expectType } from '../../../engine/ops/type-checks.ts';
import { arrangeTaps, transposedTaps } from './arrange-taps.ts';
import { convolutionBackwardOp } from './convolution-backward.ts';
import { moveFrames } from './move-frames.ts';
import { checkWindows, ofWindows, windowFrames } from './windows.ts';

/** `length`: number of windows of a row of the batch; `activation` acts on the sum with the bias. */
export type ConvolutionAttrs = {
  readonly stride: number;
  readonly length: number;
  readonly activation: Activation;
};

const sizesOf = (x: TensorType, w: TensorType, { length }: Pick<ConvolutionAttrs, 'length'>): Sizes => ({
  form: 'NT',
  m: length,
  n: dim(w, 0),
  k: dim(w, 1),
  batch: dim(x, 0),
});

/**
 * x [B,P,C], zero frames at its ends included, w [D,K·C] in the order of a window, b [D]; y [B,length,D] = f(x∗w
 * + b) and, if the gradient of f needs it, its input z.
 */
export const convolutionOp = defineOp({
  name: 'convolution',
  inputs: ['x', 'w', 'b?'],
  outputs: ['y', 'z?'],
  attrs: attrsOf<ConvolutionAttrs>(),
  shape({ x, w, b }, attrs) {
    checkWindows('convolution', x, w, attrs);
    if (b) expectType('convolution', 'b', b, 'f32', [dim(w, 0)], `w is ${show(w.shape)}`);
    const y = tensorType('f32', [dim(x, 0), attrs.length, dim(w, 0)]);
    return { y, z: keepsInput(attrs.activation) ? y : undefined };
  },
  f16Storage: ['x', 'y', 'z'],
  naive: naiveProduct,
  variants: (
    { x, w }: TensorTypes<'x' | 'w'>,
    attrs: Pick<ConvolutionAttrs, 'length'>,
    traits: DeviceTraits,
  ) => productKernels(sizesOf(x, w, attrs), [x, w], traits),
  modelFlops: ({ w }, { y }) => (2 * sizeOf(y.shape) * sizeOf(w.shape)) / dim(w, 0),
  launch({ x, w, b }, { y, z }, attrs, context) {
    const [, frames = 0, channels = 0] = x.shape;
    const product = { ...sizesOf(x, w, attrs), a: x, lda: attrs.stride * channels, b: w, c: y };
    const epilogue = { bias: b, activation: attrs.activation, activationInput: z };
    return productLaunches({ ...product, ...epilogue }, context).map((launch) =>
      ofWindows(launch, {
        constants: { A_VECTORS: channels % 4 === 0 ? 1 : 0 },
        // Slices of K have their own distance.
        params: launch.params?.k_total === wholeK ? { a_batch: frames * channels, b_batch: 0 } : {},
      }),
    );
  },
  grad: (builder, { x, w, b }, { y, z }, { y: dy, z: dz }, { stride, length, activation: kind }) => {
    if (dz) throw new Error('convolution: z is for the gradient of y, it has no gradient of its own');
    if (!dy) return {};
    const [taps, width] = [windowFrames(x, w), dim(w, 0)];
    const d = kind === 'none' ? dy : builder.apply(activationBackwardOp, { x: z ?? y, dy }, { kind }).dx;
    const inputGradient = () => {
      // Frame stride·q + i of x got window q - t through tap stride·t + i.
      const earlier = transposedTaps({ taps, stride }) - 1;
      const v = arrangeTaps(builder, w, { order: 'transposed', taps, stride });
      const groups = Math.ceil(((length - 1) * stride + taps) / stride);
      const spread = moveFrames(builder, d, { first: earlier, length: groups + earlier, width });
      const dx = convolution(builder, spread, v, undefined, {
        stride: 1,
        length: groups,
        activation: 'none',
      });
      return moveFrames(builder, dx, { first: 0, length: dim(x, 1), width: dim(x, 2) });
    };
    const weightGradients = () => {
      const frames = dim(x, 1) / stride;
      const rows = moveFrames(builder, d, { first: 0, length: frames, width });
      const db = b !== undefined && builder.needs(b);
      return builder.apply(convolutionBackwardOp, { dy: rows, x }, { taps, stride, length, db });
    };
    const { dw, db } =
      builder.needs(w) || (b && builder.needs(b)) ? weightGradients() : { dw: undefined, db: undefined };
    return { x: builder.needs(x) ? inputGradient() : undefined, w: dw, b: db };
  },
  reference: ({ x, w, b }, { y, z }, { stride, length, activation }) => {
    const [B, P, C] = [x.dim(0), x.dim(1), x.dim(2)];
    for (let row = 0; row < B; row++)
      for (let t = 0; t < length; t++)
        for (let d = 0; d < w.rows; d++) {
          let sum = b?.at(d) ?? 0;
          for (let i = 0; i < w.cols; i++) sum += x.at((row * P + t * stride) * C + i) * w.at(d, i);
          y.set(row, t, d, activate(sum, activation));
          z?.set(row, t, d, sum);
        }
  },
});

const wholeK = 0xffffffff;

/** f(x∗w + b): x [B,P,C] with its zero frames, w [D,K·C], b [D] or nothing; y [B,length,D]. */
export const convolution = (
  builder: Builder,
  x: Value,
  w: Value,
  b: Value | undefined,
  attrs: ConvolutionAttrs,
): Value => builder.apply(convolutionOp, { x, w, b }, attrs).y;
