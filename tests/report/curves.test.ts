import { expect, it } from 'vitest';
import { curve, rates, runs } from '../../src/report/svg-chart.ts';

const points = (...ys: number[]) => ys.map((y, i) => [i + 1, y] as const);

it('keeps few values as they are', () => {
  expect(curve(points(3, 1))).toEqual([
    { x: 1, y: 3, low: 3, high: 3 },
    { x: 2, y: 1, low: 1, high: 1 },
  ]);
  expect(curve([])).toEqual([]);
});

it('makes one point of many values, with their range', () => {
  expect(curve(points(1, 3, 5, 5, 8), 3)).toEqual([
    { x: 1.5, y: 2, low: 1, high: 3 },
    { x: 3.5, y: 5, low: 5, high: 5 },
    { x: 5, y: 8, low: 8, high: 8 },
  ]);
});

it('leaves out what is not finite, and keeps a gap where nothing else is', () => {
  expect(curve(points(1, Number.NaN, Number.NaN, Number.POSITIVE_INFINITY), 2)).toEqual([
    { x: 1, y: 1, low: 1, high: 1 },
    { x: 3, y: Number.NaN, low: Number.NaN, high: Number.NaN },
  ]);
});

it('makes rates of what came and the time it took', () => {
  const values = [1, 2, 4, 4, 6].map((time, i) => ({ x: i + 1, amount: 10 * (i + 1), time }));
  expect(rates(values, 3).map(({ x, y }) => [x, y])).toEqual([
    [1.5, 15],
    [3.5, 35],
    [5, 25],
  ]);
  expect(rates(values).map(({ y }) => y)).toEqual([10, 20, 15, Number.NaN, 25]);
  expect(rates([])).toEqual([]);
});

it('finds runs of neighbours', () => {
  expect(runs([1, 2, 0, 3, 0, 0, 4, 5], (x) => x > 0)).toEqual([[1, 2], [3], [4, 5]]);
  expect(runs([], () => true)).toEqual([]);
});
