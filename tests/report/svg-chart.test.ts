import { expect, it } from 'vitest';
import { type Chart, curve, drawChart, type Series } from '../../src/report/svg-chart.ts';

const series = (ys: readonly number[], fields: Partial<Series> = {}): Series => ({
  name: 'loss',
  look: 1,
  points: curve(ys.map((y, i) => [i + 1, y] as const)),
  ...fields,
});
const draw = (ys: readonly number[], fields: Partial<Chart> = {}) =>
  drawChart({ series: [series(ys)], show: String, label: 'a label', ...fields }).markup;
const paths = (markup: string, kind: string) => markup.match(new RegExp(`<path class="${kind}" d="([^"]*)"`))?.[1];

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

it('lifts the pen where values are not finite, and never writes NaN', () => {
  const markup = draw([1, 2, Number.NaN, Number.POSITIVE_INFINITY, 3, 4, Number.NaN, 2]);
  expect(paths(markup, 'line')?.match(/M/g)).toHaveLength(2);
  expect(paths(markup, 'dots')?.match(/M/g)).toHaveLength(1);
  expect(markup).not.toMatch(/NaN|Infinity/);
});

it.each([[[]], [[Number.NaN, Number.NaN]]])('says that %j has no values', (ys) => {
  expect(draw(ys)).toBe('<p class="none">no values</p>');
});

it('leaves out what a logarithmic axis has no place for', () => {
  const markup = draw([100, 0, -1, 10, 1], { scale: 'log' });
  expect(markup).not.toMatch(/NaN|Infinity/);
  expect(paths(markup, 'line')?.match(/[ML]/g)).toHaveLength(2);
  expect(draw([0, -1], { scale: 'log' })).toContain('no values');
});

it('shows the range of what a point stands for', () => {
  const many = Array.from({ length: 1000 }, (_, i) => i % 10);
  expect(paths(draw(many), 'range')).toMatch(/^M[\d. L]+Z$/);
  expect(paths(draw([1, 2, 3]), 'range')).toBeUndefined();
});

it('tells several lines apart by words and strokes, and needs no key for one', () => {
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
