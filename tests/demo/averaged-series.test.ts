// Series in bounded memory.
import { describe, expect, it } from 'vitest';
import { Series } from '../../demo/train/page/averaged-series.ts';

describe('a series', () => {
  it('keeps every point until it is full', () => {
    const series = new Series(8);
    for (let x = 1; x <= 8; x++) series.add(x, x * 10);
    expect(series.xs).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(series.ys).toEqual([10, 20, 30, 40, 50, 60, 70, 80]);
  });

  it('averages neighbours when it is full, and continues at that width', () => {
    const series = new Series(8);
    for (let x = 1; x <= 11; x++) series.add(x, x);
    expect(series.xs).toEqual([2, 4, 6, 8, 10, 11]);
    expect(series.ys).toEqual([1.5, 3.5, 5.5, 7.5, 9.5, 11]);
  });

  it('never exceeds its capacity, ends at the last step and preserves the mean', () => {
    const series = new Series(64);
    const steps = 64 * 1024;
    let max = 0;
    for (let x = 1; x <= steps; x++) {
      series.add(x, x % 2);
      max = Math.max(max, series.xs.length);
    }
    expect(max).toBe(64);
    expect(series.xs.at(-1)).toBe(steps);
    for (const y of series.ys) expect(y).toBeCloseTo(0.5, 10);
  });

  it('ignores values that are not finite, and returns the last value unaveraged', () => {
    const series = new Series(2);
    for (const [x, y] of [
      [1, 1],
      [2, Number.NaN],
      [3, Number.POSITIVE_INFINITY],
      [4, 5],
      [5, 9],
    ] as const)
      series.add(x, y);
    expect(series.xs).toEqual([4, 5]);
    expect(series.ys).toEqual([3, 9]);
    expect(series.last).toBe(9);
  });

  it('is empty after clear', () => {
    const series = new Series(2);
    for (let x = 0; x < 9; x++) series.add(x, 1);
    series.clear();
    series.add(1, 4);
    series.add(2, 6);
    expect([series.xs, series.ys]).toEqual([
      [1, 2],
      [4, 6],
    ]);
  });
});
