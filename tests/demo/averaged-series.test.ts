// Curves that grow for hours within a fixed room.
import { describe, expect, it } from 'vitest';
import { createCurve } from '../../demo/train/page/averaged-series.ts';

describe('a curve', () => {
  it('keeps every point while there is room', () => {
    const curve = createCurve(8);
    for (let x = 1; x <= 8; x++) curve.add(x, x * 10);
    expect(curve.xs).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(curve.ys).toEqual([10, 20, 30, 40, 50, 60, 70, 80]);
  });

  it('takes the mean of neighbours when it is full, and goes on at that width', () => {
    const curve = createCurve(8);
    for (let x = 1; x <= 11; x++) curve.add(x, x);
    expect(curve.xs).toEqual([2, 4, 6, 8, 10, 11]);
    expect(curve.ys).toEqual([1.5, 3.5, 5.5, 7.5, 9.5, 11]);
  });

  it('never has more points than its room, ends at the last step and keeps the mean', () => {
    const curve = createCurve(64);
    const steps = 64 * 1024;
    let most = 0;
    for (let x = 1; x <= steps; x++) {
      curve.add(x, x % 2);
      most = Math.max(most, curve.xs.length);
    }
    expect(most).toBe(64);
    expect(curve.xs.at(-1)).toBe(steps);
    for (const y of curve.ys) expect(y).toBeCloseTo(0.5, 10);
  });

  it('leaves out what is not finite, and remembers the last value as it came', () => {
    const curve = createCurve(2);
    for (const [x, y] of [
      [1, 1],
      [2, Number.NaN],
      [3, Number.POSITIVE_INFINITY],
      [4, 5],
      [5, 9],
    ] as const)
      curve.add(x, y);
    expect(curve.xs).toEqual([4, 5]);
    expect(curve.ys).toEqual([3, 9]);
    expect(curve.last).toBe(9);
  });

  it('is empty after clear', () => {
    const curve = createCurve(2);
    for (let x = 0; x < 9; x++) curve.add(x, 1);
    curve.clear();
    curve.add(1, 4);
    curve.add(2, 6);
    expect([curve.xs, curve.ys]).toEqual([
      [1, 2],
      [4, 6],
    ]);
  });
});
