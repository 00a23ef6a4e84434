// Profiles a plan pass by pass, with timestamp queries if the device has them. Each pass is recorded by
// itself, so the sum is slightly more than the time of a real run.

import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { present } from '../../core/present.ts';
import { checkFieldTypes, checkObject } from '../ops/option-checks.ts';
import type { Pass } from '../plan/plan.ts';
import type { Device } from './device.ts';
import { median } from './plan-timing.ts';
import { whenDone } from './readback.ts';
import type { PassRecorder } from './recorded-passes.ts';
import type { Runner } from './runner.ts';
import { createTimestamps, type Timestamps } from './timestamps.ts';

/** Start and duration of a pass in microseconds. */
export interface PassSpan {
  readonly startUs: number;
  readonly us: number;
}

/** A pass and its time. */
export interface PassTime {
  readonly pass: Pass;
  /** Median of the runs in microseconds; 0 if below the resolution of the clock. */
  readonly us: number;
  /** The last run: its start after the start of the first pass, and its duration. */
  readonly last: PassSpan;
  /** Total size of its bindings in bytes: the minimum memory traffic, if each is read or written once. */
  readonly bytes: number;
}

/** Times of all passes. */
export interface Profile {
  /**
   * `gpu`: timestamp queries; `host`: each pass is submitted and awaited by itself, so its time includes a
   * submission.
   */
  readonly clock: 'gpu' | 'host';
  readonly runs: number;
  /** Median time of a normal run in milliseconds. */
  readonly ms: number;
  readonly passes: readonly PassTime[];
}

const profileFields = { clock: 'a text', runs: 'a number', ms: 'a number', passes: 'a list' } as const;

/** `profilePasses` of a program; throws if it is none of the runners of an engine. */
export function profileOf(
  device: Device,
  runners: readonly Runner[],
  program: unknown,
  runs?: number,
): Promise<Profile> {
  const runner = runners.find((each) => each === program);
  if (!runner) throw new Error('engine: profile takes a program that this engine has prepared');
  return profilePasses(device, runner, runs);
}

/** Runs a plan `runs` times pass by pass; see checked-calls.ts. */
export async function profilePasses(device: Device, runner: Runner, runs = 5): Promise<Profile> {
  runner.submit(); // warms up
  const runTimes: number[] = [];
  for (let run = 0; run < runs; run++) runTimes.push(await runner.time(1));
  const { passes } = runner.plan;
  // A query set holds at most 4,096 queries.
  check(
    passes.length <= 2048,
    () => msg`the plan has ${passes.length} passes, at most 2,048 can be timed; use fewer layers`,
    { area: 'profile' },
  );
  const timestamps = createTimestamps(device, 2 * passes.length);
  const samples = timestamps
    ? await byTimestamps(device, runner, runs, timestamps).finally(timestamps.destroy)
    : await byHost(device, runner, runs);
  const last = samples.at(-1) as PassSpan[];
  return {
    clock: timestamps ? 'gpu' : 'host',
    runs,
    ms: median(runTimes),
    passes: passes.map((pass, i) => ({
      pass,
      us: median(samples.map((spans) => (spans[i] as PassSpan).us)),
      last: last[i] as PassSpan,
      bytes: Object.values(pass.bind).reduce((n, r) => n + r.bytes, 0),
    })),
  };
}

/** The passes of each run, each submitted and awaited by itself. */
async function byHost(device: Device, runner: Runner, runs: number): Promise<PassSpan[][]> {
  const { queue } = device.gpu;
  const samples: PassSpan[][] = [];
  for (let run = 0; run < runs; run++) {
    const spans: PassSpan[] = [];
    const first = performance.now();
    for (const i of runner.plan.passes.keys()) {
      const begun = performance.now();
      runner.submitPasses(1, (recorder, encoder) => recordSingle(recorder, encoder, i));
      await whenDone(queue, queue.onSubmittedWorkDone());
      spans.push({ startUs: (begun - first) * 1000, us: (performance.now() - begun) * 1000 });
    }
    device.check();
    samples.push(spans);
  }
  return samples;
}

/** Records a dispatch in a compute pass of its own, which writes its start and end time. */
function recordSingle(
  recorder: PassRecorder,
  encoder: GPUCommandEncoder,
  index: number,
  timestamps?: Timestamps,
): void {
  const { pipeline, group, x, y, z, clear, label } = recorder.at(index);
  if (clear) recorder.clear(encoder, clear);
  const timestampWrites = timestamps && {
    querySet: timestamps.querySet,
    beginningOfPassWriteIndex: 2 * index,
    endOfPassWriteIndex: 2 * index + 1,
  };
  const computePass = encoder.beginComputePass(timestampWrites && { label, timestampWrites });
  computePass.setPipeline(pipeline);
  computePass.setBindGroup(0, group);
  computePass.dispatchWorkgroups(x, y, z);
  computePass.end();
}

async function byTimestamps(
  device: Device,
  runner: Runner,
  runs: number,
  timestamps: Timestamps,
): Promise<PassSpan[][]> {
  const samples: PassSpan[][] = [];
  for (let run = 0; run < runs; run++) {
    runner.submitPasses(
      runner.plan.passes.length,
      (recorder, encoder, from, to) => {
        for (let i = from; i < to; i++) recordSingle(recorder, encoder, i, timestamps);
      },
      (encoder) => timestamps.resolve(encoder),
    );
    const ns = await timestamps.read();
    device.check();
    const at = (i: number) => Number((ns[i] ?? 0n) - (ns[0] ?? 0n)) / 1000;
    samples.push(runner.plan.passes.map((_, i) => ({ startUs: at(2 * i), us: at(2 * i + 1) - at(2 * i) })));
  }
  return samples;
}

/**
 * Returns a trace of the last run for chrome://tracing or Perfetto, with one complete event per pass.
 *
 * @example
 * const [runner] = await new GpuEngine(device).preparePlans([makePlan(graph, { traits: device.traits })]);
 * const json = chromeTrace(await profilePasses(device, runner));
 */
export function chromeTrace(profile: Profile): string {
  checkFieldTypes('chromeTrace', profile, profileFields, 'profile');
  return JSON.stringify({
    displayTimeUnit: 'ms',
    traceEvents: profile.passes.map(({ pass, last, bytes }) => ({
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

/** Settings of `printProfile`. */
export interface ProfileTable {
  /** Maximum number of rows; the rest is summed up in one more. Default 40. */
  readonly rows?: number;
  /** Print each pass in order instead of groups. */
  readonly each?: boolean;
}

/**
 * Formats a profile as a table, slowest first. Passes of the same op, variant and output shapes share a row;
 * with `each` every pass has its own row with its position in the model.
 *
 * @example
 * const engine = gpuEngine(device);
 * const [program] = await engine.prepare([graph]);
 * if (engine.profile) console.log(printProfile(await engine.profile(program)));
 */
export function printProfile(profile: Profile, options: ProfileTable = {}): string {
  checkFieldTypes('printProfile', profile, profileFields, 'profile');
  checkObject('printProfile', options, { rows: 'a whole number?', each: 'a boolean?' });
  const { rows = 40, each = false } = options;
  const { passes, ms, runs, clock } = profile;
  const all = sumOf(`all ${passes.length} passes`, passes);
  const lines = each
    ? passes.map((time, i) => sumOf(`${i} ${labelOf(time)}`, [time]))
    : grouped(passes, rows);
  return [
    line(['op, kernel, outputs', 'passes', 'ms', 'GFLOP/s', 'GB/s', 'share']),
    ...lines.map((sum, i) => `${print(sum, all)}${each ? `  ${passes[i]?.pass.scope}`.trimEnd() : ''}`),
    print(all, all),
    `a run takes ${ms.toFixed(3)} ms; medians of ${runs} runs${clock === 'host' ? ', without timestamp queries: each pass is submitted by itself' : ''}`,
    difference(ms, all.us / 1000, clock),
    '',
  ].join('\n');
}

/** Explains the difference between the sum of the passes and the time of a run. */
function difference(ms: number, sum: number, clock: Profile['clock']): string {
  const total = `the passes sum up to ${sum.toFixed(3)} ms`;
  if (clock === 'host')
    return `${total}: each pass is submitted and awaited separately; a run is submitted once`;
  const explanation =
    sum > ms
      ? 'a timed pass does not overlap with the next'
      : 'a run also records, submits, waits between passes and reads its outputs';
  return `${total}, ${Math.abs(sum - ms).toFixed(3)} ms ${sum > ms ? 'more' : 'less'}: ${explanation}`;
}

/** Sum over passes. */
interface Sum {
  readonly name: string;
  readonly n: number;
  readonly us: number;
  readonly flops: number;
  readonly bytes: number;
}

function sumOf(name: string, times: readonly PassTime[]): Sum {
  const sum = (amountOf: (t: PassTime) => number) => times.reduce((n, t) => n + amountOf(t), 0);
  return {
    name,
    n: times.length,
    us: sum((t) => t.us),
    flops: sum((t) => t.pass.flops),
    bytes: sum((t) => t.bytes),
  };
}

function labelOf({ pass }: PassTime): string {
  const shapes = pass.outputs.map((o) => `[${o.shape.join(',')}]`).join(' ');
  return `${pass.op}${pass.variant === 'only' ? '' : `:${pass.variant}`} ${pass.entry} ${shapes}`;
}

/** Sums of the passes of each name, slowest first; those after `rows` are summed up in one more. */
function grouped(times: readonly PassTime[], rows: number): Sum[] {
  const groups = new Map<string, PassTime[]>();
  for (const time of times) groups.set(labelOf(time), [...(groups.get(labelOf(time)) ?? []), time]);
  const sorted = [...groups].map((group) => ({ sum: sumOf(...group), group: group[1] }));
  sorted.sort((a, b) => b.sum.us - a.sum.us);
  const rest = sorted.slice(rows).flatMap(({ group }) => group);
  return present([
    ...sorted.slice(0, rows).map(({ sum }) => sum),
    rest.length > 0 ? sumOf('others', rest) : undefined,
  ]);
}

const line = (cells: readonly (string | number)[]): string =>
  cells.map((c, i) => (i === 0 ? String(c).padEnd(66) : String(c).padStart(10))).join('');

/** A row of the table, without rates if the measured time is 0. */
function print({ name, n, us, flops, bytes }: Sum, all: Sum): string {
  const rate = (amount: number) => (us > 0 && amount > 0 ? (amount / us / 1e3).toFixed(2) : '');
  const share = all.us > 0 ? (100 * us) / all.us : 0;
  return line([
    name.slice(0, 64),
    n,
    (us / 1000).toFixed(3),
    rate(flops),
    rate(bytes),
    `${share.toFixed(1)} %`,
  ]);
}
