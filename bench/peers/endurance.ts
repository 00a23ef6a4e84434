// Endurance test: two long training runs from the same weights. Checks that step time and memory stay
// constant and that both runs have the same losses bit for bit.

import type { GoldenCase } from '../../src/commands/jobs/verify/golden-case.ts';
import { median } from '../../src/engine/gpu/plan-timing.ts';
import type { ApiCounter } from './api-counter.ts';
import type { Contestant } from './contestant.ts';
import { round } from './statistics.ts';

/** Warm-up steps, not measured: JavaScript is compiled and memory is touched for the first time. */
export const warmups = 100;

/** Result of the endurance test. `enduranceFaults` of bench/result-tables.mjs decides whether it passes. */
export interface EnduranceResult {
  /** Steps of each run, warm-up included. */
  readonly steps: number;
  readonly warmups: number;
  /**
   * Median milliseconds of the first and of the last tenth after warm-up, over both runs together, so that a
   * machine that is slower for a minute affects only one of the runs.
   */
  readonly firstMs: number;
  readonly lastMs: number;
  /** The same for each run. */
  readonly runs: readonly { readonly firstMs: number; readonly lastMs: number }[];
  /** Bytes of buffers after warm-up and at the end. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Whether all losses of the second run have the bits of the first. */
  readonly sameBits: boolean;
  readonly lastLoss: number;
}

/** Runs `steps` steps twice; `steps` must be at least `2 * warmups`. */
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
    if (!model) throw new Error(`${contestant.name} cannot train`);
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
