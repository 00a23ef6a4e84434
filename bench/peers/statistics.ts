// Statistics of measurements: rounding, relative error.

/**
 * Maximum number of steps, and of seconds, for timing CPU work. The steps of one contestant run one after
 * another, as in training.
 */
export const hostTiming = { steps: 20, seconds: 15 };

/** Rounds to `digits` significant digits. */
export const round = (x: number, digits = 4): number => Number(x.toPrecision(digits));

/** |got - want| / |want| */
export const relative = (got: number, want: number): number => Math.abs(got - want) / Math.abs(want);
