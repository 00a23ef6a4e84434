// The output projection and its cross-entropy in chunks of rows, so that the logits [B·T, V] never exist as a
// whole. Rows of logits are padded to whole vectors. In training the gradient of a chunk overwrites its
// logits, and all gradients are computed with the loss, by the kernels of linear, cross_entropy and
// linear_backward. Evaluation runs only those of linear and cross_entropy. Packed and frozen weights have no
// gradient.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, matrixOf, type Shape, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import { linearOp } from '../matmul/linear.ts';
import { backwardKernels, backwardLaunches } from '../matmul/linear-backward.ts';
import { naiveProduct, type ProductVariant, productKernels } from '../matmul/matmul-kernels.ts';
import { fittingRows, type PackedRows, packedLinearOp, packedRows } from '../matmul/packed-linear.ts';
import { packedBackwardKernels, packedLinearBackwardOp } from '../matmul/packed-linear-backward.ts';
import type { PackedFormat } from '../matmul/packed-weights.ts';
import { attrsOf, defineOp, type Launch, sampleIds, type TensorTypes, type Value } from '../op.ts';
import { type RowGroup, rowByThread, rowReductionsFor, viewOf, wholeVectors } from '../work-division.ts';
import { type CrossEntropyAttrs, crossEntropyOp } from './cross-entropy.ts';

/**
 * Settings of the loss, whether to compute gradients, and the rows of a chunk, a multiple of 64. `frozen`:
 * only the gradient of x. `format`: w is packed, and so frozen.
 */
export type ProjectedLossAttrs = CrossEntropyAttrs & {
  readonly gradients: boolean;
  readonly rows: number;
  readonly frozen?: boolean;
  readonly format?: PackedFormat;
};

/**
 * x [..,D], w [V,D] (packed: words, and the scales of the format), targets i32 [..], step, b [V]; nll and
 * hit as of cross_entropy and, with `gradients`, dx [..,D], and if w is not frozen dw [V,D] and db [V] if
 * there is a bias: then it may be the root of the backward pass.
 */
export const projectedLossOp = defineOp({
  name: 'projected_loss',
  inputs: ['x', 'w', 'scales?', 'targets', 'step', 'b?'],
  outputs: ['nll', 'hit', 'dx?', 'dw?', 'db?'],
  attrs: attrsOf<ProjectedLossAttrs>(),
  shape({ x, w, scales, targets, step, b }, { gradients, rows, smoothing, ignore, format, frozen = false }) {
    check(rows > 0 && rows % 64 === 0, msg`chunks of ${rows} rows, must be a multiple of 64`, {
      area: 'projected_loss',
    });
    const { y: logits } = format
      ? packedLinearOp.shape({ x, words: w, scales, b }, { format })
      : linearOp.shape({ x, w, b }, { activation: 'none' });
    const { nll, hit } = crossEntropyOp.shape({ logits, targets, step }, { smoothing, ignore, fused: true });
    const f32 = (t: TensorType | undefined) => (gradients && t ? tensorType('f32', t.shape) : undefined);
    const trained = !format && !frozen;
    return { nll, hit, dx: f32(x), dw: trained ? f32(w) : undefined, db: trained ? f32(b) : undefined };
  },
  f16Storage: ['x', 'w', 'dx'],
  // The logits have the type of x; chunks of f16 must start at multiples of 256 bytes too.
  f16StorageIf: ({ x }, { gradients, rows }) => gradients && (rows * matrixOf(x.shape).cols) % 128 === 0,
  naive: naiveProduct,
  variants: ({ x, w }: TensorTypes<'x' | 'w'>, attrs: ProjectedLossAttrs, traits: DeviceTraits) =>
    kernelsFor(x, w, attrs, traits),
  sample: ({ w }, { ignore }) => ({ targets: sampleIds(dim(w, 0), ignore) }),
  modelFlops: ({ x, w }, _outputs, { gradients }) => 2 * sizeOf(x.shape) * dim(w, 0) * (gradients ? 3 : 1),
  launch(
    { x, w, scales, targets, step, b },
    { nll, hit, dx, dw, db },
    { gradients, rows, format, ...loss },
    context,
  ) {
    const { rows: all, cols: ins } = matrixOf(x.shape);
    const outs = dim(w, 0);
    const width = wholeVectors(outs);
    const chunk = context.scratch(x.dtype, [Math.min(rows, all), width]);
    // With packed weights the naive product is also theirs: four rows a thread.
    const { variant } = context;
    const isProduct = 'columns' in variant;
    const plain = { ...context, variant: isProduct ? variant : naiveProduct, shared: () => false };
    const packedVariant = isProduct ? packedRows(4) : variant;
    const fitting = (most: number): PackedRows =>
      format ? packedRows(fittingRows(most, format, context.traits)) : packedRows(most);
    const packed = { ...plain, variant: isProduct ? fitting(4) : packedVariant };
    const product = { ...plain, variant: fitting(packedVariant.rows) };
    const rowGroup = {
      ...plain,
      variant: rowGroupFor(variant, width, context.traits),
      shared: () => gradients,
    };
    const launches: Launch[] = [];
    for (let first = 0; first < all; first += rows) {
      const count = Math.min(rows, all - first);
      const chunkOf = (v: Value, width: Shape) => viewOf(v, first * sizeOf(width), [count, ...width]);
      const logits = viewOf(chunk, 0, [count, width]);
      const xs = chunkOf(x, [ins]);
      launches.push(
        ...(format
          ? packedLinearOp.launch(
              { x: xs, words: w, scales, b },
              { y: logits },
              { format, padded: true },
              product,
            )
          : linearOp.launch({ x: xs, w, b }, { y: logits }, { activation: 'none', padded: true }, plain)),
      );
      // The gradient overwrites the logits. Without gradients nothing reads lse.
      const last = gradients ? { dlogits: logits } : { lse: context.scratch('f32', [count]) };
      launches.push(
        ...crossEntropyOp.launch(
          { logits, targets: chunkOf(targets, []), step },
          { nll: chunkOf(nll, []), hit: chunkOf(hit, []), ...last },
          { ...loss, classes: outs, fused: gradients },
          rowGroup,
        ),
      );
      if (!dx) continue;
      const dxs = chunkOf(dx, [ins]);
      if (format) {
        const inputs = { dy: logits, words: w, scales };
        launches.push(...packedLinearBackwardOp.launch(inputs, { dx: dxs }, { format, ins }, packed));
      } else {
        const chunkGradients = { dx: dxs, dw, db, accumulate: first > 0 };
        launches.push(...backwardLaunches({ dy: logits, x: xs, w, ...chunkGradients }, plain));
      }
    }
    return launches;
  },
});

/**
 * Variants of the gradients if they are computed (the forward product then uses the same), else of the
 * product.
 */
function kernelsFor(
  x: TensorType,
  w: TensorType,
  attrs: ProjectedLossAttrs,
  traits: DeviceTraits,
): readonly (ProductVariant | PackedRows)[] {
  const { rows, cols } = matrixOf(x.shape);
  const [chunk, outs] = [Math.min(rows, attrs.rows), dim(w, 0)];
  if (attrs.format) return packedBackwardKernels(chunk, attrs.format, traits); // variants of the product too
  const kernels = attrs.gradients
    ? backwardKernels(chunk, cols, outs, [x, w], traits)
    : productKernels({ form: 'NT', m: chunk, n: outs, k: cols }, [x, w], traits);
  return kernels.filter(({ slices }) => !slices);
}

/** The row group of the loss: one thread per row if the variant of the products uses no workgroup memory. */
const rowGroupFor = (
  { family }: ProductVariant | PackedRows,
  cols: number,
  traits: DeviceTraits,
): RowGroup =>
  family === 'registers' || family === 'subgroups' || family === 'naive'
    ? rowByThread
    : (rowReductionsFor(cols, traits, true)[0] ?? rowByThread);
