// The words of a text that are not in a vocabulary.
import { expect, it } from 'vitest';
import { unknownWords } from '../../../src/text/tokenizers/unknown-words.ts';
import { trainWords } from '../../support/tokenizers.ts';

it('finds the words that are not in the vocabulary, also beside punctuation', () => {
  const tokenizer = trainWords(['the station is here, at 10 o’clock.'], { size: 40 });
  const text = 'here, the love-station is at 10!';
  const found = unknownWords(tokenizer, text).map(({ start, end }) => text.slice(start, end));
  expect(found).toEqual(['love-station']);
  expect(unknownWords(tokenizer, '')).toEqual([]);
});
