// The place of a term in a translation.
import { expect, it } from 'vitest';
import { loadModel } from '../../../../src/entries/heddle.node.ts';
import { ownWordsOf } from '../../../../src/features/documents/decode/own-words.ts';
import { PhraseSearch } from '../../../../src/features/documents/decode/phrase-search.ts';
import { TermPlace } from '../../../../src/features/documents/decode/term-place.ts';
import { createTokenizer, specialTokens } from '../../../../src/text/tokenizers/tokenizer.ts';
import { errorAbout } from '../../../support/expect-error.ts';

// Tokens from 10 continue a word.
const joins = (_: number, token: number) => token >= 10;

it('is behind its prefix and as many words as it has there', () => {
  const place = new TermPlace({ prefix: [1, 2], words: 1, term: [5, 11] }, joins);
  expect(place.wanted([])).toBe(1);
  expect(place.wanted([1])).toBe(2);
  expect(place.allows([1], 3)).toBe(false);
  // The article is chosen, of one or more tokens; behind it the term comes, whole.
  expect([place.wanted([1, 2]), place.allows([1, 2], 3), place.isBefore([1, 2])]).toEqual([
    undefined,
    true,
    true,
  ]);
  expect([place.wanted([1, 2, 3]), place.allows([1, 2, 3], 12), place.allows([1, 2, 3], 4)]).toEqual([
    5,
    true,
    false,
  ]);
  expect(place.wanted([1, 2, 3, 12])).toBe(5);
  expect([place.wanted([1, 2, 3, 12, 5]), place.tokensIn([1, 2, 3, 12, 5])]).toEqual([11, 1]);
  expect(place.isMetIn([1, 2, 3, 12, 5])).toBe(false);
  expect([place.isMetIn([1, 2, 3, 5, 11]), place.startIn([1, 2, 3, 5, 11])]).toEqual([true, 3]);
  // The term is a word of its own.
  expect([place.allows([1, 2, 3, 5, 11], 12), place.allows([1, 2, 3, 5, 11], 6)]).toEqual([false, true]);
  // The word before the term is not the rest of the word before it, and the term may have an ending of its own.
  expect([place.allows([1, 2], 12), place.endIn([1, 2, 3, 5, 11, 6])]).toEqual([false, 5]);
  const form = {
    prefix: [1],
    words: 0,
    term: [5],
    isForm: (ids: readonly number[]) => ids.join() === '5,12',
  };
  const plural = new TermPlace(form, joins);
  expect([plural.allows([1, 5], 11), plural.allows([1, 5], 12), plural.endIn([1, 5, 12, 6])]).toEqual([
    false,
    true,
    3,
  ]);
  const last = new TermPlace({ prefix: [], words: 0, term: [5, 6], isLast: true }, joins);
  expect([last.wanted([]), last.allows([5], 7), last.allows([5, 6], 7)]).toEqual([5, false, false]);
});

it('is in the best hypothesis, without the words that are avoided', () => {
  const [end, own] = [0, 3];
  const search = new PhraseSearch([], {
    rows: 4,
    numReturn: 1,
    maxNewTokens: 8,
    minNewTokens: 0,
    endId: end,
    place: new TermPlace({ prefix: [1], words: 1, term: [5, 11] }, joins),
    joins,
    avoids: (ids, start) => ids[start] === own,
    score: (logProb) => logProb,
  });
  // The model wants its own word, 3, everywhere; the article 2 is likelier than 6, which is too rare to be one.
  const step = {
    tokens: [own, 2, 6, 4].flatMap((_, __, all) => all),
    logProbs: Array.from({ length: 4 }, () => [-0.1, -1, -4.5, -5]).flat(),
    ends: [-2, -2, -2, -2],
    wanted: () => -9,
  };
  while (!search.done) search.take(step, 0);
  const [best] = search.finish();
  expect(best?.ids).toEqual([1, 2, 5, 11]);
  expect(best?.ended).toBe(true);
});

it('finds the words that stand for a part of a source', () => {
  const characters = createTokenizer({
    kind: 'char',
    lowercase: false,
    vocab: [...specialTokens],
    merges: [],
  });
  const tokenizer = { ...characters, encode: characters.encode, pieces: (text: string) => text.split(' ') };
  const [text, translation] = ['the white dog barks', 'el perro blanco ladra'];
  const source = [...text.split(' '), ''];
  const target = [...translation.split(' '), ''];
  // Rows: target tokens.
  const weights = Float32Array.from([
    [0.6, 0, 0.3, 0.1, 0], [0.1, 0, 0.8, 0.1, 0], [0, 0.9, 0.05, 0, 0], [0, 0, 0.1, 0.9, 0], [0, 0, 0, 0, 1],
  ].flat()); // biome-ignore format: a matrix
  const attention = { source, target, layers: 1, heads: 1, weights };
  const made = { text: translation, ids: [4, 5, 6, 7], score: -1, logProb: -1, ended: true, attention };
  const own = ownWordsOf(text, made, tokenizer, { start: 10, end: 13 });
  expect(own).toEqual({
    span: { start: 3, end: 8 },
    words: ['perro'],
    first: 1,
    behind: 2,
    article: 0,
    isElsewhere: false,
  });
  expect(ownWordsOf(text, made, tokenizer, { start: 10, end: 13 }, 2)).toBeUndefined();
  expect(
    ownWordsOf(text, { ...made, attention: undefined }, tokenizer, { start: 10, end: 13 }),
  ).toBeUndefined();
});

it('puts a term in the place of the word that the model has for it', async () => {
  using model = await loadModel('demo/models/en-es-general.safetensors', { device: 'cpu' });
  const sources = ['The dog is white.', 'The room has two windows.'];
  const terms = [['dog', 'can'], ['room', 'estancia'], ['windows', 'ventanal']] as const; // biome-ignore format: a list
  const phrases = sources.map((source) =>
    terms.flatMap(([word, text]) => {
      const start = source.indexOf(word);
      return start < 0 ? [] : [{ text, start, end: start + word.length }];
    }),
  );
  const found = await model.generate(sources, { phrases });
  expect(found.map(([best]) => best?.text)).toEqual(['El can es blanco.', 'La estancia tiene dos ventanal.']);
  await expect(model.generate(['a'], { phrases: [[{ text: 'b', start: 1, end: 1 }]] })).rejects.toThrow(
    errorAbout({ area: 'phrases' }),
  );
});
