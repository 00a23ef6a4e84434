// The heat map: weights of one layer and head or their means, labels, and sizes.
import { expect, it } from 'vitest';
import { labelOf, sizesFor, viewOf } from '../../demo/train/page/heat-map.ts';

// Two layers of two heads, one target token and two source tokens; the weights of the heads differ.
const attention = {
  target: ['a'],
  source: ['x', 'y'],
  layers: 2,
  heads: 2,
  weights: Float32Array.of(1, 0, 0.5, 0.5, 0.25, 0.75, 0, 1), // [L, H, T, S]
};

it('shows one head of one layer unchanged', () => {
  expect([...viewOf(attention, 1, 0)]).toEqual([0.25, 0.75]);
});

it('averages over heads, over layers, and over both', () => {
  expect([...viewOf(attention, 0, -1)]).toEqual([0.75, 0.25]);
  expect([...viewOf(attention, -1, 1)]).toEqual([0.25, 0.75]);
  expect([...viewOf(attention, -1, -1)]).toEqual([0.4375, 0.5625]);
});

it('makes spaces visible and truncates long tokens', () => {
  expect(labelOf(' de ')).toBe('␣de␣');
  expect(labelOf('▁de')).toBe('␣de');
  expect(labelOf('')).toBe('∅');
  expect(labelOf('Donaudampfschifffahrt')).toBe('Donaudampfsch…');
  expect(labelOf('🧵'.repeat(14))).toBe('🧵'.repeat(14));
});

it('fits sixteen columns on a phone, with vertical labels, and has a smallest cell for more', () => {
  const words = (n: number) =>
    Array.from({ length: n }, (_, i) => ['␣token', '␣of', '␣words'][i % 3] as string);
  const width = ({ cell, left, right }: ReturnType<typeof sizesFor>, columns: number) =>
    left + columns * cell + right;
  const [phone, desktop] = [330, 560];
  const few = sizesFor(words(5), words(5), phone);
  expect([few.cell, few.isUpright]).toEqual([30, false]);
  const many = sizesFor(words(16), words(14), phone);
  expect(many.isUpright).toBe(true);
  expect(many.cell).toBeGreaterThanOrEqual(14);
  expect(width(many, 16)).toBeLessThanOrEqual(phone);
  expect(sizesFor(words(16), words(14), desktop)).toMatchObject({ isUpright: false });
  expect(width(sizesFor(words(16), words(14), desktop), 16)).toBeLessThanOrEqual(desktop);
  expect(sizesFor(words(100), words(100), phone).cell).toBe(14);
});
