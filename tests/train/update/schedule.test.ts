// Schedules compared with their formulas.

import { describe, expect, it } from 'vitest';
import {
  checkSchedule,
  decayEnd,
  learningRate,
  type ScheduleConfig,
  scheduleConfig,
  scheduleNames,
} from '../../../src/train/update/schedule.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';

const base: ScheduleConfig = {
  kind: 'constant',
  learningRate: 1e-3,
  warmupSteps: 4,
  steps: 24,
  minLearningRate: 1e-4,
  dModel: 256,
};
const rates = (s: Partial<ScheduleConfig>, steps: number[]) =>
  steps.map((step) => learningRate({ ...base, ...s }, step));
const close = (got: number[], want: number[]) => {
  expect(got).toHaveLength(want.length);
  for (const [i, x] of got.entries()) expect(x).toBeCloseTo(want[i]!, 12);
};

describe('learning rates', () => {
  it('warm up in equal steps to the full rate, which the last of them has', () => {
    for (const kind of ['constant', 'linear', 'cosine', 'inverse-sqrt'] as const)
      close(rates({ kind }, [0, 1, 2, 3]), [0.25e-3, 0.5e-3, 0.75e-3, 1e-3]);
  });

  it('are constant for the constant schedule, also without warm-up', () => {
    close(rates({}, [4, 100]), [1e-3, 1e-3]);
    close(rates({ warmupSteps: 0 }, [0, 1]), [1e-3, 1e-3]);
  });

  it('fall linearly to the minimum', () => {
    close(rates({ kind: 'linear' }, [13, 23, 24, 1000]), [5.5e-4, 1e-4, 1e-4, 1e-4]);
    close(
      rates({ kind: 'linear', warmupSteps: 0, minLearningRate: 0, steps: 10 }, [0, 4, 9]),
      [9e-4, 5e-4, 0],
    );
  });

  it('fall as half a cosine to the minimum', () => {
    close(rates({ kind: 'cosine' }, [13, 23, 1000]), [5.5e-4, 1e-4, 1e-4]);
    close(rates({ kind: 'cosine' }, [8]), [1e-4 + 9e-4 * 0.5 * (1 + Math.cos(Math.PI * 0.25))]);
  });

  it('fall with the inverse root of the step', () => {
    close(rates({ kind: 'inverse-sqrt' }, [15, 63]), [0.5e-3, 0.25e-3]);
  });

  it("follow the paper's formula", () => {
    const paper = { kind: 'noam', learningRate: 1, warmupSteps: 4000, dModel: 512 } as const;
    close(rates(paper, [0, 3999, 15999]), [
      512 ** -0.5 * 4000 ** -1.5,
      512 ** -0.5 * 4000 ** -0.5,
      512 ** -0.5 * 16000 ** -0.5,
    ]);
    // 7e-4 at its peak, as everyone's copy of the paper has it.
    expect(learningRate({ ...base, ...paper }, 3999)).toBeCloseTo(6.99e-4, 6);
  });

  it('are never negative, infinite or above the maximum', () => {
    for (const kind of scheduleNames)
      for (let step = 0; step < 60; step++) {
        const rate = learningRate({ ...base, kind }, step);
        expect(rate).toBeGreaterThan(0);
        expect(rate).toBeLessThanOrEqual(1e-3);
      }
  });
});

describe('a schedule with a separate length', () => {
  const run = { steps: 40, dModel: 64 };
  it('equals the schedule of a longer run, warm-up included', () => {
    for (const kind of ['linear', 'cosine'] as const) {
      const whole = scheduleConfig({ kind, learningRate: 1e-3 }, { ...run, steps: 100 });
      expect(scheduleConfig({ kind, learningRate: 1e-3, steps: 100 }, run)).toEqual(whole);
      expect(whole).toMatchObject({ steps: 100, warmupSteps: 10 });
    }
  });

  it('reports its last step if it decays', () => {
    const ends = scheduleNames.map((kind) => decayEnd(scheduleConfig({ kind, learningRate: 1 }, run)));
    expect(ends).toEqual([undefined, 40, 40, undefined, undefined]);
  });
});

describe('a wrong schedule is named', () => {
  const cases: [Partial<ScheduleConfig>, ExpectedError][] = [
    [
      { kind: 'step' as 'linear' },
      { area: 'schedule', options: ['kind'], values: ['"step"', 'constant', 'linear', 'cosine'] },
    ],
    [{ learningRate: 0 }, { area: 'schedule', options: ['learningRate'], values: [0] }],
    [{ learningRate: Number.NaN }, { area: 'schedule', options: ['learningRate'], values: [0] }],
    [
      { learningRate: Number.POSITIVE_INFINITY },
      { area: 'schedule', options: ['learningRate'], values: [0] },
    ],
    [{ warmupSteps: -1 }, { area: 'schedule', options: ['warmupSteps'], values: [-1, 0] }],
    [{ warmupSteps: 1.5 }, { area: 'schedule', options: ['warmupSteps'], values: [1.5] }],
    [
      { minLearningRate: 2e-3 },
      { area: 'schedule', options: ['minLearningRate', 'learningRate'], values: [0.002, 0.001] },
    ],
    [
      { kind: 'noam', warmupSteps: 0 },
      { area: 'schedule', options: ['warmupSteps'], values: ['noam'] },
    ],
    [
      { kind: 'inverse-sqrt', warmupSteps: 0 },
      { area: 'schedule', options: ['warmupSteps'], values: ['inverse-sqrt'] },
    ],
    [
      { kind: 'cosine', steps: 4 },
      { area: 'schedule', options: ['warmupSteps', 'warmupSteps', 'steps'], values: [4, 'cosine'] },
    ],
  ];
  for (const [wrong, expected] of cases)
    it(JSON.stringify(wrong), () => {
      expect(() => checkSchedule({ ...base, ...wrong })).toThrow(errorAbout(expected));
    });

  it('by its field, and valid ones are accepted', () => {
    for (const kind of scheduleNames) expect(() => checkSchedule({ ...base, kind })).not.toThrow();
  });
});
