// Single kernels: each result is checked against float64, then the forms of all contestants are timed in
// turn.

import { median, quartiles } from '../../src/engine/gpu/plan-timing.ts';
import type { Contestant, KernelRun } from './contestant.ts';
import { errorOf, kernelWork } from './kernel-graphs.ts';
import { kernelList, makeArrays } from './peer-kernels.ts';
import { round } from './statistics.ts';

/** One form of one contestant. */
export interface TimedForm {
  readonly contestant: string;
  readonly form: string;
  /** Median microseconds of one call. */
  readonly us: number;
  /** Lower and upper quartile of the microseconds. */
  readonly low?: number;
  readonly high?: number;
  readonly gflops: number | null;
  /** Calls between two waits for the GPU. */
  readonly calls: number;
  /** Largest difference from float64, relative to the largest number in the result. */
  readonly error: number;
}

/** All forms of a kernel. */
export interface TimedKernel {
  readonly name: string;
  /** Floating-point operations and bytes of a call, the same for all forms. */
  readonly flops: number;
  readonly bytes: number;
  readonly forms: readonly TimedForm[];
}

/**
 * Allowed relative error. The error of a float32 sum of 8,000 products of numbers below 1 is far smaller in
 * any order; a wrong index gives an error as large as the numbers.
 */
const tolerance = 1e-4;

/** Settings of `timeKernels`. */
export interface KernelRounds {
  readonly rounds?: number;
  /** Target milliseconds between two waits for the GPU. */
  readonly targetMs?: number;
  /** Only kernels whose name contains this. */
  readonly only?: string | undefined;
  /** Only kernels of these names. */
  readonly names?: readonly string[];
}

interface Entrant {
  readonly contestant: string;
  readonly form: string;
  readonly kernel: KernelRun;
  readonly error: number;
  readonly calls: number;
  readonly times: number[];
}

/** Times all kernels that at least one contestant has. Rejects if a result is wrong. */
export async function timeKernels(
  contestants: readonly Contestant[],
  { rounds = 5, targetMs = 100, only = '', names }: KernelRounds,
  log: (line: string) => void,
): Promise<TimedKernel[]> {
  const rows: TimedKernel[] = [];
  for (const spec of kernelList) {
    if (!spec.name.includes(only) || names?.includes(spec.name) === false) continue;
    const inputs = makeArrays(spec);
    const errorIn = errorOf(spec, inputs);
    const entrants: Entrant[] = [];
    for (const contestant of contestants)
      for (const [form, make] of Object.entries(contestant.kernels[spec.kind] ?? {})) {
        const kernel = await make(inputs);
        if (!kernel) continue;
        const error = errorIn(await kernel.read());
        if (!(error <= tolerance))
          throw new Error(`${contestant.name} (${form}): ${spec.name} has a relative error of ${error}`);
        await kernel.run(1);
        const calls = Math.max(1, Math.min(200, Math.round(targetMs / (await timeOf(kernel, 1)))));
        entrants.push({ contestant: contestant.name, form, kernel, error, calls, times: [] });
      }
    for (let i = 0; i < rounds; i++) for (const e of entrants) e.times.push(await timeOf(e.kernel, e.calls));
    const forms = entrants.map(({ contestant, form, calls, times, error }): TimedForm => {
      const ms = median(times);
      const { low, high } = quartiles(times);
      const gflops = spec.flops ? round(spec.flops / ms / 1e6, 3) : null;
      const us = { us: round(ms * 1e3), low: round(low * 1e3), high: round(high * 1e3) };
      return { contestant, form, ...us, gflops, calls, error: round(error, 2) };
    });
    for (const { kernel } of entrants) kernel.dispose();
    rows.push({ name: spec.name, ...kernelWork(spec.kind, inputs), forms });
    const text = forms.map(
      (f) => `${f.contestant} (${f.form}) ${f.us} µs${f.gflops ? ` ${f.gflops} GFLOP/s` : ''}`,
    );
    log(`${spec.name}: ${text.join(', ')}`);
  }
  return rows;
}

/** Milliseconds per call of `calls` calls between two waits. */
async function timeOf(kernel: KernelRun, calls: number): Promise<number> {
  const start = performance.now();
  await kernel.run(calls);
  return (performance.now() - start) / calls;
}
