// Weights stored in fewer bits: rows of vectors of four words, which kernels read at once. `f16`: eight
// numbers a vector, for unpack2x16float. `int8`: 16, integers q from -127 to 127; the weight is q / 127 times
// `scales`, the largest absolute value of its row. `int4` and `uint4`: a block of 32, as in packed-int4.ts. Rows
// are padded with zeros to whole vectors.

import { check, checkTypes } from '../../../core/errors.ts';
import { float16Table, toFloat16 } from '../../../core/float16.ts';
import { listed, msg } from '../../../core/message.ts';
import { dim, show, type TensorType, tensorType } from '../../../core/tensor.ts';
import type { Value } from '../op.ts';
import type { ReferenceTensor } from '../reference-tensor.ts';
import { expectType } from '../type-checks.ts';
import { viewOf } from '../work-division.ts';
import { int4Number, int4Quantizer, int4ScaleWords, packInt4Row } from './packed-int4.ts';

/** How a format stores rows of numbers. */
interface PackedLayout {
  /** Numbers in a vector of four words. */
  readonly numbersPerVec: number;
  /** The shaders that read it: the suffix of their names. */
  readonly suffix: '' | '-int8' | '-int4';
  /** Constants of these shaders. */
  readonly constants?: Readonly<Record<'SCALES_F32' | 'ZERO_POINTS', 0 | 1>>;
}

const int4Layout = (scales: 'f16' | 'f32', zeroPoints: boolean): PackedLayout => ({
  numbersPerVec: 32,
  suffix: '-int4',
  constants: { SCALES_F32: scales === 'f32' ? 1 : 0, ZERO_POINTS: zeroPoints ? 1 : 0 },
});

/**
 * The formats. `int4` has one scale per block, `uint4` also a zero point; scales are f16 or, with `-f32`, f32.
 */
export const packedLayouts = {
  f16: { numbersPerVec: 8, suffix: '' },
  int8: { numbersPerVec: 16, suffix: '-int8' },
  int4: int4Layout('f16', false),
  'int4-f32': int4Layout('f32', false),
  uint4: int4Layout('f16', true),
  'uint4-f32': int4Layout('f32', true),
} satisfies Record<string, PackedLayout>;

/** A format of packed weights. */
export type PackedFormat = keyof typeof packedLayouts;

/** Formats of packed weights. */
export const packedFormats = Object.keys(packedLayouts) as readonly PackedFormat[];

const layoutOf = (format: PackedFormat): PackedLayout => packedLayouts[format];

/** Whether a format has four bits a number, in blocks of 32. */
export const isInt4 = (format: PackedFormat): boolean => layoutOf(format).suffix === '-int4';

/** The shader of a kernel for a format: its name with the suffix of the format. */
export const packedShader = (kernel: string, format: PackedFormat, subgroups = false): string =>
  `${kernel}${layoutOf(format).suffix}${subgroups ? '-subgroups' : ''}`;

/** The constants of a format's shaders. */
export const packedConstants = (format: PackedFormat): Readonly<Record<string, number>> =>
  layoutOf(format).constants ?? {};

/** Vectors of four words of a row of `cols` numbers. */
export const vecsOf = (format: PackedFormat, cols: number): number =>
  Math.ceil(cols / layoutOf(format).numbersPerVec);

/** Whether rows of `cols` numbers need no padding. */
export const fillsVectors = (format: PackedFormat, cols: number): boolean =>
  cols % layoutOf(format).numbersPerVec === 0;

/**
 * Words, u32, of a row of `cols` numbers.
 *
 * @example
 * console.log(wordsOf('int8', 64)); // 16
 */
export function wordsOf(format: PackedFormat, cols: number): number {
  checkTypes('wordsOf', 'a text', { format });
  checkTypes('wordsOf', 'a number', { cols });
  return 4 * vecsOf(format, cols);
}

/** Elements of the scales of a row of `cols` numbers: 0 for f16, one for int8, u32 words for int4. */
export function scalesPerRow(format: PackedFormat, cols: number): number {
  const { constants } = layoutOf(format);
  if (constants) return int4ScaleWords(vecsOf(format, cols), constants);
  return format === 'int8' ? 1 : 0;
}

/** The type of the scales of a matrix [rows, cols], f32 [rows] or u32 [rows, words]; undefined for f16. */
export function scalesType(format: PackedFormat, rows: number, cols: number): TensorType | undefined {
  const count = scalesPerRow(format, cols);
  if (count === 0) return undefined;
  return isInt4(format) ? tensorType('u32', [rows, count]) : tensorType('f32', [rows]);
}

/** Memory for the scales of a matrix [rows, cols]. */
export function newScales(format: PackedFormat, rows: number, cols: number): Float32Array | Uint32Array {
  const count = rows * scalesPerRow(format, cols);
  return isInt4(format) ? new Uint32Array(count) : new Float32Array(count);
}

/**
 * Packs a matrix [rows, cols] into u32 words [rows, wordsOf]; `scales` are filled if the format has them:
 * f32 [rows] for int8, u32 [rows, scalesPerRow] for int4. Throws a HeddleError if `cols` is no whole number above 0.
 *
 * @example
 * const words = new Uint32Array(2 * wordsOf('int8', 4));
 * pack('int8', Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), 4, words, new Float32Array(2));
 */
export function pack(
  format: PackedFormat,
  matrix: Float32Array,
  cols: number,
  words: Uint32Array,
  scales: Float32Array | Uint32Array,
): void {
  checkTypes('pack', 'a text', { format });
  checkTypes('pack', 'a list of numbers', { matrix, words });
  if (scales !== undefined) checkTypes('pack', 'a list of numbers', { scales });
  check(Number.isInteger(cols) && cols > 0, () => msg`cols is ${cols}, it must be a whole number above 0`, {
    area: 'pack',
  });
  const stride = wordsOf(format, cols);
  if (format === 'f16' && fillsVectors(format, cols)) {
    words.set(new Uint32Array(toFloat16(matrix).buffer));
    return;
  }
  const { numbersPerVec, constants } = layoutOf(format);
  const row = new Float32Array(vecsOf(format, cols) * numbersPerVec);
  const bytes = new Int8Array(words.buffer, words.byteOffset, words.byteLength);
  const perRow = scalesPerRow(format, cols);
  for (let r = 0; r * cols < matrix.length; r++) {
    row.set(matrix.subarray(r * cols, (r + 1) * cols));
    if (format === 'f16') {
      words.set(new Uint32Array(toFloat16(row).buffer), r * stride);
      continue;
    }
    if (constants) {
      const [w, s] = [words.subarray(r * stride), scales.subarray(r * perRow) as Uint32Array];
      packInt4Row(row, constants, w, s);
      continue;
    }
    let scale = 0;
    for (let k = 0; k < cols; k++) scale = Math.max(scale, Math.abs(row[k] as number));
    scales[r] = scale;
    if (scale > 0)
      for (let k = 0; k < cols; k++)
        bytes[4 * r * stride + k] = Math.round(((row[k] as number) / scale) * 127);
  }
}

/**
 * Quantizes a matrix [rows, cols] to int8 as `pack`, without padding; a weight is its integer times its row's
 * scale.
 */
export function int8Rows(matrix: Float32Array, cols: number): { rows: Int8Array; scales: Float32Array } {
  const count = matrix.length / cols;
  const stride = 4 * wordsOf('int8', cols);
  const words = new Uint32Array((count * stride) / 4);
  const scales = new Float32Array(count);
  pack('int8', matrix, cols, words, scales);
  const padded = new Int8Array(words.buffer);
  const rows = new Int8Array(matrix.length);
  for (let r = 0; r < count; r++) rows.set(padded.subarray(r * stride, r * stride + cols), r * cols);
  return { rows, scales: scales.map((scale) => scale / 127) };
}

/**
 * Quantizes a matrix [rows, cols] to a format of four bits as `pack`, without padding: a weight is its integer,
 * number minus zero, times the scale of its block of 32, [rows, blocks].
 */
export function int4Rows(
  format: PackedFormat,
  matrix: Float32Array,
  cols: number,
): { rows: Int8Array; scales: Float32Array } {
  const { constants = { SCALES_F32: 0, ZERO_POINTS: 0 } } = layoutOf(format);
  const count = matrix.length / cols;
  const [width, perRow, blocks] = [wordsOf(format, cols), scalesPerRow(format, cols), vecsOf(format, cols)];
  const words = new Uint32Array(count * width);
  const packed = newScales(format, count, cols);
  pack(format, matrix, cols, words, packed);
  const [rows, scales] = [new Int8Array(matrix.length), new Float32Array(count * blocks)];
  for (let r = 0; r < count; r++) {
    const own = packed.subarray(r * perRow, (r + 1) * perRow);
    for (let block = 0; block < blocks; block++) {
      const { scale, zero } = int4Quantizer(own, block, blocks, constants);
      scales[r * blocks + block] = scale;
      for (let k = 32 * block; k < Math.min(cols, 32 * block + 32); k++) {
        const bits = (words[r * width + (k >> 3)] as number) >>> (4 * (k & 7));
        rows[r * cols + k] = (bits & 15) - zero;
      }
    }
  }
  return { rows, scales };
}

/**
 * Number `col` of a row of packed words with the scales of the row, as the kernels read it, in float64.
 */
export function unpacked(
  format: PackedFormat,
  row: ArrayLike<number>,
  col: number,
  scales: ArrayLike<number> = [1],
): number {
  const { constants } = layoutOf(format);
  if (constants) return int4Number(row, col, scales, constants);
  const word = row[col >> (format === 'f16' ? 1 : 2)] ?? Number.NaN;
  if (format === 'f16') return float16Table()[(col & 1 ? word >>> 16 : word & 0xffff) & 0xffff] as number;
  const signed = (((word >>> (8 * (col & 3))) & 0xff) << 24) >> 24;
  return (signed / 127) * (scales[0] as number);
}

/** Row `row` of packed words and their scales, unpacked to `cols` numbers in float64. */
export function packedRow(
  format: PackedFormat,
  { words, scales }: { readonly words: ReferenceTensor; readonly scales?: ReferenceTensor },
  row: number,
  cols: number,
): Float64Array {
  const packed = words.row(row);
  const own = scales && (isInt4(format) ? scales.row(row) : [scales.at(row)]);
  return Float64Array.from({ length: cols }, (_, k) => unpacked(format, packed, k, own));
}

/** Rows of packed words [rows, words of `cols`]. Throws a HeddleError if they or their scales do not fit. */
export function expectPacked(
  op: string,
  format: PackedFormat,
  words: TensorType,
  scales: TensorType | undefined,
  cols: number,
): number {
  check(packedFormats.includes(format), msg`${format} is not one of ${listed(packedFormats)}`, {
    area: op,
  });
  const [rows = 0] = words.shape;
  const layout = `rows of ${cols} numbers as ${format}`;
  check(words.shape.length === 2, () => msg`packed weights are ${show(words.shape)}, must be [rows, words]`, {
    area: op,
  });
  expectType(op, 'packed weights', words, 'u32', [rows, wordsOf(format, cols)], layout);
  const type = scalesType(format, rows, cols);
  if (type)
    expectType(
      op,
      'scales',
      scales,
      type.dtype,
      type.shape,
      'as many as the rows of the packed weights need',
    );
  return rows;
}

/**
 * Splits packed weights into blocks of rows, each within a binding: a vocabulary of 256,000 tokens is larger
 * than one. Returns for each its first row, its number of rows, and its words and scales as bindings of a
 * kernel.
 */
export function packedBlocks(words: Value, scales: Value | undefined, maxBindingBytes: number) {
  const [rows, width] = [dim(words, 0), dim(words, 1)];
  const maxRows = Math.floor(maxBindingBytes / 4 / width / 64) * 64;
  check(
    maxRows > 0,
    () =>
      msg`packed weights: 64 rows of ${width} words are larger than a binding of ${maxBindingBytes} bytes`,
  );
  const part = (v: Value, first: number, shape: readonly number[]): Value => {
    if (shape[0] === rows) return v;
    const { buffer, offset } = v.at ?? { buffer: v, offset: 0 };
    return viewOf(buffer, offset + first * (shape[1] ?? 1), shape);
  };
  return Array.from({ length: Math.ceil(rows / maxRows) }, (_, i) => {
    const first = i * maxRows;
    const count = Math.min(maxRows, rows - first);
    const weights = {
      w: part(words, first, [count, width]),
      scales: scales && part(scales, first, [count, ...scales.shape.slice(1)]),
    };
    return { first, rows: count, weights };
  });
}
