// Timing a plan: repeated in one submission until well past the grain of the clock and the cost of submitting, several times over.

import type { Device } from './device.ts';
import type { Runner } from './runner.ts';
import { createStopwatch } from './stopwatch.ts';

/** How long to time. */
export interface TimeOptions {
  /** Milliseconds that one measurement should last, and how many there are. */
  readonly span: number;
  readonly rounds: number;
  /** A run slower than this, in milliseconds, is timed once only: it cannot win. */
  readonly hopeless?: number;
}

/** Milliseconds of a run, over all measurements. */
export interface Timing {
  /** The median, the fastest, and the quartiles on either side of the median. */
  readonly ms: number;
  readonly fastest: number;
  readonly low: number;
  readonly high: number;
  /** Runs in one measurement, and measurements. */
  readonly repeats: number;
  readonly rounds: number;
  /** `gpu`: timestamp queries; `host`: from the submission until it is done. */
  readonly clock: 'gpu' | 'host';
}

/** Most runs in one submission: a command buffer of more takes longer to record than to run. */
const mostRepeats = 20_000;

/**
 * Times runs of a plan. A measurement is `repeats` runs in one submission that together last about `span` ms: the browser's 0.1 ms
 * grain of timestamps is then a five-hundredth of 50 ms. Where a run is longer than `span`, a measurement is one run.
 */
export async function timeRunner(
  device: Device,
  runner: Runner,
  { span, rounds, hopeless = Number.POSITIVE_INFINITY }: TimeOptions,
): Promise<Timing> {
  const watch = createStopwatch(device);
  try {
    let clock: Timing['clock'] = watch ? 'gpu' : 'host';
    const measure = async (repeats: number): Promise<number> => {
      const { host, gpu } = await runner.clock(repeats, watch);
      if (gpu === undefined) clock = 'host';
      return (clock === 'gpu' && gpu !== undefined ? gpu : host) / repeats;
    };
    let once = await measure(1);
    if (once > hopeless) return { ms: once, fastest: once, low: once, high: once, repeats: 1, rounds: 1, clock };
    // The first estimate holds what a single run costs beside itself; each further one of several runs holds less of it.
    let repeats = 1;
    while (repeats * once < span / 2 && repeats < mostRepeats) {
      repeats = Math.min(mostRepeats, Math.max(2 * repeats, Math.min(100 * repeats, Math.round(span / once))));
      once = await measure(repeats);
    }
    const times: number[] = [];
    for (let i = 0; i < rounds; i++) times.push(await measure(repeats));
    return { ...spreadOf(times), repeats, rounds, clock };
  } finally {
    watch?.destroy();
  }
}

/** Median, fastest and quartiles of some times, each of them one of the times. */
export function spreadOf(times: readonly number[]): Pick<Timing, 'ms' | 'fastest' | 'low' | 'high'> {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
  return { ms: at(0.5), fastest: at(0), low: at(0.25), high: at(0.75) };
}
