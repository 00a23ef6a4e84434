// How far measurements of one thing differ, and whether two measurements differ by more than that.

import type { Timing } from '../gpu/plan-timing.ts';
import type { KernelResult } from './check-kernel.ts';

/** Median and quartiles of a time. */
export type Quartiles = Pick<Timing, 'ms' | 'low' | 'high'>;

/** Spread above which a measurement is marked: other work disturbed it. */
export const maxSpread = 0.2;

/** Half the interquartile range, relative to the median. */
export const spreadOf = ({ ms, low, high }: Quartiles): number => (ms > 0 ? (high - low) / 2 / ms : 0);

/** Difference of the smallest and the largest of some rates, relative to the largest. */
export const rangeOf = (rates: readonly number[]): number => 1 - Math.min(...rates) / Math.max(...rates);

/** How much other work disturbed a result: its spread, or the speed that the machine lacked. */
export function disturbance({ variants: [fastest], speed = 1 }: KernelResult): number {
  const { ms = 0, low = 0, high = 0 } = fastest ?? {};
  return Math.max(spreadOf({ ms, low, high }), 1 - speed);
}

/** A time compared with an earlier one. */
export interface Change {
  /** New time over old time, minus 1: -0.2 is 20 % faster. */
  readonly change: number;
  /** Change that noise alone explains: the spreads of both times, and those of the two machines. */
  readonly noise: number;
  readonly significant: boolean;
}

/**
 * Compares two times. `machines` are spreads of what is common to all times of a run, as of its roofs. The noise is the
 * root of the sum of squares of all spreads, each of which has about half of the measurements, times 2, and at least 2 %.
 * A change is larger if one time is more than so much above the other.
 */
export function changeOf(now: Quartiles, before: Quartiles, machines: readonly number[] = []): Change {
  const change = now.ms / before.ms - 1;
  const spreads = [spreadOf(now), spreadOf(before), ...machines];
  const noise = Math.max(0.02, 2 * Math.hypot(...spreads));
  const factor = Math.max(1 + change, 1 / (1 + change));
  return { change, noise, significant: factor > 1 + noise };
}
