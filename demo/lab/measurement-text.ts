// Formatting of measurements: times, errors, spread.

import { type Quartiles, spreadOf } from '../../src/bench/spread.ts';
import { fixed, formatNumber } from '../common/format.ts';
import { say, sayCount } from '../common/page-texts.ts';

/** Formats milliseconds in s, ms or µs. */
export const time = (ms: number): string =>
  ms >= 1000
    ? `${formatNumber(ms / 1000)} s`
    : ms >= 1
      ? `${formatNumber(ms)} ms`
      : `${formatNumber(ms * 1000)} µs`;

/** Formats an error as `2e−7`; 0 is `exact`. */
export const errorText = (error: number): string =>
  error === 0
    ? say`exact`
    : Number.isFinite(error)
      ? error.toExponential(0).replace('e-', 'e−')
      : say`not finite`;

/** A spread as `± 2.5 %`. */
export const spreadText = (spread: number): string => `± ${fixed(100 * spread, spread >= 0.1 ? 0 : 1)} %`;

/** Half the interquartile range in percent of the median. */
export const relativeSpread = (timing: Quartiles): string => spreadText(spreadOf(timing));

/** `1 kernel`, `2 kernels`. */
export const kernelCount = (n: number): string => sayCount(n, '{0} kernel', '{0} kernels');
