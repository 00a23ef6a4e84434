// Line charts as SVG.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Chart,
  curve,
  drawChart,
  linearAxis,
  logAxis,
  rates,
  runs,
  type Series,
} from '../../../src/train/report/svg-chart.ts';

const series = (ys: readonly number[], fields: Partial<Series> = {}): Series => ({
  name: 'loss',
  look: 1,
  points: curve(ys.map((y, i) => [i + 1, y] as const)),
  ...fields,
});
const draw = (ys: readonly number[], fields: Partial<Chart> = {}) =>
  drawChart({ series: [series(ys)], show: String, label: 'a label', ...fields }).markup;
const paths = (markup: string, kind: string) =>
  markup.match(new RegExp(`<path class="${kind}" d="([^"]*)"`))?.[1];

it('draws a line from corner to corner, with marked axes', () => {
  const markup = draw([0, 10]);
  expect(paths(markup, 'line')).toBe('M0 1000L1000 0');
  expect(markup).toContain('>10</text>');
  expect(markup).toContain('<text class="x" x="0%"');
  expect(markup).toContain('aria-label="a label"');
  expect(markup).toContain('>step</span>');
});

it('draws a single value as a dot', () => {
  const markup = draw([4]);
  expect(paths(markup, 'line')).toBeUndefined();
  expect(paths(markup, 'dots')).toMatch(/^M500 [\d.]+h0$/);
});

it('breaks the line at values that are not finite, and never writes NaN', () => {
  const markup = draw([1, 2, Number.NaN, Number.POSITIVE_INFINITY, 3, 4, Number.NaN, 2]);
  expect(paths(markup, 'line')?.match(/M/g)).toHaveLength(2);
  expect(paths(markup, 'dots')?.match(/M/g)).toHaveLength(1);
  expect(markup).not.toMatch(/NaN|Infinity/);
});

it.each([[[]], [[Number.NaN, Number.NaN]]])('reports that %j has no values', (ys) => {
  expect(draw(ys)).toBe('<p class="none">no values</p>');
});

it('omits values that a logarithmic axis cannot show', () => {
  const markup = draw([100, 0, -1, 10, 1], { scale: 'log' });
  expect(markup).not.toMatch(/NaN|Infinity/);
  expect(paths(markup, 'line')?.match(/[ML]/g)).toHaveLength(2);
  expect(draw([0, -1], { scale: 'log' })).toContain('no values');
});

it('shows the range of the values behind a point', () => {
  const many = Array.from({ length: 1000 }, (_, i) => i % 10);
  expect(paths(draw(many), 'range')).toMatch(/^M[\d. L]+Z$/);
  expect(paths(draw([1, 2, 3]), 'range')).toBeUndefined();
});

it('distinguishes lines by labels and dashes, and has no legend for a single line', () => {
  const two = [series([1, 2], { name: 'a' }), series([2, 3], { name: 'b', look: 2, dots: true })];
  const markup = drawChart({ series: two, show: String, label: '' }).markup;
  expect(markup).toContain('<span class="key look1">');
  expect(markup).toContain('<g class="look2">');
  expect(draw([1, 2])).not.toContain('class="keys"');
});

it("carries its values for the page's script, escaped", () => {
  const markup = draw([1, 2], { series: [series([1, 2], { name: '"><b>' })] });
  const data = markup.match(/data-chart="([^"]*)"/)?.[1] ?? '';
  expect(markup).not.toContain('<b>');
  expect(JSON.parse(data.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>'))).toEqual([
    {
      name: '"><b>',
      look: 1,
      points: [
        [0, 1, '1', '1'],
        [1, 0, '2', '2'],
      ],
    },
  ]);
});

describe('axes', () => {
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
});

describe('curves', () => {
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

  it('ignores values that are not finite; a group of only such values is a gap', () => {
    expect(curve(points(1, Number.NaN, Number.NaN, Number.POSITIVE_INFINITY), 2)).toEqual([
      { x: 1, y: 1, low: 1, high: 1 },
      { x: 3, y: Number.NaN, low: Number.NaN, high: Number.NaN },
    ]);
  });

  it('computes rates from amounts and times', () => {
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
});
