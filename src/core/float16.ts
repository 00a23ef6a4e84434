// Conversion between float32 and float16 (IEEE 754 binary16).

import type { Tensor, TensorData } from './tensor.ts';

let numbers: Float32Array | undefined;

/** Look-up table of all 65,536 float16 numbers by their bits, many times faster than arithmetic. */
export function float16Table(): Float32Array {
  numbers ??= makeTable();
  return numbers;
}

function makeTable(): Float32Array {
  const table = new Float32Array(2 ** 16);
  for (let h = 0; h < table.length; h++) {
    const [exponent, fraction] = [(h >> 10) & 31, h & 1023];
    const nonFinite = fraction ? Number.NaN : Number.POSITIVE_INFINITY;
    const normal = exponent === 31 ? nonFinite : (1 + fraction / 1024) * 2 ** (exponent - 15);
    const magnitude = exponent === 0 ? fraction * 2 ** -24 : normal;
    table[h] = h & 0x8000 ? -magnitude : magnitude;
  }
  return table;
}

/** Converts float16 bits to float32. Exact. */
export function fromFloat16(bits: Uint16Array): Float32Array {
  const table = float16Table();
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i] as number] as number;
  return out;
}

/** Tensor data as numbers; float16 is stored as bits. */
export const numbersOf = (data: TensorData): ArrayLike<number> =>
  data instanceof Uint16Array ? fromFloat16(data) : data;

/** Converts a tensor of f16 to f32; other tensors are returned as they are. */
export const asFloat32 = (tensor: Tensor): Tensor =>
  tensor.dtype === 'f16'
    ? { ...tensor, dtype: 'f32', data: fromFloat16(tensor.data as Uint16Array) }
    : tensor;

/** Converts float32 to the bits of the nearest float16, ties to even. Larger values become infinity. */
export function toFloat16(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const b = bits[i] as number;
    const sign = (b >>> 16) & 0x8000;
    const magnitude = b & 0x7fffffff;
    // Values of at least 65520 round to infinity. Values below 2^-14 are subnormal, multiples of 2^-24. Other
    // values lose 13 bits of the fraction, with a carry into the exponent, and the bias of the exponent
    // changes from 127 to 15.
    if (magnitude >= 0x477ff000) out[i] = sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
    else if (magnitude < 0x38800000) out[i] = sign | roundToEven(Math.abs(values[i] as number) * 2 ** 24);
    else out[i] = sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  return out;
}

/** Rounds a float64 to the nearest float16 value, ties to even. Larger values become infinity. */
export function roundToF16(x: number): number {
  const magnitude = Math.abs(x);
  if (!(magnitude < 65520)) return magnitude >= 65520 ? Math.sign(x) * Number.POSITIVE_INFINITY : x;
  // 11 significant bits; subnormal below 2^-14.
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(magnitude))) - 10);
  return Math.sign(x) * roundToEven(magnitude / step) * step;
}

function roundToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
