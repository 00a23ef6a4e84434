// A run says once that its steps take twice as long, and again only after they were faster.

import { expect, it } from 'vitest';
import { fixed, holesOf, option } from '../../../src/core/message.ts';
import { type Slowdown, StepPace, slowdownText } from '../../../src/train/run/step-pace.ts';

/** Adds updates of `seconds` each, whose work alternates as in buckets; returns what was said. */
function run(pace: StepPace, updates: number, seconds: number): Slowdown[] {
  const said: Slowdown[] = [];
  for (let i = 0; i < updates; i++) {
    const work = i % 2 === 0 ? 10 : 40;
    const found = pace.add((seconds * work) / 10, work);
    if (found) said.push(found);
  }
  return said;
}

it('says so once when the median has doubled, and again after a recovery', () => {
  const pace = new StepPace();
  expect(run(pace, 4, 9)).toEqual([]); // compiles kernels
  expect(run(pace, 60, 0.1)).toEqual([]);
  const said = run(pace, 60, 0.25);
  expect(said).toHaveLength(1);
  expect(said[0]?.times).toBeCloseTo(2.5);
  expect(run(pace, 60, 0.1)).toEqual([]);
  expect(run(pace, 60, 0.3)).toHaveLength(1);
});

it('says nothing about single slow updates, a few slow seconds, larger batches, or 1.9 times', () => {
  const pace = new StepPace();
  run(pace, 30, 0.1);
  for (let i = 0; i < 20; i++) {
    expect(run(pace, 1, 5)).toEqual([]);
    expect(run(pace, 3, 0.1)).toEqual([]);
  }
  expect(run(pace, 60, 0.19)).toEqual([]);
  expect(run(pace, 20, 0.25)).toEqual([]);
  run(pace, 60, 0.1);
  expect(pace.add(3, 0)).toBeUndefined();
});

it('names what helps', () => {
  const said = slowdownText({ times: 2.25, firstMs: 40.2, nowMs: 90.4 });
  expect(holesOf(said)).toEqual([fixed(2.25, 1), 90, 40, option('batchSize'), option('evalSteps')]);
});
