// The heat map: weights of one layer and head or their means, and labels.
import { expect, it } from 'vitest';
import { labelOf, viewOf } from '../../demo/train/page/heat-map.ts';

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
  expect(labelOf('')).toBe('∅');
  expect(labelOf('Donaudampfschifffahrt')).toBe('Donaudampfsch…');
  expect(labelOf('🧵'.repeat(14))).toBe('🧵'.repeat(14));
});
