// Linear layers whose weights are stored in 16, 8 or 4 bits and unpacked as they are read. Only the input has a
// gradient.

import { dim, matrixOf, sizeOf, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import {
  applyOp,
  attrsOf,
  type Builder,
  defineOp,
  type TensorTypes,
  type Value,
  type Variant,
} from '../op.ts';
import { expectType } from '../type-checks.ts';
import { hasFewRegisters, prefersSubgroupRows, subgroupSizeFor } from '../vendor-preferences.ts';
import { wholeVectors } from '../work-division.ts';
import { dotsColumns, dotsRows, hasSubgroupDots, lanesConstants, maxDots } from './matmul-kernels.ts';
import {
  expectPacked,
  fillsVectors,
  isInt4,
  type PackedFormat,
  packedBlocks,
  packedConstants,
  packedShader,
  scalesPerRow,
  vecsOf,
} from './packed-weights.ts';

/** A kernel of packed weights for `rows` rows of x: by threads of their own, or by workgroups that share K. */
export interface PackedVariant extends Variant {
  readonly family: 'dots' | 'rows';
  readonly rows: number;
  /** Threads of a subgroup that adds up what its threads have of K; absent: in workgroup memory. */
  readonly lanes?: number;
  /** Whether loops over the parts of a word stay loops. */
  readonly rolled?: boolean;
}

/** The rows of a thread. */
export interface PackedRows extends PackedVariant {
  readonly family: 'rows';
}

/** A kernel with so many rows a thread. */
export const packedRows = (rows: number): PackedRows => ({ name: `rows-${rows}`, family: 'rows', rows });

/** Fewer rows of a thread for GPUs with few registers: unpacking weights takes some too, int4 most. */
export function fittingRows(rows: number, format: PackedFormat, traits: DeviceTraits): number {
  if (!hasFewRegisters(traits)) return rows;
  return isInt4(format) ? 1 : Math.min(rows, 2);
}

const rolledRows = (variant: PackedRows): PackedRows => ({
  ...variant,
  name: `${variant.name}-rolled`,
  rolled: true,
});

const packedDots = (rows: number): PackedVariant => ({ name: 'dots', family: 'dots', rows });

/**
 * Variants of few rows that read the weights once; one row may also be added up by subgroups. Unpacking int4 takes so
 * many registers that it starts with the smallest subgroup, if kernels request it.
 */
function packedDotsFor(rows: number, format: PackedFormat, traits: DeviceTraits): readonly PackedVariant[] {
  const dots = packedDots(fittingRows(dotsRows(rows, traits), format, traits));
  if (rows > 1 || !hasSubgroupDots(traits)) return [dots];
  const bySubgroups = { ...dots, name: 'dots-subgroups', lanes: traits.subgroupSize };
  const needsRegisters =
    isInt4(format) && (subgroupSizeFor(traits) ?? traits.subgroupSize) < traits.subgroupSize;
  return prefersSubgroupRows(traits) && !needsRegisters ? [bySubgroups, dots] : [dots, bySubgroups];
}

/** How the weights of an op are stored. */
export type PackedAttrs = { readonly format: PackedFormat };

/** x [..,I], words u32 [O, words of I], the scales of the format, b [O]; y [..,O] = x·wᵀ + b. */
export const packedLinearOp = defineOp({
  name: 'packed_linear',
  inputs: ['x', 'words', 'scales?', 'b?'],
  outputs: ['y'],
  /**
   * How the weights are stored. `padded`: rows of y are padded with zeros to whole vectors of four numbers.
   */
  attrs: attrsOf<PackedAttrs & { readonly padded?: boolean }>({ format: 'string', padded: 'boolean?' }),
  shape({ x, words, scales, b }, { format, padded = false }) {
    expectType('packed_linear', 'x', x, 'f32');
    const outs = expectPacked('packed_linear', format, words, scales, matrixOf(x.shape).cols);
    if (b) expectType('packed_linear', 'b', b, 'f32', [outs], 'one for each row of the packed weights');
    return { y: tensorType('f32', [...x.shape.slice(0, -1), padded ? wholeVectors(outs) : outs]) };
  },
  f16Storage: ['x', 'y'],
  variants(
    { x, words }: TensorTypes<'x' | 'words'>,
    { format }: PackedAttrs,
    traits: DeviceTraits,
  ): readonly PackedVariant[] {
    const { rows, cols } = matrixOf(x.shape);
    const dots = rows <= 16 && dim(words, 0) <= maxDots ? packedDotsFor(rows, format, traits) : [];
    const fewest = packedRows(rows === 1 ? 1 : fittingRows(4, format, traits));
    // Rows with padding are read number by number: all kernels are slow, and the smallest tile compiles
    // fastest.
    if (!fillsVectors(format, cols)) return isInt4(format) && rows > 4 ? [fewest] : [...dots, fewest];
    // CPUs: `dots` is faster for one row only; llvmpipe spills x to memory if all four parts of int8 or int4 are
    // unrolled.
    const rolled = format === 'f16' ? [] : [rolledRows(fewest)];
    // With int4 a loop has twice as many numbers, whose code compiles slowly if it is unrolled for 16 rows.
    const most = isInt4(format) ? rolledRows(packedRows(16)) : packedRows(16);
    if (traits.software && rows > 4) return [most, ...(rolled.length > 0 ? rolled : [fewest])];
    if (traits.software) return [fewest, ...rolled, ...(rows === 1 ? dots : [])];
    // More rows would not fit the registers of GPUs; int8 and int4 need more registers.
    if (hasFewRegisters(traits)) {
      // Two rows of int4 unpack half as often, but access scratch memory.
      return rows > 1 && isInt4(format) ? [...dots, fewest, packedRows(2)] : [...dots, fewest];
    }
    return rows <= 4 || format !== 'f16' ? [...dots, fewest] : [...dots, packedRows(8), fewest];
  },
  modelFlops: ({ x, words }) => 2 * sizeOf(x.shape) * dim(words, 0),
  launch({ x, words, scales, b }, { y }, { format }, { variant, traits }) {
    const { rows, cols } = matrixOf(x.shape);
    const { rows: ROWS, family, rolled, lanes } = variant;
    const dots = family === 'dots';
    const UNPADDED_ROWS = fillsVectors(format, cols) ? 1 : 0;
    const constants = { ROWS, UNPADDED_ROWS, ...packedConstants(format), ...lanesConstants(lanes) };
    const isRolled = rolled || (isInt4(format) && UNPADDED_ROWS === 0);
    const isApart = isInt4(format) && hasFewRegisters(traits);
    const vectors = { vecs: vecsOf(format, cols), scale_words: scalesPerRow(format, cols) };
    const sizes = { rows, ins: cols, ...vectors, width: dim(y, -1) };
    return packedBlocks(words, scales, traits.maxBindingBytes).map(({ first, rows: outs, weights }) => ({
      shader: packedShader('packed-linear', format, lanes !== undefined),
      entry: dots ? 'dots' : 'tiles',
      constants: {
        ...constants,
        MAX_UNROLLED: isRolled || isApart ? 2 : 4,
        PARTS_APART: isApart ? 1 : 0,
      },
      params: { ...sizes, outs, first, bias: b ? 1 : 0, accumulate: 0 },
      bind: { x, ...weights, bias: b, y },
      grid: [Math.ceil(outs / (dots ? dotsColumns : 4 * 32)), Math.ceil(rows / ROWS), 1],
      subgroupSize: lanes === undefined ? subgroupSizeFor(traits) : undefined,
      flops: 2 * rows * outs * cols,
    }));
  },
});

/** Packed weights of a layer or a table: words, and scales if the format has them. */
export interface PackedValue {
  readonly format: PackedFormat;
  readonly words: Value;
  readonly scales?: Value;
}

/**
 * x·wᵀ + b of packed weights: x [..,I] -> [..,O]; `padded`: rows are padded with zeros to whole vectors.
 *
 * @example
 * const weights = {
 *   format: 'int8',
 *   words: graph.state('words', 'u32', [256, wordsOf('int8', 64)]),
 *   scales: graph.state('scales', 'f32', [256]),
 * } as const;
 * const y = packedLinear(graph, graph.input('x', 'f32', [32, 64]), weights); // [32, 256]
 */
export const packedLinear = (
  builder: Builder,
  x: Value,
  weights: PackedValue,
  b?: Value,
  padded?: boolean,
): Value => {
  const { format, ...stored } = { ...weights };
  return applyOp(builder, packedLinearOp, { ...stored, x, b }, { format, padded: padded || undefined }).y;
};
