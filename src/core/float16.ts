// Conversion between float32 and 16-bit formats: float16 (IEEE 754 binary16) and bfloat16 (the upper 16 bits of a
// float32).

/** Converts float16 bits to float32. Exact. */
export function fromFloat16(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const h = bits[i] as number;
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    const size =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction
            ? Number.NaN
            : Number.POSITIVE_INFINITY
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    out[i] = h & 0x8000 ? -size : size;
  }
  return out;
}

/** Converts bfloat16 bits to float32. Exact. */
export function fromBfloat16(bits: Uint16Array): Float32Array {
  const wide = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) wide[i] = (bits[i] as number) << 16;
  return new Float32Array(wide.buffer);
}

/** Converts float32 to the bits of the nearest float16, ties to even. Larger values become infinity. */
export function toFloat16(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const sign = ((bits[i] as number) >>> 16) & 0x8000;
    const size = Math.abs(values[i] as number);
    // 65520 and above round to infinity; numbers below 2^-14 are subnormal: their spacing is constant.
    if (!(size < 65520)) out[i] = sign | (Number.isNaN(size) ? 0x7e00 : 0x7c00);
    else if (size < 2 ** -14) out[i] = sign | roundToEven(size * 2 ** 24);
    else {
      const exponent = (((bits[i] as number) >>> 23) & 255) - 127;
      const fraction = roundToEven((size / 2 ** exponent - 1) * 1024);
      out[i] = sign | (((exponent + 15) << 10) + fraction); // a fraction of 1024 carries into the exponent
    }
  }
  return out;
}

/** Converts float32 to the bits of the nearest bfloat16, ties to even. */
export function toBfloat16(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const b = bits[i] as number;
    const nan = (b & 0x7fffffff) > 0x7f800000;
    out[i] = nan ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
  }
  return out;
}

/** Rounds a float64 to the nearest float16 value, ties to even. Larger values become infinity. */
export function roundToF16(x: number): number {
  const size = Math.abs(x);
  if (!(size < 65520)) return size >= 65520 ? Math.sign(x) * Number.POSITIVE_INFINITY : x;
  // 11 significant bits; subnormal below 2^-14.
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(size))) - 10);
  return Math.sign(x) * roundToEven(size / step) * step;
}

function roundToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
