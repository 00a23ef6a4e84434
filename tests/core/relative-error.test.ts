// The relative error of results.
import { expect, it } from 'vitest';
import { relativeError } from '../../src/core/relative-error.ts';

it('is the largest difference, relative to the largest reference', () => {
  expect(relativeError([1, 2.5, -3], [1, 2, -4])).toBe(0.25);
  expect(relativeError([0.5, 0], [0, 0])).toBe(0.5);
  expect(relativeError([], [])).toBe(0);
});

it('is infinite for other lengths, NaN and infinity', () => {
  for (const [got, want] of [
    [[1], [1, 2]],
    [
      [Number.NaN, 1],
      [1, 1],
    ],
    [[Number.NaN], [Number.NaN]],
    [
      [1, 2],
      [Number.POSITIVE_INFINITY, 2],
    ],
  ] as const)
    expect(relativeError(got, want)).toBe(Number.POSITIVE_INFINITY);
});

it('ignores NaN that both sides have, if asked to', () => {
  expect(relativeError([Number.NaN, 2], [Number.NaN, 2], true)).toBe(0);
  expect(relativeError([Number.NaN, 3], [Number.NaN, 2], true)).toBe(0.5);
  expect(relativeError([Number.NaN], [1], true)).toBe(Number.POSITIVE_INFINITY);
});
