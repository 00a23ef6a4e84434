// Profiles a plan pass by pass with timestamp queries: every pass is recorded alone, so the sum is a little more than a real run.

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

/**
 * Runs a plan `runs` times and returns the median time of each pass. Throws a HeddleError where the device has no timestamp queries.
 * Browsers round timestamps to about 100 us; Dawn can be asked not to (src/host/dawn.ts).
 */
export async function profilePasses(device: Device, runner: Runner, runs = 5): Promise<PassTime[]> {
  const { gpu } = device;
  if (!gpu.features.has('timestamp-query'))
    throw new HeddleError(
      'This adapter has no timestamp queries (timestamp-query), so passes cannot be timed one by one.',
    );
  const { passes } = runner.plan;
  // A query set holds at most 4,096 queries.
  if (passes.length > 2048)
    throw new HeddleError(`${passes.length} passes are too many to time at once, at most 2,048.`);
  const count = 2 * passes.length;
  const bytes = 8 * count;
  const times = gpu.createQuerySet({ label: 'profile', type: 'timestamp', count });
  const resolved = gpu.createBuffer({
    label: 'profile',
    size: bytes,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const staging = gpu.createBuffer({
    label: 'profile',
    size: bytes,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  try {
    const samples: number[][] = passes.map(() => []);
    const starts: number[] = new Array(passes.length).fill(0);
    runner.submit();
    for (let run = 0; run < runs; run++) {
      runner.submitTimed(times);
      const encoder = gpu.createCommandEncoder({ label: 'profile' });
      encoder.resolveQuerySet(times, 0, count, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
      gpu.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      const ns = new BigUint64Array(staging.getMappedRange().slice(0));
      staging.unmap();
      device.check();
      const first = ns[0] ?? 0n;
      for (let i = 0; i < passes.length; i++) {
        starts[i] = Number((ns[2 * i] ?? first) - first) / 1000;
        samples[i]?.push(Number((ns[2 * i + 1] ?? 0n) - (ns[2 * i] ?? 0n)) / 1000);
      }
    }
    return passes.map((pass, i) => {
      const sorted = (samples[i] ?? []).sort((a, b) => a - b);
      return {
        pass,
        startUs: starts[i] ?? 0,
        us: sorted[sorted.length >> 1] ?? 0,
        bytes: Object.values(pass.bind).reduce((n, r) => n + r.bytes, 0),
      };
    });
  } finally {
    times.destroy();
    resolved.destroy();
    staging.destroy();
  }
}

/** A trace for chrome://tracing or Perfetto: one complete event a pass. */
export function chromeTrace(times: readonly PassTime[]): string {
  return JSON.stringify({
    traceEvents: times.map(({ pass, startUs, us, bytes }) => ({
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
export function printProfile(times: readonly PassTime[], rows = 40): string {
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
    '',
  ].join('\n');
}
