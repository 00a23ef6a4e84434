// Formatting of measurements: times, errors, spread.

import { type Quartiles, spreadOf } from '../../src/bench/spread.ts';
import { formatNumber } from '../../src/core/format-numbers.ts';

/** Formats milliseconds in s, ms or µs. */
export const time = (ms: number): string =>
  ms >= 1000
    ? `${formatNumber(ms / 1000)} s`
    : ms >= 1
      ? `${formatNumber(ms)} ms`
      : `${formatNumber(ms * 1000)} µs`;

/** Formats an error as `2e−7`; 0 is `exact`. */
export const errorText = (error: number): string =>
  error === 0 ? 'exact' : Number.isFinite(error) ? error.toExponential(0).replace('e-', 'e−') : 'not finite';

/** A spread as `± 2.5 %`. */
export const spreadText = (spread: number): string => `± ${(100 * spread).toFixed(spread >= 0.1 ? 0 : 1)} %`;

/** Half the interquartile range in percent of the median. */
export const relativeSpread = (timing: Quartiles): string => spreadText(spreadOf(timing));

/** `1 kernel`, `2 kernels`. */
export const pluralize = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
