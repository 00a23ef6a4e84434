// The fits of the scaling benchmark, and what their limits reject.

import { describe, expect, it } from 'vitest';
import { exponentOf, fitsOf } from '../../../bench/scale/scale-fits.ts';
import type { AxisCosts, Cost } from '../../../bench/scale/scale-report.ts';

describe('exponentOf', () => {
  it('is the exponent of a power law, or of its end if that is larger', () => {
    const power = (b: number) => [1, 2, 4, 8, 16].map((x) => [x, 3 * x ** b] as const);
    for (const b of [0, 1, 2]) expect(exponentOf(power(b), true)).toBeCloseTo(b, 10);
    const late = [1, 2, 4, 8, 16].map((x) => [x, 100 + x ** 2] as const);
    expect(exponentOf(late, false)).toBeLessThan(0.5);
    expect(exponentOf(late, true)).toBeGreaterThan(exponentOf(late, false));
    expect(exponentOf(power(1).slice(0, 2), true)).toBeNaN();
  });
});

describe('limits', () => {
  const points = (cost: (value: number) => Partial<Cost>): AxisCosts => ({
    axis: 'length',
    run: 'training',
    points: [32, 64, 128, 256].map((value) => ({
      value,
      cost: { memory: 1, dispatches: 1, attentionFlops: 1, otherFlops: 1, ...cost(value) },
    })),
  });

  it('fail for memory quadratic in length, and pass for linear memory', () => {
    const failed = (cost: (value: number) => Partial<Cost>) =>
      fitsOf([points(cost)]).flatMap((f) => (f.passed ? [] : [f.cost]));
    expect(failed((n) => ({ memory: n ** 2 }))).toEqual(['memory']);
    expect(failed((n) => ({ memory: 1000 + n, dispatches: n ** 0.2, jsMs: 1 }))).toEqual(['dispatches']);
    expect(failed((n) => ({ attentionFlops: n ** 2, otherFlops: n, stepMs: n ** 2 }))).toEqual([]);
    expect(failed((n) => ({ otherFlops: n ** 2, jsMs: n ** 0.3 }))).toEqual(['otherFlops', 'jsMs']);
  });
});
