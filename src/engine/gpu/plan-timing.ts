// Times a plan: enough runs in one submission that clock resolution and submission overhead do not matter, in
// several rounds.

import type { Device } from './device.ts';
import type { Runner } from './runner.ts';
import { createTimestamps } from './timestamps.ts';

/** Settings of `timeRunner`. */
export interface TimeOptions {
  /** Duration of one measurement, in milliseconds. */
  readonly span: number;
  /** Number of measurements. */
  readonly rounds: number;
  /**
   * Measure a plan only once if a run takes longer than this, in milliseconds. Ignored if `repeats` is given.
   */
  readonly skipAbove?: number;
  /** Runs per measurement, if known from an earlier measurement. Default: estimated from `span`. */
  readonly repeats?: number;
}

/** Time of a run, in milliseconds. */
export interface Timing {
  /** Median, minimum, and lower and upper quartile of the measurements. */
  readonly ms: number;
  readonly fastest: number;
  readonly low: number;
  readonly high: number;
  /** Runs per measurement, and number of measurements. */
  readonly repeats: number;
  readonly rounds: number;
  /** `gpu`: timestamp queries; `host`: from submission to completion. */
  readonly clock: 'gpu' | 'host';
}

/** Maximum number of runs in one submission: longer command buffers take longer to record than to run. */
const maxRepeats = 20_000;

/**
 * Times runs of a plan. One measurement is as many runs in one submission as last about `span` ms, at least
 * one. Browsers round timestamps to 0.1 ms: 0.2 % of a span of 50 ms.
 */
export async function timeRunner(device: Device, runner: Runner, options: TimeOptions): Promise<Timing> {
  const [timing] = await timeInTurn(device, [runner], options);
  return timing as Timing;
}

/** A plan that is timed. */
interface TimedPlan {
  readonly runner: Runner;
  /** `gpu` until a measurement has no timestamps. */
  clock: Timing['clock'];
  repeats: number;
  skipped: boolean;
  readonly times: number[];
}

/**
 * Times several plans in turn, one measurement of each per round, so that other load on the machine affects
 * all equally.
 */
export async function timeInTurn(
  device: Device,
  runners: readonly Runner[],
  { span, rounds, skipAbove = Number.POSITIVE_INFINITY, repeats }: TimeOptions,
): Promise<Timing[]> {
  const timestamps = createTimestamps(device, 2);
  const clock = timestamps ? 'gpu' : 'host';
  const plans = runners.map(
    (runner): TimedPlan => ({ runner, clock, repeats: repeats ?? 1, skipped: false, times: [] }),
  );
  /** Milliseconds of a run, of `repeats` in one submission. */
  const measure = async (plan: TimedPlan): Promise<number> => {
    const { host, gpu } = await plan.runner.clock(plan.repeats, timestamps);
    if (gpu === undefined) plan.clock = 'host';
    return (plan.clock === 'gpu' && gpu !== undefined ? gpu : host) / plan.repeats;
  };
  try {
    for (const plan of repeats === undefined ? plans : []) {
      // The first estimate includes the overhead of a submission; more runs per submission reduce its share.
      let estimate = await measure(plan);
      plan.skipped = estimate > skipAbove;
      if (plan.skipped) plan.times.push(estimate);
      while (!plan.skipped && plan.repeats * estimate < span / 2 && plan.repeats < maxRepeats) {
        const wanted = Math.max(2 * plan.repeats, Math.min(100 * plan.repeats, Math.round(span / estimate)));
        plan.repeats = Math.min(maxRepeats, wanted);
        estimate = await measure(plan);
      }
    }
    for (let round = 0; round < rounds; round++)
      for (const plan of plans) if (!plan.skipped) plan.times.push(await measure(plan));
    return plans.map(({ times, repeats, clock }) => ({
      ...quartiles(times),
      repeats,
      rounds: times.length,
      clock,
    }));
  } finally {
    timestamps?.destroy();
  }
}

/** Median of numbers; NaN if there are none. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return ((sorted[half] ?? Number.NaN) + (sorted[sorted.length - half - 1] ?? Number.NaN)) / 2;
}

/** Returns median, minimum and quartiles of times, each of them one of the times. */
export function quartiles(times: readonly number[]): Pick<Timing, 'ms' | 'fastest' | 'low' | 'high'> {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
  return { ms: at(0.5), fastest: at(0), low: at(0.25), high: at(0.75) };
}
