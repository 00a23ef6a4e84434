// The few numbers that measurements are taken and summed up by.

/** Most steps in a row, and seconds, in which the work of the CPU is taken: as in a training, nobody else's in between. */
export const hostTiming = { steps: 20, seconds: 15 };

/** The middle of some numbers, or the mean of the two in the middle. NaN for none. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length % 2) return sorted[half] as number;
  return ((sorted[half - 1] ?? Number.NaN) + (sorted[half] ?? Number.NaN)) / 2;
}

/** A number to `digits` significant digits, for people and for JSON. */
export const round = (x: number, digits = 4): number => Number(x.toPrecision(digits));

/** |got - want| / |want| */
export const relative = (got: number, want: number): number => Math.abs(got - want) / Math.abs(want);
