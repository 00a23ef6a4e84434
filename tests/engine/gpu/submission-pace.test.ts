// The pace of submissions: how large they are, and what changes after a loss.

import { describe, expect, it, vi } from 'vitest';
import { limitsAfterLoss, passCost, SubmissionPace } from '../../../src/engine/gpu/submission-pace.ts';
import type { Pass, Plan } from '../../../src/engine/plan/plan.ts';

const pass = (flops: number): Pass => ({ flops, bind: {} }) as unknown as Pass;
const planOf = (...flops: number[]): Plan => ({ passes: flops.map(pass), flops: 0 }) as unknown as Plan;

/** A queue whose work takes as long as `ms` says, by a fake clock. */
const queueOf = (ms: () => number): GPUQueue =>
  ({
    onSubmittedWorkDone: () => new Promise((resolve) => setTimeout(resolve, ms())),
  }) as unknown as GPUQueue;

/** The ends of the submissions of a run. */
function submissionsOf(pace: SubmissionPace, plan: Plan, count = plan.passes.length): number[] {
  const ends: number[] = [];
  for (let from = 0; from < count; from = ends.at(-1) as number) ends.push(pace.take(plan, from, count));
  return ends;
}

describe('SubmissionPace', () => {
  it('takes passes up to the budget, and at least one', () => {
    const pace = new SubmissionPace({ maxCost: 100 });
    expect(submissionsOf(pace, planOf(40, 40, 40, 500, 10, 10))).toEqual([2, 3, 4, 6]);
  });

  it('goes on over repeated runs', () => {
    const pace = new SubmissionPace({ maxCost: 100 });
    expect(submissionsOf(pace, planOf(40, 30), 5)).toEqual([2, 4, 5]);
  });

  it('counts bytes that a pass reads and writes', () => {
    const range = { buffer: 0, offset: 0, bytes: 100 };
    expect(passCost({ ...pass(10), bind: { x: range, y: range } })).toBe(1 + 10 + 800);
  });

  it('starts small, at most doubles with each measurement, and shrinks at once if one takes too long', async () => {
    vi.useFakeTimers();
    try {
      let ms = 1;
      const queue = queueOf(() => ms);
      const pace = new SubmissionPace({ maxMs: 20 });
      const plan = planOf(...Array.from({ length: 4000 }, () => 1e6));
      const budgets = [pace.budget];
      const submit = async () => {
        pace.take(plan, 0, 4000);
        pace.submitted(queue);
        await vi.advanceTimersByTimeAsync(ms);
        budgets.push(pace.budget);
      };
      for (let i = 0; i < 5; i++) await submit();
      for (const [i, budget] of budgets.entries())
        if (i > 0) expect(budget / (budgets[i - 1] as number)).toBeLessThanOrEqual(2);
      expect(budgets[4]).toBeGreaterThan(4 * (budgets[0] as number));
      ms = 100;
      await submit();
      expect(budgets.at(-1)).toBeLessThan((budgets.at(-2) as number) / 5);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('limitsAfterLoss', () => {
  it('allows an eighth of the largest submission that can be cut', () => {
    expect(limitsAfterLoss({ largest: planOf(79, 79, 79) })).toEqual({ maxCost: 30 });
    const pace = new SubmissionPace({ maxMs: 50, maxCost: 200 });
    const plan = planOf(79, 79, 79, 999); // 80 + 80, 80, and 1000, which is a single pass
    for (let at = 0; at < 4; ) {
      at = pace.take(plan, at, 4);
      pace.submitted(queueOf(() => 0));
    }
    expect(limitsAfterLoss({ pace })).toEqual({ maxMs: 50, maxCost: 20 });
  });

  it('is nothing without submissions of several passes', () => {
    expect(limitsAfterLoss({})).toBeUndefined();
    expect(limitsAfterLoss({ largest: planOf(10) })).toBeUndefined();
    expect(limitsAfterLoss({ pace: new SubmissionPace({ maxCost: 1 }) })).toBeUndefined();
  });
});
