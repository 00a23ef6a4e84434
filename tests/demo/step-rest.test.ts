// Rests between the updates of a training.

import { expect, it } from 'vitest';
import { StepRest } from '../../demo/train/worker/step-rest.ts';

it('rests for a multiple of the time of the update, and ends at once', async () => {
  const time = { now: 0 };
  const rest = new StepRest(() => time.now);
  time.now = 1000;
  expect(rest.next()).toBeUndefined();
  rest.set(3);
  time.now += 10;
  const start = performance.now();
  await rest.next()?.();
  expect(performance.now() - start).toBeGreaterThanOrEqual(25);
  time.now += 100_000; // a rest of 5 s at most
  const long = rest.next()?.();
  expect(long).toBeInstanceOf(Promise);
  rest.set(0);
  await long;
  expect(rest.next()).toBeUndefined();
  expect(performance.now() - start).toBeLessThan(4000);
});
