// Profiles a plan pass by pass, with timestamp queries where there are any: every pass is recorded alone, so the sum is a little more
// than a real run.

import { HeddleError } from '../errors.ts';
import type { Pass } from '../plan/plan.ts';
import type { Device } from './device.ts';
import type { Runner } from './runner.ts';

/** One pass and how long it took. */
export interface PassTime {
  readonly pass: Pass;
  /** Start after the first pass's, and duration; the median of the runs, in microseconds. */
  readonly startUs: number;
  readonly us: number;
  /** Bytes of everything bound: what a pass must move at least, if each is read or written once. */
  readonly bytes: number;
}

/** Times of all passes, and by what clock. */
export interface Profile {
  /** `gpu`: timestamp queries; `host`: each pass submitted alone and waited for, which adds the cost of a submission to each. */
  readonly clock: 'gpu' | 'host';
  readonly runs: number;
  /** Milliseconds of a whole run, recorded as usual; median. */
  readonly ms: number;
  readonly passes: readonly PassTime[];
}

/**
 * Runs a plan `runs` times pass by pass. Browsers round timestamps to about 100 us; Dawn can be asked not to (src/host/dawn.ts).
 * Where the device has no timestamp queries, passes are timed by the host's clock.
 */
export async function profilePasses(device: Device, runner: Runner, runs = 5): Promise<Profile> {
  runner.submit(); // warms up
  const whole: number[] = [];
  for (let run = 0; run < runs; run++) whole.push(await runner.time(1));
  const clock = device.gpu.features.has('timestamp-query') ? 'gpu' : 'host';
  const samples = clock === 'gpu' ? await byTimestamps(device, runner, runs) : await byHost(device, runner, runs);
  const { passes } = runner.plan;
  let before = 0;
  return {
    clock,
    runs,
    ms: median(whole),
    passes: passes.map((pass, i) => {
      const us = median(samples.map((s) => s.us[i] as number));
      // Without timestamps one pass follows the other.
      const startUs = clock === 'gpu' ? (samples.at(-1)?.starts[i] as number) : before;
      before += us;
      return { pass, startUs, us, bytes: Object.values(pass.bind).reduce((n, r) => n + r.bytes, 0) };
    }),
  };
}

/** Microseconds of each pass in one run, and when it began. */
interface Sample {
  readonly us: readonly number[];
  readonly starts: readonly number[];
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;

async function byHost({ gpu, check }: Device, { plan, submitPass }: Runner, runs: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let run = 0; run < runs; run++) {
    const us: number[] = [];
    for (const i of plan.passes.keys()) {
      const begun = performance.now();
      submitPass(i);
      await gpu.queue.onSubmittedWorkDone();
      us.push((performance.now() - begun) * 1000);
    }
    check();
    samples.push({ us, starts: [] });
  }
  return samples;
}

async function byTimestamps(device: Device, runner: Runner, runs: number): Promise<Sample[]> {
  const { gpu } = device;
  const { length } = runner.plan.passes;
  // A query set holds at most 4,096 queries.
  if (length > 2048) throw new HeddleError(`${length} passes are too many to time at once, at most 2,048.`);
  const count = 2 * length;
  const bytes = 8 * count;
  const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const label = 'profile';
  const times = gpu.createQuerySet({ label, type: 'timestamp', count });
  const resolved = gpu.createBuffer({ label, size: bytes, usage: QUERY_RESOLVE | COPY_SRC });
  const staging = gpu.createBuffer({ label, size: bytes, usage: COPY_DST | MAP_READ });
  try {
    const samples: Sample[] = [];
    for (let run = 0; run < runs; run++) {
      runner.submitTimed(times);
      const encoder = gpu.createCommandEncoder({ label });
      encoder.resolveQuerySet(times, 0, count, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
      gpu.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      const ns = new BigUint64Array(staging.getMappedRange().slice(0));
      staging.unmap();
      device.check();
      const at = (i: number) => Number((ns[i] ?? 0n) - (ns[0] ?? 0n)) / 1000;
      const passes = Array.from({ length }, (_, i) => i);
      samples.push({ us: passes.map((i) => at(2 * i + 1) - at(2 * i)), starts: passes.map((i) => at(2 * i)) });
    }
    return samples;
  } finally {
    times.destroy();
    resolved.destroy();
    staging.destroy();
  }
}

/** A trace for chrome://tracing or Perfetto: one complete event a pass. */
export function chromeTrace({ passes }: Profile): string {
  return JSON.stringify({
    displayTimeUnit: 'ms',
    traceEvents: passes.map(({ pass, startUs, us, bytes }) => ({
      name: pass.op,
      cat: pass.scope,
      ph: 'X',
      ts: startUs,
      dur: us,
      pid: 1,
      tid: 1,
      args: {
        scope: pass.scope,
        variant: pass.variant,
        entry: pass.entry,
        grid: pass.grid.join('x'),
        flops: pass.flops,
        bytes,
      },
    })),
  });
}

/** A table for people: the dearest passes first, by op and variant, and the total. */
export function printProfile({ passes: times, ms, runs, clock }: Profile, rows = 40): string {
  const total = times.reduce((n, t) => n + t.us, 0) || 1;
  const line = (cells: readonly (string | number)[]) =>
    cells.map((c, i) => (i === 0 ? String(c).padEnd(66) : String(c).padStart(10))).join('');
  const cells = (name: string, n: number, us: number, flops: number, bytes: number) =>
    line([
      name,
      n,
      (us / 1000).toFixed(3),
      flops ? (flops / us / 1e3).toFixed(2) : '',
      (bytes / us / 1e3).toFixed(2),
      `${((100 * us) / total).toFixed(1)} %`,
    ]);
  const groups = new Map<string, { n: number; us: number; flops: number; bytes: number }>();
  for (const { pass, us, bytes } of times) {
    const shapes = pass.outputs.map((o) => `[${o.shape.join(',')}]`).join(' ');
    const name = `${pass.op}${pass.variant === 'only' ? '' : `:${pass.variant}`} ${pass.entry} ${shapes}`.slice(0, 64);
    const g = groups.get(name) ?? { n: 0, us: 0, flops: 0, bytes: 0 };
    groups.set(name, { n: g.n + 1, us: g.us + us, flops: g.flops + pass.flops, bytes: g.bytes + bytes });
  }
  const sorted = [...groups].sort(([, a], [, b]) => b.us - a.us);
  return [
    line(['op, kernel, outputs', 'passes', 'ms', 'GFLOP/s', 'GB/s', 'share']),
    ...sorted.slice(0, rows).map(([name, g]) => cells(name, g.n, g.us, g.flops, g.bytes)),
    cells(
      `all ${times.length} passes`,
      times.length,
      total,
      times.reduce((n, t) => n + t.pass.flops, 0),
      times.reduce((n, t) => n + t.bytes, 0),
    ),
    `a run takes ${ms.toFixed(3)} ms; medians of ${runs} runs${clock === 'host' ? ', without timestamp queries: each pass submitted alone' : ''}`,
    '',
  ].join('\n');
}
