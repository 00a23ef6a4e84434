// Error rates of recognized texts, on the pairs of jiwer's documentation and on pairs counted by hand.
import { expect, it } from 'vitest';
import { characterErrorRate, wordErrorRate } from '../../../src/features/speech/word-errors.ts';
import { errorAbout } from '../../support/expect-error.ts';

it('counts words as jiwer does', () => {
  // jiwer's README: one word of two differs.
  expect(wordErrorRate(['hello duck'], ['hello world']).rate).toBe(0.5);
  const edits = wordErrorRate(['this is a simple test'], ['this was an easy test today']);
  expect(edits).toEqual({ rate: 4 / 6, substitutions: 3, deletions: 1, insertions: 0, units: 6 });
});

it('sums over the corpus, not over the rates of its texts', () => {
  const references = ['a b c d', 'e'];
  expect(wordErrorRate(['a b c d', 'f g'], references)).toMatchObject({
    rate: 2 / 5,
    insertions: 1,
    units: 5,
  });
});

it('ignores white space at the ends and between words, but not case', () => {
  expect(wordErrorRate(['  a \t b\n'], ['a b']).rate).toBe(0);
  expect(wordErrorRate(['A b'], ['a b']).rate).toBe(0.5);
});

it('counts characters, spaces between words included, and code points once', () => {
  expect(characterErrorRate([' ab c '], ['ab  c']).rate).toBe(1 / 5);
  expect(characterErrorRate(['a😀'], ['a😁'])).toMatchObject({ rate: 0.5, units: 2 });
});

it('is 1 for an empty text, above 1 for many insertions, and infinite without a reference', () => {
  expect(wordErrorRate([''], ['a b']).rate).toBe(1);
  expect(wordErrorRate(['a b c'], ['d']).rate).toBe(3);
  expect(wordErrorRate(['a'], ['']).rate).toBe(Number.POSITIVE_INFINITY);
  expect(wordErrorRate([''], ['']).rate).toBe(0);
});

it('names lists of different lengths', () => {
  expect(() => wordErrorRate(['a'], [])).toThrow(errorAbout({ values: [1, 0] }));
});
