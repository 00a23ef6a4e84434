// Formatting of measurements: times, errors, spread.

import { formatNumber } from '../../src/core/format-numbers.ts';

/** Formats milliseconds in s, ms or µs. */
export const time = (ms: number): string =>
  ms >= 1000 ? `${formatNumber(ms / 1000)} s` : ms >= 1 ? `${formatNumber(ms)} ms` : `${formatNumber(ms * 1000)} µs`;

/** Formats an error as `2e−7`; 0 is `exact`. */
export const errorText = (error: number): string =>
  error === 0 ? 'exact' : Number.isFinite(error) ? error.toExponential(0).replace('e-', 'e−') : 'not finite';

/** Half the interquartile range in percent of the median. */
export const relativeSpread = ({ ms, low, high }: { ms: number; low: number; high: number }): string =>
  `± ${((50 * (high - low)) / ms).toFixed(ms > 0 && (high - low) / ms >= 0.2 ? 0 : 1)} %`;

/** Spread above which a measurement is marked: other work disturbed it. */
export const maxSpread = 0.2;

/** `1 kernel`, `2 kernels`. */
export const pluralize = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
