// The small byte pair encoding of the page Learn.
import { expect, it } from 'vitest';
import { mergesOf, piecesOf } from '../../demo/toys/merges.ts';

it('joins the most frequent pair of neighbours, one merge at a time', () => {
  const merges = mergesOf('low low low lower lowest newer', 10);
  expect(merges.slice(0, 2)).toEqual([
    { left: '␣l', right: 'o', count: 5 },
    { left: '␣lo', right: 'w', count: 5 },
  ]);
  expect(piecesOf('low', [])).toEqual(['␣l', 'o', 'w']);
  expect(piecesOf('Slow, low', merges.slice(0, 2))).toEqual(['␣s', 'l', 'o', 'w', '␣,', '␣low']);
  expect(merges.every(({ count }, i) => count >= 2 && count <= (merges[i - 1]?.count ?? 5))).toBe(true);
  for (const text of ['lowest newer', 'zebra'])
    expect(piecesOf(text, merges).join('').replaceAll('␣', ' ').trim()).toBe(text);
});
