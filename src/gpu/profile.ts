// Profiles a plan pass by pass, with timestamp queries where there are any: every pass is recorded alone, so the sum is a little more
// than a real run.

import { HeddleError } from '../core/errors.ts';
import type { Pass } from '../plan/plan.ts';
import type { Device } from './device.ts';
import type { Runner } from './runner.ts';

/** One pass and how long it took. */
export interface PassTime {
  readonly pass: Pass;
  /** The median of the runs, in microseconds; 0 where it is less than the clock's grain. */
  readonly us: number;
  /** The last run alone: when it began, after the first pass's begin, and how long it took. */
  readonly last: { readonly startUs: number; readonly us: number };
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
  const last = samples.at(-1) as Sample;
  return {
    clock,
    runs,
    ms: median(whole),
    passes: passes.map((pass, i) => ({
      pass,
      us: median(samples.map((s) => s.us[i] as number)),
      last: { startUs: last.starts[i] as number, us: last.us[i] as number },
      bytes: Object.values(pass.bind).reduce((n, r) => n + r.bytes, 0),
    })),
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
    const starts: number[] = [];
    const first = performance.now();
    for (const i of plan.passes.keys()) {
      const begun = performance.now();
      submitPass(i);
      await gpu.queue.onSubmittedWorkDone();
      starts.push((begun - first) * 1000);
      us.push((performance.now() - begun) * 1000);
    }
    check();
    samples.push({ us, starts });
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

/** A trace of the last run for chrome://tracing or Perfetto: one complete event a pass. */
export function chromeTrace({ passes }: Profile): string {
  return JSON.stringify({
    displayTimeUnit: 'ms',
    traceEvents: passes.map(({ pass, last, bytes }) => ({
      name: pass.op,
      cat: pass.scope,
      ph: 'X',
      ts: last.startUs,
      dur: last.us,
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

/** How a profile is printed. */
export interface ProfileTable {
  /** Most rows of the table that sums up; default 40. */
  readonly rows?: number;
  /** Every pass in order, instead of sums. */
  readonly each?: boolean;
}

/**
 * A table for people. Passes of one op, variant and shape are one row, which says how many there are, the dearest first; or, by `each`,
 * every pass has its own, with its place in the model.
 */
export function printProfile(profile: Profile, { rows = 40, each = false }: ProfileTable = {}): string {
  const { passes, ms, runs, clock } = profile;
  const all = sumOf(`all ${passes.length} passes`, passes);
  const lines = each ? passes.map((time, i) => sumOf(`${i} ${nameOf(time)}`, [time])) : grouped(passes, rows);
  return [
    line(['op, kernel, outputs', 'passes', 'ms', 'GFLOP/s', 'GB/s', 'share']),
    ...lines.map((sum, i) => `${print(sum, all)}${each ? `  ${passes[i]?.pass.scope}`.trimEnd() : ''}`),
    print(all, all),
    `a run takes ${ms.toFixed(3)} ms; medians of ${runs} runs${clock === 'host' ? ', without timestamp queries: each pass submitted alone' : ''}`,
    '',
  ].join('\n');
}

/** Passes taken together. */
interface Sum {
  readonly name: string;
  readonly n: number;
  readonly us: number;
  readonly flops: number;
  readonly bytes: number;
}

function sumOf(name: string, times: readonly PassTime[]): Sum {
  const sum = (what: (t: PassTime) => number) => times.reduce((n, t) => n + what(t), 0);
  return { name, n: times.length, us: sum((t) => t.us), flops: sum((t) => t.pass.flops), bytes: sum((t) => t.bytes) };
}

function nameOf({ pass }: PassTime): string {
  const shapes = pass.outputs.map((o) => `[${o.shape.join(',')}]`).join(' ');
  return `${pass.op}${pass.variant === 'only' ? '' : `:${pass.variant}`} ${pass.entry} ${shapes}`;
}

/** Sums of the passes of one name, the dearest first; what goes beyond `rows` is one more. */
function grouped(times: readonly PassTime[], rows: number): Sum[] {
  const groups = new Map<string, PassTime[]>();
  for (const time of times) groups.set(nameOf(time), [...(groups.get(nameOf(time)) ?? []), time]);
  const sorted = [...groups].map((group) => ({ sum: sumOf(...group), group: group[1] }));
  sorted.sort((a, b) => b.sum.us - a.sum.us);
  const rest = sorted.slice(rows).flatMap(({ group }) => group);
  return [...sorted.slice(0, rows).map(({ sum }) => sum), ...(rest.length > 0 ? [sumOf('others', rest)] : [])];
}

const line = (cells: readonly (string | number)[]): string =>
  cells.map((c, i) => (i === 0 ? String(c).padEnd(66) : String(c).padStart(10))).join('');

/** A row; rates are left out where the clock saw no time go by. */
function print({ name, n, us, flops, bytes }: Sum, all: Sum): string {
  const rate = (amount: number) => (us > 0 && amount > 0 ? (amount / us / 1e3).toFixed(2) : '');
  const share = all.us > 0 ? (100 * us) / all.us : 0;
  return line([name.slice(0, 64), n, (us / 1000).toFixed(3), rate(flops), rate(bytes), `${share.toFixed(1)} %`]);
}
