// Weights stored in fewer bits: rows of vectors of four words, which kernels read at once. `f16`: eight
// numbers a vector, for unpack2x16float. `int8`: 16, integers q from -127 to 127; the weight is q / 127 times
// `scales`, the largest absolute value of its row. Rows are padded with zeros to whole vectors.

import { check } from '../../../core/errors.ts';
import { float16Table, toFloat16 } from '../../../core/float16.ts';
import { dim, show, type TensorType } from '../../../core/tensor.ts';
import type { Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { viewOf } from '../work-division.ts';

/** Formats of packed weights. */
export const packedFormats = ['f16', 'int8'] as const;
/** A format of packed weights. */
export type PackedFormat = (typeof packedFormats)[number];

/** Numbers in a vector of four words, by format. */
export const numbersPerVec = { f16: 8, int8: 16 } as const;

/** Vectors of four words of a row of `cols` numbers. */
export const vecsOf = (format: PackedFormat, cols: number): number => Math.ceil(cols / numbersPerVec[format]);

/** Whether rows of `cols` numbers need no padding. */
export const fillsVectors = (format: PackedFormat, cols: number): boolean =>
  cols % numbersPerVec[format] === 0;

/**
 * Words, u32, of a row of `cols` numbers.
 *
 * @example
 * console.log(wordsOf('int8', 64)); // 16
 */
export const wordsOf = (format: PackedFormat, cols: number): number => 4 * vecsOf(format, cols);

/**
 * Packs a matrix [rows, cols] into u32 words [rows, wordsOf]; `scales` [rows] are filled if the format has
 * them.
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
  scales: Float32Array,
): void {
  const stride = wordsOf(format, cols);
  if (format === 'f16' && fillsVectors(format, cols)) {
    words.set(new Uint32Array(toFloat16(matrix).buffer));
    return;
  }
  const row = new Float32Array(vecsOf(format, cols) * numbersPerVec[format]);
  const bytes = new Int8Array(words.buffer, words.byteOffset, words.byteLength);
  for (let r = 0; r * cols < matrix.length; r++) {
    row.set(matrix.subarray(r * cols, (r + 1) * cols));
    if (format === 'f16') {
      words.set(new Uint32Array(toFloat16(row).buffer), r * stride);
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

/** Number `col` of a row of packed words with its scale, as the kernels read it, in float64. */
export function unpacked(format: PackedFormat, row: ArrayLike<number>, col: number, scale = 1): number {
  const word = row[col >> (format === 'f16' ? 1 : 2)] ?? Number.NaN;
  if (format === 'f16') return float16Table()[(col & 1 ? word >>> 16 : word & 0xffff) & 0xffff] as number;
  const signed = (((word >>> (8 * (col & 3))) & 0xff) << 24) >> 24;
  return (signed / 127) * scale;
}

/** Rows of packed words [rows, words of `cols`]. Throws a HeddleError if they or their scales do not fit. */
export function expectPacked(
  op: string,
  format: PackedFormat,
  words: TensorType,
  scales: TensorType | undefined,
  cols: number,
): number {
  check(packedFormats.includes(format), `${op}: ${format} is not one of ${packedFormats.join(', ')}`);
  const [rows = 0] = words.shape;
  const layout = `rows of ${cols} numbers as ${format}`;
  check(
    words.shape.length === 2,
    () => `${op}: packed weights are ${show(words.shape)}, must be [rows, words]`,
  );
  expectType(op, 'packed weights', words, 'u32', [rows, wordsOf(format, cols)], layout);
  if (format === 'int8')
    expectType(op, 'scales', scales, 'f32', [rows], 'one for each row of the packed weights');
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
    () => `packed weights: 64 rows of ${width} words are larger than a binding of ${maxBindingBytes} bytes`,
  );
  const part = (v: Value, first: number, shape: readonly number[]): Value => {
    if (shape[0] === rows) return v;
    const { buffer, offset } = v.at ?? { buffer: v, offset: 0 };
    return viewOf(buffer, offset + first * (shape[1] ?? 1), shape);
  };
  return Array.from({ length: Math.ceil(rows / maxRows) }, (_, i) => {
    const first = i * maxRows;
    const count = Math.min(maxRows, rows - first);
    const ofScales = scales && { scales: part(scales, first, [count]) };
    return { first, rows: count, weights: { w: part(words, first, [count, width]), ...ofScales } };
  });
}
