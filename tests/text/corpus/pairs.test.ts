// Normalizes pairs and splits them into train, dev and test sets.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isPlainText, normalizeText } from '../../../src/text/corpus/normalize-text.ts';
import {
  fingerprint,
  hashText,
  pairKey,
  sampleEvenly,
  splitDev,
  splitPairs,
} from '../../../src/text/corpus/pairs.ts';
import { errorAbout } from '../../support/expect-error.ts';

const pairs = Array.from({ length: 20_000 }, (_, i) => ({ source: `phrase ${i}`, target: `${i}` }));

it('normalizes whitespace, direction marks and combining characters', () => {
  expect(normalizeText('\ufeff a\u00a0\u202f\u2009b\t\n c\u200e ')).toBe('a b c');
  expect(normalizeText('Cafe\u0301')).toBe('Café');
});

it('isPlainText accepts only texts that normalization does not change', () => {
  const changes = (text: string) =>
    text !== text.normalize('NFC') ||
    /[^\P{White_Space} ]|\p{Mn}|\p{Cf}(?<!\xad)| {2}|^ | $/u.test(text) ||
    text.includes('\u2581');
  const characters = Array.from({ length: 0xffff }, (_, i) => String.fromCharCode(i)).filter(isPlainText);
  expect(characters.length).toBeGreaterThan(30_000);
  expect(characters.filter(changes)).toEqual([]);
  const text = fc.string({
    unit: fc.constantFrom(...characters.slice(0, 1200), ...'   가각ぱ\u3099\u11a8'),
    maxLength: 9,
  });
  fc.assert(
    fc.property(text, (sample) => !isPlainText(sample) || !changes(sample)),
    { numRuns: 3000 },
  );
  expect(['', 'a b', '¿Qué?', 'привет', '你好。'].map(isPlainText)).not.toContain(false);
  expect(
    [' a', 'a ', 'a  b', 'a\tb', 'a\u00a0b', 'e\u0301', '\u200ba', '\u212b'].map(isPlainText),
  ).not.toContain(true);
});

it('gives the same key for other spacing or case', () => {
  expect(pairKey(' It\u202fis\u00a0 3:45\u202fPM ')).toBe(pairKey('it is 3:45 pm'));
  expect(pairKey('it is 3:45 am')).not.toBe(pairKey('it is 3:45 pm'));
});

it('samples evenly, each item once and in order', () => {
  expect(sampleEvenly([1, 2, 3], 3)).toEqual([1, 2, 3]);
  expect(sampleEvenly([1, 2, 3], 0)).toEqual([]);
  expect(sampleEvenly([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4)).toEqual([0, 2, 5, 7]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 500 }), (n, max) => {
      const taken = sampleEvenly(
        Array.from({ length: n }, (_, i) => i),
        max,
      );
      expect(taken.length).toBe(Math.min(n, max));
      const gaps = taken.slice(1).map((x, i) => x - (taken[i] as number));
      expect(
        gaps.every((gap) => gap === Math.floor(n / taken.length) || gap === Math.ceil(n / taken.length)),
      ).toBe(true);
    }),
  );
});

it('splits in about the given fractions, each pair into one set, in order', () => {
  const { train, dev, test } = splitPairs(pairs, { dev: 0.02, test: 0.1 });
  // Four standard deviations of a binomial count.
  expect(Math.abs(dev.length - 400)).toBeLessThan(80);
  expect(Math.abs(test.length - 2000)).toBeLessThan(170);
  expect([...train, ...dev, ...test].sort((a, b) => Number(a.target) - Number(b.target))).toEqual(pairs);
  for (const part of [train, dev, test])
    expect(part.every((pair, i) => i === 0 || Number(pair.target) > Number(part[i - 1]?.target))).toBe(true);
});

it('holds out an exact share for dev, at least one sentence, and never all of several', () => {
  for (const [count, share, wanted] of [
    [10, 0.1, 1],
    [10, 0.02, 1],
    [10, 0.99, 9],
    [2, 0.9, 1],
    [1000, 0.1, 100],
    [10, 0, 0],
  ] as const) {
    const firstPairs = pairs.slice(0, count);
    const { train, dev, test } = splitDev(firstPairs, share);
    expect([train.length, dev.length, test.length], `${share} of ${count}`).toEqual([
      count - wanted,
      wanted,
      0,
    ]);
    expect([...train, ...dev].sort((a, b) => Number(a.target) - Number(b.target))).toEqual(firstPairs);
  }
  // Pairs of one sentence, also with other spacing, are in one set; a single sentence is in both.
  const twice = [...pairs.slice(0, 10), ...pairs.slice(0, 10).map((p) => ({ ...p, source: ` ${p.source}` }))];
  expect(splitDev(twice, 0.1).dev).toHaveLength(2);
  const one = pairs.slice(0, 1);
  expect(splitDev(one, 0.1)).toEqual({ train: one, dev: one, test: [] });
  expect(splitDev([], 0.1)).toEqual({ train: [], dev: [], test: [] });
  expect(() => splitDev(one, 1)).toThrow(errorAbout({ area: 'split', values: [1] }));
});

it('keeps a sentence in its set in any corpus and with any spacing', () => {
  const { test } = splitPairs(pairs, { test: 0.1 });
  const noisy = pairs
    .slice(5000)
    .map(({ target, source }) => ({ target, source: ` ${source.replace(' ', '\u202f ')}` }));
  const again = splitPairs(noisy.reverse(), { test: 0.1 }).test;
  expect(again.map((pair) => pair.target).sort()).toEqual(
    test
      .map((pair) => pair.target)
      .filter((target) => Number(target) >= 5000)
      .sort(),
  );
});

it('rejects fractions that leave no training set', () => {
  for (const parts of [{ dev: 1 }, { dev: 0.5, test: 0.5 }, { dev: -0.1 }, { test: Number.NaN }])
    expect(() => splitPairs(pairs, parts)).toThrow(errorAbout({ area: 'split' }));
});

it('distinguishes pairs in another order, other pairs and fewer pairs', () => {
  const firstPairs = pairs.slice(0, 50);
  const { hash } = fingerprint(firstPairs);
  expect(fingerprint([...firstPairs])).toEqual({ pairs: 50, hash });
  expect(hash).toMatch(/^[0-9a-f]{8}$/);
  const changed = firstPairs.map((pair, i) => (i === 49 ? { ...pair, target: '50' } : pair));
  for (const others of [[...firstPairs].reverse(), changed, firstPairs.slice(1), firstPairs.slice(0, -1)])
    expect(fingerprint(others).hash).not.toBe(hash);
});

it('hashes every UTF-16 code unit of a text', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      fc.pre(a !== b);
      expect(hashText(a)).not.toBe(hashText(b)); // A collision in a few hundred 32-bit hashes would be news.
    }),
    { seed: 1 },
  );
  expect(hashText('á')).not.toBe(hashText('â'));
  expect(hashText('\u0100')).not.toBe(hashText('\u0200'));
});
