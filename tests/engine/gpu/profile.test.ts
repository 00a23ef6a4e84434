// Profiles of passes with given times: times per run, and the printed table.

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Device } from '../../../src/engine/gpu/device.ts';
import { chromeTrace, type Profile, printProfile, profilePasses } from '../../../src/engine/gpu/profile.ts';
import type { Runner } from '../../../src/engine/gpu/runner.ts';
import type { Pass } from '../../../src/engine/plan/plan.ts';

const pass = (op: string, fields: Partial<Pass> = {}): Pass => ({
  op,
  scope: `model.${op}`,
  variant: 'only',
  shader: op,
  entry: op,
  constants: {},
  params: {},
  node: 0,
  bind: { x: { buffer: 0, offset: 0, bytes: 4e6 } },
  outputs: [{ dtype: 'f32', shape: [2, 3] }],
  grid: [1, 1, 1],
  flops: 8e6,
  ...fields,
});

/** A profile of passes with these times in microseconds. */
const profileOf = (...times: [string, number][]): Profile => ({
  clock: 'gpu',
  runs: 3,
  ms: 1,
  passes: times.map(([op, us]) => ({ pass: pass(op), us, last: { startUs: 0, us }, bytes: 4e6 })),
});

/** A device whose timestamps are those of `runs` in turn, begin and end of each pass in nanoseconds. */
function deviceWith(runs: readonly (readonly number[])[]): Device {
  const left = [...runs];
  const buffer = {
    mapAsync: async () => {},
    getMappedRange: () => BigUint64Array.from((left.shift() as number[]).map(BigInt)).buffer,
    unmap() {},
    destroy() {},
  };
  const gpu = {
    features: new Set(['timestamp-query']),
    createQuerySet: () => buffer,
    createBuffer: () => buffer,
    createCommandEncoder: () => ({ resolveQuerySet() {}, copyBufferToBuffer() {}, finish() {} }),
    queue: { submit() {} },
  };
  return { gpu, check() {} } as unknown as Device;
}

const runner = {
  plan: { passes: [pass('a'), pass('b')] },
  submit() {},
  submitPasses() {},
  time: async () => 1,
} as unknown as Runner;

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('profilePasses', () => {
  it('takes medians of all runs, and the trace from one of them, whose passes do not overlap', async () => {
    vi.stubGlobal('GPUBufferUsage', {});
    vi.stubGlobal('GPUMapMode', {});
    const stamps = [
      [0, 9_000, 9_000, 10_000],
      [0, 9_000, 9_000, 10_000],
      [0, 1_000, 2_000, 3_000],
    ];
    const found = await profilePasses(deviceWith(stamps), runner, 3);
    expect(found.passes.map(({ us }) => us)).toEqual([9, 1]);
    const { traceEvents } = JSON.parse(chromeTrace(found)) as { traceEvents: { ts: number; dur: number }[] };
    expect(traceEvents.map(({ ts, dur }) => [ts, dur])).toEqual([
      [0, 1],
      [2, 1],
    ]);
  });
});

describe('printProfile', () => {
  const cells = (text: string) =>
    text
      .split('\n')
      .filter((line) => line.includes(' %'))
      .map((line) => line.trim().split(/ {2,}/));

  it('sums passes of a kind, slowest first, and those after the last row in one', () => {
    const text = printProfile(profileOf(['cheap', 1000], ['dear', 6000], ['dear', 2000], ['cheapest', 500]), {
      rows: 1,
    });
    expect(cells(text)).toEqual([
      ['dear dear [2,3]', '2', '8.000', '2.00', '1.00', '84.2 %'],
      ['others', '2', '1.500', '10.67', '5.33', '15.8 %'],
      ['all 4 passes', '4', '9.500', '3.37', '1.68', '100.0 %'],
    ]);
  });

  it('lists each pass with its position in the model on request', () => {
    const text = printProfile(profileOf(['b', 1000], ['a', 6000], ['a', 3000]), { each: true, rows: 1 });
    expect(cells(text)).toEqual([
      ['0 b b [2,3]', '1', '1.000', '8.00', '4.00', '10.0 %', 'model.b'],
      ['1 a a [2,3]', '1', '6.000', '1.33', '0.67', '60.0 %', 'model.a'],
      ['2 a a [2,3]', '1', '3.000', '2.67', '1.33', '30.0 %', 'model.a'],
      ['all 3 passes', '3', '10.000', '2.40', '1.20', '100.0 %'],
    ]);
  });

  it.each([
    [
      'gpu',
      9.5,
      'the passes sum up to 9.000 ms, 0.500 ms less: a run also records, submits, waits between passes',
    ],
    ['gpu', 8, 'the passes sum up to 9.000 ms, 1.000 ms more: a timed pass does not overlap'],
    ['host', 8, 'the passes sum up to 9.000 ms: each pass is submitted and awaited'],
  ] as const)('says why the passes take another time than a run (%s clock, %d ms)', (clock, ms, why) => {
    const text = printProfile({ ...profileOf(['a', 6000], ['b', 3000]), clock, ms });
    expect(text).toContain(`a run takes ${ms.toFixed(3)} ms`);
    expect(text).toContain(why);
  });

  it('leaves out rates if the measured time is 0', () => {
    expect(cells(printProfile(profileOf(['a', 0])))).toEqual([
      ['a a [2,3]', '1', '0.000', '0.0 %'],
      ['all 1 passes', '1', '0.000', '0.0 %'],
    ]);
  });
});
