// How the lab writes numbers.

import { formatNumber } from '../../src/core/format-numbers.ts';

/** Milliseconds in the unit that fits. */
export const time = (ms: number): string =>
  ms >= 1000 ? `${formatNumber(ms / 1000)} s` : ms >= 1 ? `${formatNumber(ms)} ms` : `${formatNumber(ms * 1000)} µs`;

/** An error such as 2e-7; `exact` where there is none. */
export const errorText = (error: number): string =>
  error === 0 ? 'exact' : Number.isFinite(error) ? error.toExponential(0).replace('e-', 'e−') : 'no number';

/** Half the distance of the quartiles, in percent of the median. */
export const spread = ({ ms, low, high }: { ms: number; low: number; high: number }): string =>
  `± ${((50 * (high - low)) / ms).toFixed(ms > 0 && (high - low) / ms >= 0.2 ? 0 : 1)} %`;

/** `1 kernel`, `2 kernels`. */
export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
