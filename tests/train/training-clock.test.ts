// The clock of a training: pauses and the sleep of a machine do not count, slow updates do.
import { expect, it } from 'vitest';
import { createTrainingClock } from '../../src/train/loop.ts';

function made() {
  let now = 5000;
  const slept: number[] = [];
  const clock = createTrainingClock(
    (seconds) => slept.push(seconds),
    () => now,
  );
  const after = (seconds: number) => {
    now += seconds * 1000;
  };
  const step = (seconds: number) => {
    after(seconds);
    return clock.step();
  };
  return { clock, slept, after, step };
}

it('counts updates and not pauses', async () => {
  const { clock, after, step } = made();
  expect(step(2)).toBeCloseTo(2);
  await clock.paused(async () => after(500));
  expect(step(1)).toBeCloseTo(3);
  expect(clock.seconds()).toBeCloseTo(3);
});

it('takes a wait that is far beyond all others for sleep, and counts it as the longest update', () => {
  const { slept, step } = made();
  for (let i = 0; i < 10; i++) step(0.5);
  expect(step(3600)).toBeCloseTo(5.5);
  expect(slept).toEqual([3600]);
  expect(step(0.5)).toBeCloseTo(6);
});

it('counts slow updates: the first, which compile, and any that are slow for a reason of their own', () => {
  const { slept, step } = made();
  expect(step(60)).toBeCloseTo(60);
  for (let i = 0; i < 20; i++) step(3);
  expect(step(50)).toBeCloseTo(170);
  expect(slept).toEqual([]);
});
