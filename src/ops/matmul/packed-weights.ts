// Weights kept in fewer bits: rows of cells, four numbers each. `f16`: two words a cell, for unpack2x16float. `int8`: one word, whole
// numbers from -127 to 127, which times the row's scale and over 127 are the weights, for unpack4x8snorm. A row ends with a whole cell.

import { check } from '../../core/errors.ts';
import { fromFloat16, toFloat16 } from '../../core/float16.ts';
import { show, type TensorType } from '../../core/tensor.ts';
import { expectType } from '../expect.ts';

/** How packed weights are kept. */
export const packedFormats = ['f16', 'int8'] as const;
export type PackedFormat = (typeof packedFormats)[number];

/** Cells of a row of `cols` numbers. */
export const cellsOf = (cols: number): number => Math.ceil(cols / 4);

/** Words, u32, of a row of `cols` numbers. */
export const wordsOf = (format: PackedFormat, cols: number): number => cellsOf(cols) * (format === 'f16' ? 2 : 1);

/** Packs a matrix [rows, cols] into u32 words [rows, wordsOf]; `scales` [rows] are filled where the format has them. */
export function pack(
  format: PackedFormat,
  matrix: Float32Array,
  cols: number,
  words: Uint32Array,
  scales: Float32Array,
): void {
  const stride = wordsOf(format, cols);
  const row = new Float32Array(4 * cellsOf(cols));
  for (let r = 0; r * cols < matrix.length; r++) {
    row.set(matrix.subarray(r * cols, (r + 1) * cols));
    if (format === 'f16') {
      words.set(new Uint32Array(toFloat16(row).buffer), r * stride);
      continue;
    }
    const scale = row.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    scales[r] = scale;
    const bytes = Int8Array.from(row, (x) => (scale === 0 ? 0 : Math.round((x / scale) * 127)));
    words.set(new Uint32Array(bytes.buffer), r * stride);
  }
}

const float16 = fromFloat16(Uint16Array.from({ length: 65536 }, (_, bits) => bits));

/** Number `col` of row `row` of packed words, as the kernels read it, in float64. */
export function unpacked(
  format: PackedFormat,
  words: ArrayLike<number>,
  stride: number,
  scales: ArrayLike<number> | undefined,
  row: number,
  col: number,
): number {
  if (format === 'f16') {
    const word = words[row * stride + (col >> 1)] as number;
    return float16[(col & 1 ? word >>> 16 : word & 0xffff) & 0xffff] as number;
  }
  const word = words[row * stride + (col >> 2)] as number;
  const signed = (((word >>> (8 * (col & 3))) & 0xff) << 24) >> 24;
  return (Math.max(-127, signed) / 127) * (scales?.[row] ?? 0);
}

/** Checks packed words [rows, words of `cols`] and their scales; throws a HeddleError that names the op and both sides. */
export function expectPacked(
  op: string,
  format: PackedFormat,
  words: TensorType | undefined,
  scales: TensorType | undefined,
  cols: number,
): number {
  check(packedFormats.includes(format), `${op}: ${format} is not one of ${packedFormats.join(', ')}`);
  const rows = words?.shape[0] ?? 0;
  const why = `rows of ${cols} numbers as ${format}`;
  check(
    words?.shape.length === 2,
    () => `${op}: packed weights are ${show(words?.shape ?? [])}, must be [rows, words]`,
  );
  expectType(op, 'packed weights', words, 'u32', [rows, wordsOf(format, cols)], why);
  if (format === 'int8') expectType(op, 'scales', scales, 'f32', [rows], 'one a row of the packed weights');
  return rows;
}
