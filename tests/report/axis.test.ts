import fc from 'fast-check';
import { expect, it } from 'vitest';
import { linearAxis, logAxis } from '../../src/report/svg-chart.ts';

it('widens a linear axis to round ends', () => {
  const axis = linearAxis(0.13, 8.7, { count: 5 });
  expect(axis.ticks).toEqual([0, 2, 4, 6, 8, 10]);
  expect([axis.at(0), axis.at(5), axis.at(10)]).toEqual([0, 0.5, 1]);
  expect(linearAxis(0.1, 0.3).ticks).toEqual([0.1, 0.15, 0.2, 0.25, 0.3]);
});

it('keeps the ends of an exact axis, with round ticks between', () => {
  const axis = linearAxis(3, 1503, { count: 5, exact: true });
  expect([axis.at(3), axis.at(1503)]).toEqual([0, 1]);
  expect(axis.ticks).toEqual([500, 1000, 1500]);
});

it('has room around a single value', () => {
  expect(linearAxis(5, 5).at(5)).toBeCloseTo(0.5, 6);
  expect(linearAxis(0, 0).at(0)).toBeCloseTo(0.5, 6);
  expect(logAxis(5, 5).at(5)).toBeGreaterThan(0);
  expect(logAxis(5, 5).at(5)).toBeLessThan(1);
});

it('marks 1, 2, 5 on a logarithmic axis, and has no place for 0', () => {
  const axis = logAxis(0.05, 8);
  expect(axis.ticks).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10].filter((_, i) => i % 2 === 0));
  expect(axis.at(0.05)).toBe(0);
  expect(axis.at(10)).toBe(1);
  expect(axis.at(Math.sqrt(0.5))).toBeCloseTo(0.5, 6);
  expect(axis.at(0)).toBeNaN();
});

it('holds all values, in order, with few ticks inside', () => {
  const value = fc.double({ min: 1e-9, max: 1e9, noNaN: true });
  fc.assert(
    fc.property(value, value, (a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      for (const axis of [linearAxis(low, high, { count: 5 }), logAxis(low, high)]) {
        for (const x of [low, high, ...axis.ticks]) {
          expect(axis.at(x)).toBeGreaterThanOrEqual(-1e-6);
          expect(axis.at(x)).toBeLessThanOrEqual(1 + 1e-6);
        }
        expect(axis.ticks.length).toBeGreaterThan(0);
        expect(axis.ticks.length).toBeLessThanOrEqual(9);
        expect([...axis.ticks].sort((x, y) => x - y)).toEqual(axis.ticks);
      }
    }),
  );
});
