// Timing a plan: repeated in one submission until well past the grain of the clock and the cost of submitting, several times over.

import type { Runner } from '../src/gpu/runner.ts';

/** How long to time. */
export interface TimeOptions {
  /** Milliseconds that one measurement should last, and how many there are. */
  readonly span: number;
  readonly rounds: number;
  /** A run slower than this, in milliseconds, is timed once only: it cannot win. */
  readonly hopeless?: number;
}

/** Median and fastest milliseconds of a run. */
export async function timeRunner(
  runner: Runner,
  { span, rounds, hopeless = Number.POSITIVE_INFINITY }: TimeOptions,
): Promise<{ ms: number; fastest: number }> {
  let once = await runner.time(1);
  if (once > hopeless) return { ms: once, fastest: once };
  // The first estimate holds the cost of a submission; a second one of several runs hardly does.
  once = await runner.time(Math.max(1, Math.min(100, Math.round(span / 4 / once))));
  const repeats = Math.max(1, Math.min(5000, Math.round(span / once)));
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) times.push(await runner.time(repeats));
  times.sort((a, b) => a - b);
  return { ms: times[times.length >> 1] as number, fastest: times[0] as number };
}
