import { expect, it } from 'vitest';
import { curve, runs } from '../../src/report/curves.ts';

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

it('weighs values', () => {
  const [point] = curve(points(10, 40), 1, (i) => [1, 2][i] as number);
  expect(point).toEqual({ x: 1.5, y: 30, low: 10, high: 40 });
});

it('finds runs of neighbours', () => {
  expect(runs([1, 2, 0, 3, 0, 0, 4, 5], (x) => x > 0)).toEqual([[1, 2], [3], [4, 5]]);
  expect(runs([], () => true)).toEqual([]);
});
