// Statistics of measurements: median, rounding, relative error.

/**
 * Maximum number of steps, and of seconds, for timing CPU work. The steps of one contestant run one after another, as in
 * training.
 */
export const hostTiming = { steps: 20, seconds: 15 };

/** Median; NaN for an empty array. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length % 2) return sorted[half] as number;
  return ((sorted[half - 1] ?? Number.NaN) + (sorted[half] ?? Number.NaN)) / 2;
}

/** Rounds to `digits` significant digits. */
export const round = (x: number, digits = 4): number => Number(x.toPrecision(digits));

/** |got - want| / |want| */
export const relative = (got: number, want: number): number => Math.abs(got - want) / Math.abs(want);
