// Base of the ratios of step times.
import { expect, it } from 'vitest';
import type { ApiCounter } from '../../bench/peers/api-counter.ts';
import type { Contestant } from '../../bench/peers/contestant.ts';
import { timeSteps } from '../../bench/peers/step-times.ts';
import type { GoldenCase } from '../../src/commands/jobs/verify/golden-case.ts';

const golden = {
  name: 'toy',
  optimizer: { steps: 0 },
  expected: { losses: { data: [2] } },
  source: { data: [1] },
  targetIn: { data: [1] },
} as unknown as GoldenCase;
const counter = {
  bytesOf: () => ({ live: 0, peak: 0 }),
  count: async (work: () => Promise<unknown>) => {
    await work();
    return { dispatches: 0, submits: 0, objects: 0 };
  },
} as unknown as ApiCounter;
/** A contestant whose step takes `ms`. */
const contestant = (name: string, ms: number) =>
  ({
    name,
    memory: () => null,
    model: () => ({ step: () => new Promise((done) => setTimeout(done, ms, 2)), dispose() {} }),
  }) as unknown as Contestant;
const ratios = async (...contestants: Contestant[]) => {
  const timed = await timeSteps(
    contestants,
    counter,
    golden,
    { steps: 3, warmups: 1, maxSeconds: 1 },
    () => {},
  );
  return Object.fromEntries(timed.map((t) => [t.contestant, t.ratio]));
};

it('ratios are relative to heddle, at any position', async () => {
  const found = await ratios(contestant('tfjs', 10), contestant('heddle', 1));
  expect(found.heddle).toBe(1);
  expect(found.tfjs).toBeGreaterThan(1);
});

it('ratios are relative to the first contestant if heddle is missing', async () => {
  expect((await ratios(contestant('jax-js', 1), contestant('tfjs', 1)))['jax-js']).toBe(1);
});
