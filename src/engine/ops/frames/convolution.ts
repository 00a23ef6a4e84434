// Convolutions over time as matrix products. With frames x [P,C] one after another in memory, a window of K
// frames is K·C numbers in a row, and the next window starts stride·C numbers later. So the windows are the rows
// of a matrix that overlap, which the kernels of matrix products read in place.

import { check } from '../../../core/errors.ts';
import { dim, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import { type Activation, keepsInput } from '../elementwise/elementwise-ops.ts';
import { naiveProduct, productKernels, type Sizes } from '../matmul/matmul-kernels.ts';
import { productLaunches } from '../matmul/matmul-launches.ts';
import { attrsOf, type Builder, defineOp, type Launch, type TensorTypes, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';

/** `length`: number of windows of a row of the batch; `activation` acts on the sum with the bias. */
export type ConvolutionAttrs = {
  readonly stride: number;
  readonly length: number;
  readonly activation: Activation;
};

/** Number of frames of a window. */
export const windowFrames = (x: TensorType, w: TensorType): number => dim(w, 1) / dim(x, 2);

/** Throws a HeddleError unless w [D,K·C] has whole windows of x [B,P,C], and `length` of them fit. */
export function checkWindows(
  op: string,
  x: TensorType,
  w: TensorType,
  { stride, length }: Pick<ConvolutionAttrs, 'stride' | 'length'>,
): void {
  expectType(op, 'x', x, 'f32');
  expectType(op, 'w', w, 'f32');
  const taps = windowFrames(x, w);
  check(
    x.shape.length === 3 && w.shape.length === 2 && Number.isInteger(taps),
    () => `${op}: x ${show(x.shape)} must be [B,P,C] and w ${show(w.shape)} [D,K·C]`,
  );
  check(
    length >= 1 && (length - 1) * stride + taps <= dim(x, 1),
    () => `${op}: ${length} windows of ${taps} frames, ${stride} apart, do not fit in x ${show(x.shape)}`,
  );
}

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
});

const wholeK = 0xffffffff;

/** A launch of a product with other constants and params; `combine`, the sum of slices of K, keeps its own. */
export const ofWindows = (
  launch: Launch,
  { constants, params }: { constants: Record<string, number>; params: Record<string, number> },
): Launch =>
  launch.entry.startsWith('combine')
    ? launch
    : {
        ...launch,
        constants: { ...launch.constants, ...constants },
        params: { ...launch.params, ...params },
      };

/** f(x∗w + b): x [B,P,C] with its zero frames, w [D,K·C], b [D] or nothing; y [B,length,D]. */
export const convolution = (
  builder: Builder,
  x: Value,
  w: Value,
  b: Value | undefined,
  attrs: ConvolutionAttrs,
): Value => builder.apply(convolutionOp, { x, w, b }, attrs).y;
