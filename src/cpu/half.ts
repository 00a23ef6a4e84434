// Rounding to f16 (IEEE 754 binary16), so that the CPU keeps of a tensor what the GPU would.

/** The nearest number that f16 has, ties to even; what is larger than any becomes infinite. */
export function roundToHalf(x: number): number {
  const size = Math.abs(x);
  if (!(size < 65520)) return size >= 65520 ? Math.sign(x) * Number.POSITIVE_INFINITY : x;
  // Eleven bits from the first one on; below 2^-14 steps are of one size.
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(size))) - 10);
  const down = Math.floor(size / step);
  const rest = size / step - down;
  const whole = rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
  return Math.sign(x) * whole * step;
}
