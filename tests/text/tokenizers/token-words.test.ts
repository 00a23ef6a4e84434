// Words of tokens: between ASCII spaces, by their characters.
import { expect, it } from 'vitest';
import {
  addedTexts,
  textsOfTokens,
  wordsOf,
  wordsOfTokens,
} from '../../../src/text/tokenizers/token-words.ts';
import { trainBpe } from '../../support/tokenizers.ts';

it('ends words at ASCII spaces only, as fast_align', () => {
  expect(wordsOf(' the\tcat  10\u00a0000 km ')).toEqual(['the', 'cat', '10\u00a0000', 'km']);
  expect(wordsOf('  ')).toEqual([]);
});

it('finds the word of each token by its characters', () => {
  expect(wordsOfTokens(['▁the', '▁c', 'at', '▁10', '▁000'], ['the', 'cat', '10\u00a0000'])).toEqual([
    0, 1, 1, 2, 2,
  ]);
  expect(wordsOfTokens([], ['a'])).toEqual([]);
});

it('gives the text that each token adds', () => {
  const tokenizer = trainBpe(['the cat sat'], { size: 40 });
  const ids = tokenizer.encode('the cat');
  expect(addedTexts(tokenizer, ids).join('')).toBe('thecat');
  expect(textsOfTokens(tokenizer, 'the cat', ids)).toHaveLength(ids.length);
});
