// Times a plan: enough runs in one submission that clock resolution and submission overhead do not matter, in several
// rounds.

import type { Device } from './device.ts';
import type { Runner } from './runner.ts';
import { createTimestamps } from './timestamps.ts';

/** Settings of `timeRunner`. */
export interface TimeOptions {
  /** Duration of one measurement, in milliseconds. */
  readonly span: number;
  /** Number of measurements. */
  readonly rounds: number;
  /** Time a run slower than this, in milliseconds, only once: it cannot be the fastest. */
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
 * Times runs of a plan. One measurement is as many runs in one submission as last about `span` ms, at least one.
 * Browsers round timestamps to 0.1 ms: 0.2 % of a span of 50 ms.
 */
export async function timeRunner(device: Device, runner: Runner, options: TimeOptions): Promise<Timing> {
  const [timing] = await timeInTurn(device, [runner], options);
  return timing as Timing;
}

/** Times several plans in turn, one measurement of each per round, so that other load on the machine affects all equally. */
export async function timeInTurn(
  device: Device,
  runners: readonly Runner[],
  { span, rounds, skipAbove = Number.POSITIVE_INFINITY, repeats: known }: TimeOptions,
): Promise<Timing[]> {
  const clocks = runners.map((runner) => createClock(device, runner));
  try {
    const plans: {
      readonly clock: Clock;
      readonly repeats: number;
      readonly times: number[];
      readonly skipped: boolean;
    }[] = [];
    for (const clock of clocks) {
      const once = known === undefined ? await clock.measure(1) : 0;
      const skipped = once > skipAbove;
      const repeats = known ?? (skipped ? 1 : await repeatsFor(clock, once, span));
      plans.push({ clock, repeats, times: skipped ? [once] : [], skipped });
    }
    for (let round = 0; round < rounds; round++)
      for (const { clock, repeats, times, skipped } of plans) if (!skipped) times.push(await clock.measure(repeats));
    return plans.map(({ clock, repeats, times }) => ({
      ...quartiles(times),
      repeats,
      rounds: times.length,
      clock: clock.kind(),
    }));
  } finally {
    for (const clock of clocks) clock.destroy();
  }
}

/** Measures a runner with timestamps, or by the host's clock if there are none. */
interface Clock {
  /** Milliseconds of a run, of `repeats` in one submission. */
  measure(repeats: number): Promise<number>;
  kind(): Timing['clock'];
  destroy(): void;
}

function createClock(device: Device, runner: Runner): Clock {
  const timestamps = createTimestamps(device, 2);
  let kind: Timing['clock'] = timestamps ? 'gpu' : 'host';
  return {
    async measure(repeats) {
      const { host, gpu } = await runner.clock(repeats, timestamps);
      if (gpu === undefined) kind = 'host';
      return (kind === 'gpu' && gpu !== undefined ? gpu : host) / repeats;
    },
    kind: () => kind,
    destroy: () => timestamps?.destroy(),
  };
}

/** Runs that last about `span` ms; `once` is the time of a single run. */
async function repeatsFor(clock: Clock, once: number, span: number): Promise<number> {
  // The first estimate includes the overhead of a submission; more runs per submission reduce its share.
  let repeats = 1;
  let estimate = once;
  while (repeats * estimate < span / 2 && repeats < maxRepeats) {
    repeats = Math.min(maxRepeats, Math.max(2 * repeats, Math.min(100 * repeats, Math.round(span / estimate))));
    estimate = await clock.measure(repeats);
  }
  return repeats;
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
