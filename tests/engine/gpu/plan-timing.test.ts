// How a plan is timed, on a runner whose times are known.
import { describe, expect, it } from 'vitest';
import type { Device } from '../../../src/engine/gpu/device.ts';
import { quartiles, timeRunner } from '../../../src/engine/gpu/plan-timing.ts';
import type { Runner } from '../../../src/engine/gpu/runner.ts';

/** A device without timestamp queries. */
const device = { gpu: { features: new Set() } } as unknown as Device;

/**
 * A runner whose submission costs `overhead` and each run `ms` milliseconds; `repetitions` lists those of
 * each call.
 */
function fake(ms: number, overhead: number) {
  const repetitions: number[] = [];
  const clock = async (repeats: number) => {
    repetitions.push(repeats);
    return { host: overhead + repeats * ms, gpu: undefined };
  };
  return { runner: { clock } as unknown as Runner, repetitions };
}

describe('timeRunner', () => {
  it('repeats until a measurement lasts as long as requested, for any overhead of a submission', async () => {
    const { runner, repetitions } = fake(0.01, 3);
    const { ms, repeats, rounds, clock } = await timeRunner(device, runner, { span: 50, rounds: 5 });
    expect(repeats * 0.01).toBeGreaterThanOrEqual(20);
    expect(repetitions.filter((n) => n === repeats)).toHaveLength(6);
    expect([rounds, clock]).toEqual([5, 'host']);
    expect(ms).toBeCloseTo(0.01 + 3 / repeats, 9);
    expect(ms).toBeLessThan(0.012);
  });

  it('does not repeat a run that is longer than a measurement', async () => {
    const { runner, repetitions } = fake(400, 1);
    await timeRunner(device, runner, { span: 100, rounds: 3 });
    expect(repetitions).toEqual([1, 1, 1, 1]);
  });

  it('times a run that cannot be the fastest only once', async () => {
    const { runner, repetitions } = fake(30, 0);
    const timing = await timeRunner(device, runner, { span: 100, rounds: 5, skipAbove: 20 });
    expect(repetitions).toEqual([1]);
    expect(timing).toMatchObject({ ms: 30, low: 30, high: 30, rounds: 1 });
  });
});

it('returns median and quartiles that are among the times', () => {
  expect(quartiles([5, 1, 4, 2, 3])).toEqual({ ms: 3, fastest: 1, low: 2, high: 4 });
  expect(quartiles([7])).toEqual({ ms: 7, fastest: 7, low: 7, high: 7 });
});
