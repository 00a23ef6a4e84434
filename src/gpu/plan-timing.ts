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
export async function timeRunner(
  device: Device,
  runner: Runner,
  { span, rounds, skipAbove = Number.POSITIVE_INFINITY }: TimeOptions,
): Promise<Timing> {
  const timestamps = createTimestamps(device, 2);
  try {
    let clock: Timing['clock'] = timestamps ? 'gpu' : 'host';
    const measure = async (repeats: number): Promise<number> => {
      const { host, gpu } = await runner.clock(repeats, timestamps);
      if (gpu === undefined) clock = 'host';
      return (clock === 'gpu' && gpu !== undefined ? gpu : host) / repeats;
    };
    let once = await measure(1);
    if (once > skipAbove) return { ms: once, fastest: once, low: once, high: once, repeats: 1, rounds: 1, clock };
    // The first estimate includes the overhead of a submission; more runs per submission reduce its share.
    let repeats = 1;
    while (repeats * once < span / 2 && repeats < maxRepeats) {
      repeats = Math.min(maxRepeats, Math.max(2 * repeats, Math.min(100 * repeats, Math.round(span / once))));
      once = await measure(repeats);
    }
    const times: number[] = [];
    for (let i = 0; i < rounds; i++) times.push(await measure(repeats));
    return { ...quartiles(times), repeats, rounds, clock };
  } finally {
    timestamps?.destroy();
  }
}

/** Returns median, minimum and quartiles of times, each of them one of the times. */
export function quartiles(times: readonly number[]): Pick<Timing, 'ms' | 'fastest' | 'low' | 'high'> {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
  return { ms: at(0.5), fastest: at(0), low: at(0.25), high: at(0.75) };
}
