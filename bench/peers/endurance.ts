// Many steps of heddle in a row, twice from the same start: does a step stay as fast, does memory stay, do the same bits come out?

import type { GoldenCase } from '../../src/formats/golden-case.ts';
import type { ApiCounter } from './api-counter.ts';
import type { Contestant } from './contestant.ts';
import { median, round } from './statistics.ts';

/** Steps that are left out at first: JavaScript is compiled in them, and memory touched for the first time. */
export const warmups = 100;

/** What was seen. bench/result-tables.mjs says whether that is good enough. */
export interface EnduranceResult {
  /** Steps of each run, warm-up included. */
  readonly steps: number;
  readonly warmups: number;
  /**
   * Median milliseconds of the first and of the last tenth after warm-up, of both runs together: a machine that gets slower or faster for
   * a minute does so in the one or in the other.
   */
  readonly firstMs: number;
  readonly lastMs: number;
  /** The same of each run. */
  readonly runs: readonly { readonly firstMs: number; readonly lastMs: number }[];
  /** Bytes of buffers after warm-up and at the end. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Whether all losses of the second run have the bits of the first. */
  readonly sameBits: boolean;
  readonly lastLoss: number;
}

/** Runs `steps` steps twice; at least `2 * warmups`. */
export async function runEndurance(
  contestant: Contestant,
  meter: ApiCounter,
  golden: GoldenCase,
  steps: number,
  log: (line: string) => void,
): Promise<EnduranceResult> {
  const runs: { losses: number[]; times: number[]; bytes: [number, number] }[] = [];
  for (let run = 0; run < 2; run++) {
    const model = contestant.model?.(golden);
    if (!model) throw new Error(`${contestant.name} trains no models`);
    const losses: number[] = [];
    const times: number[] = [];
    let before = 0;
    for (let i = 0; i < steps; i++) {
      const begun = performance.now();
      losses.push(await model.step());
      times.push(performance.now() - begun);
      if (i === warmups - 1) before = meter.bytesOf(contestant.device).live;
      if (i % 100 === 0) log(`run ${run}, step ${i}: ${times[i]?.toFixed(1)} ms, loss ${losses[i]}`);
    }
    runs.push({ losses, times, bytes: [before, meter.bytesOf(contestant.device).live] });
    model.dispose();
  }
  const [one, two] = runs as [(typeof runs)[0], (typeof runs)[0]];
  const tenth = Math.floor(steps / 10);
  const first = runs.map(({ times }) => times.slice(warmups, warmups + tenth));
  const last = runs.map(({ times }) => times.slice(-tenth));
  return {
    steps,
    warmups,
    firstMs: round(median(first.flat())),
    lastMs: round(median(last.flat())),
    runs: runs.map((_, i) => ({
      firstMs: round(median(first[i] as number[])),
      lastMs: round(median(last[i] as number[])),
    })),
    bytesBefore: one.bytes[0],
    bytesAfter: one.bytes[1],
    sameBits: one.losses.every((loss, i) => Object.is(loss, two.losses[i])),
    lastLoss: one.losses[steps - 1] as number,
  };
}
