// The gradient of the input of a linear layer with packed weights.

import { dim, matrixOf, sizeOf, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import { attrsOf, defineOp, type TensorTypes } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { hasFewRegisters, subgroupSizeFor } from '../vendor-preferences.ts';
import { samplePadding, wholeVectors } from '../work-division.ts';
import { type PackedAttrs, type PackedRows, packedRows } from './packed-linear.ts';
import {
  expectPacked,
  isInt4,
  type PackedFormat,
  packedBlocks,
  packedConstants,
  packedShader,
  scalesPerRow,
  vecsOf,
} from './packed-weights.ts';

/**
 * Variants of `packedLinearBackwardOp` for `rows` rows. With more rows at once the weights are read less
 * often; int8 and int4 have twice the sums, which do not fit the registers.
 */
export const packedBackwardKernels = (
  rows: number,
  format: PackedFormat,
  traits: DeviceTraits,
): readonly PackedRows[] => {
  if (format !== 'f16') return [packedRows(hasFewRegisters(traits) ? 2 : 4)];
  const isFew = rows <= 4 || traits.software || hasFewRegisters(traits);
  return isFew ? [packedRows(4)] : [packedRows(8), packedRows(4)];
};

/** dy [..,O] (may be padded), words u32 [O, words of I], the scales of the format; dx [..,I] = dy·w. */
export const packedLinearBackwardOp = defineOp({
  name: 'packed_linear_backward',
  inputs: ['dy', 'words', 'scales?'],
  outputs: ['dx'],
  /** How the weights are stored, and the numbers in one of their rows. */
  attrs: attrsOf<PackedAttrs & { readonly ins: number }>(),
  shape({ dy, words, scales }, { format, ins }) {
    const outs = expectPacked('packed_linear_backward', format, words, scales, ins);
    const width = dim(dy, -1) === wholeVectors(outs) ? dim(dy, -1) : outs;
    expectType(
      'packed_linear_backward',
      'dy',
      dy,
      'f32',
      [...dy.shape.slice(0, -1), width],
      'as the packed weights',
    );
    return { dx: tensorType('f32', [...dy.shape.slice(0, -1), ins]) };
  },
  f16Storage: ['dy', 'dx'],
  sample: ({ dy, words }) => ({ dy: samplePadding(dim(words, 0), dim(dy, -1)) }),
  variants: ({ dy }: TensorTypes<'dy'>, { format }: PackedAttrs, traits: DeviceTraits) =>
    packedBackwardKernels(matrixOf(dy.shape).rows, format, traits),
  modelFlops: ({ words }, { dx }) => 2 * sizeOf(dx.shape) * dim(words, 0),
  launch({ dy, words, scales }, { dx }, { format, ins }, { variant, traits }) {
    const { rows, cols: width } = matrixOf(dy.shape);
    const ROWS = variant.rows;
    const vecs = vecsOf(format, ins);
    const sizes = { rows, ins, vecs, scale_words: scalesPerRow(format, ins), width };
    // Two threads share a vector of int4.
    const threads = isInt4(format) ? 2 * vecs : vecs;
    return packedBlocks(words, scales, traits.maxBindingBytes).map(({ first, rows: outs, weights }) => ({
      shader: packedShader('packed-linear', format),
      entry: 'input_gradient',
      constants: { ROWS, ...packedConstants(format) },
      params: { ...sizes, outs, bias: 0, first, accumulate: first > 0 ? 1 : 0 },
      bind: { dy, ...weights, dx },
      grid: [Math.ceil(threads / 32), Math.ceil(rows / ROWS), 1],
      subgroupSize: subgroupSizeFor(traits),
      flops: 2 * rows * outs * ins,
    }));
  },
});
