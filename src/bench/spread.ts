// The spread of repeated measurements, and whether two results differ by more than their spread.

import type { Timing } from '../engine/gpu/plan-timing.ts';
import type { KernelResult } from './check-kernel.ts';

/** Median and quartiles of a time. */
export type Quartiles = Pick<Timing, 'ms' | 'low' | 'high'>;

/** Spread above which a measurement is marked as disturbed by other work. */
export const maxSpread = 0.2;

/** Half the interquartile range, relative to the median. */
export const spreadOf = ({ ms, low, high }: Quartiles): number => (ms > 0 ? (high - low) / 2 / ms : 0);

/** Difference of the smallest and the largest of some rates, relative to the largest. */
export const rangeOf = (rates: readonly number[]): number => 1 - Math.min(...rates) / Math.max(...rates);

/** How much other work disturbed a result: the maximum of its spread and the loss of speed of the machine. */
export function disturbance({ variants: [fastest], speed = 1 }: KernelResult): number {
  const { ms = 0, low = 0, high = 0 } = fastest ?? {};
  return Math.max(spreadOf({ ms, low, high }), 1 - speed);
}

/** A time compared with an earlier one. */
export interface Change {
  /** New time over old time, minus 1: -0.2 is 20 % faster. */
  readonly change: number;
  /** Change that may be only noise, from the spreads of both times and both machines. */
  readonly noise: number;
  readonly significant: boolean;
}

/**
 * Compares two times. `machines`: spreads that all times of a run share, such as those of the roofs. The
 * noise is twice the root of the sum of squares of all spreads, and at least 2 %. A change is significant if
 * it exceeds the noise.
 */
export function changeOf(now: Quartiles, before: Quartiles, machines: readonly number[] = []): Change {
  const change = now.ms / before.ms - 1;
  const spreads = [spreadOf(now), spreadOf(before), ...machines];
  const noise = Math.max(0.02, 2 * Math.hypot(...spreads));
  const factor = Math.max(1 + change, 1 / (1 + change));
  return { change, noise, significant: factor > 1 + noise };
}
