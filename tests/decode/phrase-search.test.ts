// The search with phrases on the host: progress of phrases, and how beams are shared.
import { expect, it } from 'vitest';
import { allocateBeams, Phrases } from '../../src/decode/phrase-search.ts';

/** Bank and wanted tokens after each token. */
function follow(list: number[][], tokens: number[]) {
  const phrases = new Phrases(list);
  let progress = { met: 0, active: -1, at: 0 };
  return tokens.map((token) => {
    progress = { ...phrases.after(progress, token) };
    return `${phrases.bank(progress)} [${phrases.wanted(progress)}]`;
  });
}

it('follows phrases token by token, and starts a phrase that is left again', () => {
  expect(follow([[1, 2, 3], [4]], [9, 1, 2, 9, 4, 1, 2, 3])).toEqual([
    '0 [1,4]', '1 [2]', '2 [3]', '0 [1,4]', '1 [1]', '2 [2]', '3 [3]', '4 []',
  ]); // biome-ignore format: a list
});

it('needs a phrase as often as it is given, and prefers the longer of two that begin alike', () => {
  expect(follow([[1], [1], [2], [2, 3]], [1, 1, 2, 3, 2])).toEqual([
    '1 [1,2]',
    '2 [2]',
    '3 [3]',
    '4 [2]',
    '5 []',
  ]);
});

it('shares beams among banks that have candidates', () => {
  const shares = (sizes: [number, number][], beams: number) =>
    [...allocateBeams(new Map(sizes), beams)].map(([bank, n]) => `${bank}: ${n}`);
  expect(
    shares(
      [
        [0, 20],
        [1, 20],
        [2, 20],
      ],
      8,
    ),
  ).toEqual(['2: 3', '1: 3', '0: 2']);
  expect(
    shares(
      [
        [0, 20],
        [3, 1],
      ],
      8,
    ),
  ).toEqual(['3: 1', '0: 7']);
  expect(shares([[0, 1]], 8)).toEqual(['0: 1']);
});
