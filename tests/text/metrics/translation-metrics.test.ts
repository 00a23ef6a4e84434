// Loss, accuracy, BLEU, chrF and exact match of translations.
import { expect, it } from 'vitest';
import {
  exactMatch,
  tokenMetrics,
  translationMetrics,
} from '../../../src/text/metrics/translation-metrics.ts';
import {
  createCharacterTokenizer,
  createIdTokenizer,
} from '../../../src/text/tokenizers/character-tokenizer.ts';
import { errorAbout } from '../../support/expect-error.ts';

it('counts translations that equal the normalized reference', () => {
  expect(exactMatch(['a', 'b', 'c.'], ['a', 'B', 'c'])).toBe(1 / 3);
  expect(exactMatch(['a', 'b', 'c.'], ['a', 'B', 'c'], (text) => text.toLowerCase())).toBe(2 / 3);
  expect(exactMatch(['a', 'b', 'c.'], [['x', 'A'], ['b'], ['C']], (text) => text.toLowerCase())).toBe(2 / 3);
  expect(exactMatch([' a', 'b \t', ' c ', 'd e'], ['a\n', ' b', ' c', 'd  e'])).toBe(3 / 4);
  expect(() => exactMatch([], [])).toThrow(errorAbout({ area: 'exact match' }));
  expect(() => exactMatch(['a'], [])).toThrow(errorAbout({ values: [1, 0] }));
});

it('computes loss, perplexity and token accuracy from sums over batches', () => {
  const { loss, perplexity, tokenAccuracy, knownTokenAccuracy } = tokenMetrics([
    { loss: 3 * Math.log(2), tokens: 3, hits: 1, knownTokens: 2, knownHits: 0 },
    { loss: Math.log(2), tokens: 1, hits: 1, knownTokens: 1, knownHits: 1 },
  ]);
  expect(knownTokenAccuracy).toBe(1 / 3);
  expect(loss).toBeCloseTo(Math.log(2), 12);
  expect(perplexity).toBeCloseTo(2, 12);
  expect(tokenAccuracy).toBe(0.5);
  const none = Number.NaN;
  expect(tokenMetrics([])).toEqual({
    loss: none,
    perplexity: none,
    tokenAccuracy: none,
    knownTokenAccuracy: none,
  });
});

it('computes all metrics of translations, and ignores case if the tokenizer does', () => {
  const lower = (text: string) => text.toLowerCase();
  const found = ['el 5 de mayo de 1998.', 'hola'];
  const wanted = ['El 5 de mayo de 1998.', 'Adiós'];
  const metrics = translationMetrics(found, wanted, lower);
  expect(metrics).toMatchObject({ sentences: 2, exactMatch: 0.5 });
  expect(metrics.bleuSignature).toContain('case:lc');
  expect(metrics.chrfSignature).toContain('case:lc');
  const several = translationMetrics(
    found,
    [
      ['El 6', wanted[0] as string],
      ['Hola', 'Adiós'],
    ],
    lower,
  );
  expect(several).toMatchObject({ exactMatch: 1, bleuSignature: expect.stringContaining('nrefs:2') });
  const mixed = translationMetrics(found, wanted, (text) => text);
  expect(mixed.exactMatch).toBe(0);
  expect(mixed.bleu).toBeLessThan(metrics.bleu);
  expect(mixed.chrf).toBeLessThan(metrics.chrf);
  expect(translationMetrics(wanted, wanted, (text) => text)).toMatchObject({
    bleu: expect.closeTo(100, 10),
    chrf: expect.closeTo(100, 10),
    exactMatch: 1,
  });
});

it('keeps case for id tokenizers, and for character tokenizers without an A', () => {
  const special = { pad: 0, start: 1, end: 2, unknown: 3 };
  const ids = createIdTokenizer(20, special);
  const letters = createCharacterTokenizer({ characters: '____bcB', size: 7, special });
  for (const [tokenizer, text] of [
    [ids, '5 6 7 8'],
    [letters, 'bcB'],
  ] as const) {
    const metrics = translationMetrics([text], [text], (reference) => tokenizer.normalize(reference));
    expect(metrics).toMatchObject({ exactMatch: 1, bleuSignature: expect.stringContaining('case:mixed') });
    expect(metrics.chrfSignature).toContain('case:mixed');
  }
  const broken = () => translationMetrics(['a'], ['a'], () => Object(undefined).text.trim());
  expect(broken).toThrow(TypeError);
});
