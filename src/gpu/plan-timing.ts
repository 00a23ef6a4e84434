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
  /** Runs of a measurement, if they are known from an earlier one of a plan that has run before. */
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

/** Times several plans in turn, a measurement of each in every round, so that they share what disturbs the machine. */
export async function timeInTurn(
  device: Device,
  runners: readonly Runner[],
  { span, rounds, skipAbove = Number.POSITIVE_INFINITY, repeats: known }: TimeOptions,
): Promise<Timing[]> {
  const clocks = runners.map((runner) => createClock(device, runner));
  try {
    const timings: (Timing | undefined)[] = [];
    const repeats: number[] = [];
    for (const clock of clocks) {
      if (known !== undefined) {
        timings.push(undefined);
        repeats.push(known);
        continue;
      }
      const once = await clock.measure(1);
      const skip = once > skipAbove;
      timings.push(skip ? { ...quartiles([once]), repeats: 1, rounds: 1, clock: clock.kind() } : undefined);
      repeats.push(skip ? 1 : await repeatsFor(clock, once, span));
    }
    const times: number[][] = clocks.map(() => []);
    for (let round = 0; round < rounds; round++)
      for (const [i, clock] of clocks.entries())
        if (!timings[i]) times[i]?.push(await clock.measure(repeats[i] as number));
    return clocks.map(
      (clock, i) =>
        timings[i] ?? {
          ...quartiles(times[i] as number[]),
          repeats: repeats[i] as number,
          rounds,
          clock: clock.kind(),
        },
    );
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

/** Returns median, minimum and quartiles of times, each of them one of the times. */
export function quartiles(times: readonly number[]): Pick<Timing, 'ms' | 'fastest' | 'low' | 'high'> {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
  return { ms: at(0.5), fastest: at(0), low: at(0.25), high: at(0.75) };
}
