// The search with phrases on the host: progress of phrases, and how beams are shared.
import { expect, it } from 'vitest';
import { allocateBeams, Phrases } from '../../../../src/features/documents/decode/phrase-search.ts';
import { continuesWord } from '../../../../src/text/tokenizers/phrase-ids.ts';
import type { Tokenizer } from '../../../../src/text/tokenizers/tokenizer.ts';

/** Bank and wanted tokens after each token. */
function follow(list: number[][], tokens: number[], joins?: (before: number, token: number) => boolean) {
  const phrases = new Phrases(list, joins);
  let progress = { met: 0, active: -1, at: 0 };
  return tokens.map((token, i) => {
    progress = { ...phrases.after(progress, token, tokens[i - 1]) };
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

it('does not take a part of a longer word for a phrase', () => {
  // Tokens from 10 continue a word.
  const joins = (before: number, token: number) => before !== 0 && token >= 10;
  expect(follow([[1], [2, 11]], [1, 10, 1, 0, 2, 11, 12, 2, 11, 0], joins)).toEqual([
    '1 [2]', '0 [1,2]', '1 [2]', '1 [2]', '2 [11]', '3 []', '1 [2]', '2 [11]', '3 []', '3 []',
  ]); // biome-ignore format: a list
  expect(follow([[10]], [5, 10, 0, 10], joins)).toEqual(['0 [10]', '0 [10]', '0 [10]', '1 []']);
});

it('knows words of scripts with and without spaces', () => {
  const words = ['cat', 's', ' s', '.', 'é', '猫', 'は', '7', 'ไม่'];
  const tokenizer = { decode: (ids: readonly number[]) => ids.map((id) => words[id]).join('') } as Tokenizer;
  const joined = (a: string, b: string) => continuesWord(tokenizer, words.indexOf(a), words.indexOf(b));
  expect([joined('cat', 's'), joined('cat', 'é'), joined('cat', '7')]).toEqual([true, true, true]);
  expect([joined('cat', ' s'), joined('cat', '.'), joined('.', 's')]).toEqual([false, false, false]);
  expect([joined('猫', 'は'), joined('は', '猫'), joined('ไม่', 'ไม่')]).toEqual([false, false, false]);
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
