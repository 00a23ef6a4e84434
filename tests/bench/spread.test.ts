// Spread of measurements, and whether a change is larger than it.
import { expect, it } from 'vitest';
import type { KernelResult } from '../../src/bench/check-kernel.ts';
import { changeOf, disturbance, rangeOf, spreadOf } from '../../src/bench/spread.ts';

const timed = (ms: number, spread: number) => ({ ms, low: ms * (1 - spread), high: ms * (1 + spread) });

it('the spread is half the range between the quartiles, relative to the median', () => {
  expect(spreadOf({ ms: 10, low: 9, high: 12 })).toBeCloseTo(0.15, 9);
  expect(rangeOf([80, 100, 90])).toBeCloseTo(0.2, 9);
});

it.each([
  [timed(8, 0.01), timed(10, 0.01), [], true], // 20 % faster, noise 2.8 %
  [timed(9.9, 0.001), timed(10, 0.001), [], false], // 1 % is less than clocks can tell
  [timed(8, 0.15), timed(10, 0.01), [], false], // 20 % faster, noise 30 %
  [timed(8, 0.01), timed(10, 0.01), [0.2], false], // the machine itself differs by more
  [timed(12, 0.02), timed(10, 0.02), [0.01, 0.01], true],
  [timed(0.2, 0.01), timed(10, 0.01), [0.5], true], // noise of 100 % cannot explain 50 times the speed
])('distinguishes a change from noise: %j, before %j', (now, before, machines, significant) => {
  const found = changeOf(now, before, machines);
  expect(found.change).toBeCloseTo(now.ms / before.ms - 1, 9);
  expect(found.significant).toBe(significant);
});

it('marks a kernel if its times differ, or the machine was slow afterwards', () => {
  const kernel = (spread: number, speed?: number): KernelResult => ({
    name: 'k',
    group: 'rows',
    op: 'softmax',
    flops: 1,
    bytes: 1,
    speed,
    variants: [{ variant: 'only', error: 0, passed: true, ...timed(5, spread) }],
  });
  expect(disturbance(kernel(0.01))).toBeCloseTo(0.01, 9);
  expect(disturbance(kernel(0.01, 0.5))).toBeCloseTo(0.5, 9);
  expect(disturbance(kernel(0.3, 1.02))).toBeCloseTo(0.3, 9);
});
