// Weights in four bits: blocks of 32 numbers q from 0 to 15 along a row, four words each. A weight is (q - zero) *
// scale. The layout of words and zeros is that of ONNX's MatMulNBits: number i of a word is in bits 4i to 4i + 3.
// The scales of a row are one row of u32 words: its scales, f32 or pairs of f16, and with zero points their zeros,
// eight a word; else all zeros are 8.

import { float16Table, toFloat16 } from '../../../core/float16.ts';

/** Numbers in a block. */
export const int4Block = 32;

/** How the scales of a format are stored; the constants of its shaders. */
export interface Int4Layout {
  /** 1: scales are f32; 0: f16. */
  readonly SCALES_F32: 0 | 1;
  /** 1: blocks have zero points. */
  readonly ZERO_POINTS: 0 | 1;
}

const wordsOfScales = (blocks: number, { SCALES_F32 }: Int4Layout): number =>
  SCALES_F32 ? blocks : Math.ceil(blocks / 2);

/** Words of the scales and zeros of a row of `blocks` blocks. */
export const int4ScaleWords = (blocks: number, layout: Int4Layout): number =>
  wordsOfScales(blocks, layout) + (layout.ZERO_POINTS ? Math.ceil(blocks / 8) : 0);

/** A block's scale and zero, as stored. */
interface Quantizer {
  readonly scale: number;
  readonly zero: number;
}

const asFloats = new Float32Array(1);
const asWords = new Uint32Array(asFloats.buffer);

/** A scale as it is stored: rounded to f16 or f32. */
function stored(scale: number, { SCALES_F32 }: Int4Layout): number {
  asFloats[0] = scale;
  return SCALES_F32 ? (asFloats[0] as number) : (float16Table()[toFloat16(asFloats)[0] as number] as number);
}

/**
 * Steps from zero to the number with the largest absolute value of a block, of which the one with the least square
 * error is chosen. q reaches from -8 to 7, so a negative step brings that number to the wider side, as in
 * llama.cpp's Q4_0; a smaller one cuts it off and is finer for the others.
 */
const symmetricSteps = [-8, -7.5, -7, -8.5, 7, 7.5, 8];

/** Integer of a number, from 0 to 15. */
const quantize = (x: number, { scale, zero }: Quantizer): number =>
  Math.min(15, Math.max(0, Math.round(x / scale) + zero));

/**
 * The scale and zero of a block of `row` from `first` on; a scale of 0 if all numbers round to 0. With zero points
 * the range from the least to the largest number, and 0, gets 15 steps.
 */
function quantizerOf(row: Float32Array, first: number, layout: Int4Layout): Quantizer {
  let [low, high] = [0, 0];
  for (let k = first; k < first + int4Block; k++) {
    low = Math.min(low, row[k] as number);
    high = Math.max(high, row[k] as number);
  }
  if (!layout.ZERO_POINTS) return symmetricQuantizer(row, first, high > -low ? high : low, layout);
  const scale = stored((high - low) / 15, layout);
  return { scale, zero: scale === 0 ? 0 : Math.min(15, Math.max(0, Math.round(-low / scale))) };
}

function symmetricQuantizer(
  row: Float32Array,
  first: number,
  largest: number,
  layout: Int4Layout,
): Quantizer {
  let [best, least] = [{ scale: 0, zero: 8 }, Number.POSITIVE_INFINITY];
  for (const steps of symmetricSteps) {
    const quantizer = { scale: stored(largest / steps, layout), zero: 8 };
    if (quantizer.scale === 0) return quantizer;
    let error = 0;
    for (let k = first; k < first + int4Block; k++)
      error += ((quantize(row[k] as number, quantizer) - 8) * quantizer.scale - (row[k] as number)) ** 2;
    if (error < least) [best, least] = [quantizer, error];
  }
  return best;
}

/** Packs a row of whole blocks into words, with its scales and zeros. */
export function packInt4Row(
  row: Float32Array,
  layout: Int4Layout,
  words: Uint32Array,
  scales: Uint32Array,
): void {
  const zeros = wordsOfScales(row.length / int4Block, layout);
  for (let block = 0; block * int4Block < row.length; block++) {
    const first = block * int4Block;
    const quantizer = quantizerOf(row, first, layout);
    const { scale, zero } = quantizer;
    for (let word = 0; word < 4; word++) {
      let bits = 0;
      for (let i = 0; i < 8; i++) {
        const q = scale === 0 ? zero : quantize(row[first + 8 * word + i] as number, quantizer);
        bits |= q << (4 * i);
      }
      words[4 * block + word] = bits;
    }
    asFloats[0] = scale;
    if (layout.SCALES_F32) scales[block] = asWords[0] as number;
    else setBits(scales, block >> 1, 16 * (block & 1), toFloat16(asFloats)[0] as number);
    if (layout.ZERO_POINTS) setBits(scales, zeros + (block >> 3), 4 * (block & 7), zero);
  }
}

/** Adds bits to a word that is cleared when its first bits are set. */
function setBits(words: Uint32Array, i: number, shift: number, bits: number): void {
  words[i] = (shift === 0 ? 0 : (words[i] as number)) | (bits << shift);
}

/** The scale and zero of a block from the scales of its row. `blocks` in the row. */
export function int4Quantizer(
  scales: ArrayLike<number>,
  block: number,
  blocks: number,
  layout: Int4Layout,
): Quantizer {
  const word = scales[layout.SCALES_F32 ? block : block >> 1] ?? Number.NaN;
  asWords[0] = word;
  const scale = layout.SCALES_F32 ? asFloats[0] : float16Table()[(word >>> (16 * (block & 1))) & 0xffff];
  const zeros = scales[wordsOfScales(blocks, layout) + (block >> 3)] ?? 0;
  return { scale: scale as number, zero: layout.ZERO_POINTS ? (zeros >>> (4 * (block & 7))) & 15 : 8 };
}

/** Number `col` of a row of words with the scales of the row. */
export function int4Number(
  row: ArrayLike<number>,
  col: number,
  scales: ArrayLike<number>,
  layout: Int4Layout,
): number {
  const { scale, zero } = int4Quantizer(scales, col >> 5, row.length / 4, layout);
  return ((((row[col >> 3] ?? Number.NaN) >>> (4 * (col & 7))) & 15) - zero) * scale;
}
