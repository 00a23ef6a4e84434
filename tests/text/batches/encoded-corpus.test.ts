// The token ids of a corpus, length limits, unknown tokens.

import { expect, it } from 'vitest';
import { holesOf, type Message, percentage, renderMessage } from '../../../src/core/message.ts';
import {
  describeSkipped,
  describeUnknown,
  encodePairs,
  sourceLength,
  targetLength,
} from '../../../src/text/batches/encoded-corpus.ts';
import { intlCorpus } from '../../../src/text/intl/intl-corpus.ts';
import { errorAbout, holeValues } from '../../support/expect-error.ts';
import { trainWords } from '../../support/tokenizers.ts';

const words = trainWords(['a b c d'], { size: 20 });
const [a, b, c, end] = [...words.encode('a b c'), words.special.end];
const pair = (source: string, target: string) => ({ source, target });

it('stores rows consecutively, with the end token on the source', () => {
  const corpus = encodePairs([pair('a b', 'c'), pair('c', 'a b')], words, words, {
    maxSource: 9,
    maxTarget: 9,
  });
  expect([...corpus.source.ids]).toEqual([a, b, end, c, end]);
  expect([...corpus.source.starts]).toEqual([0, 3, 5]);
  expect([...corpus.target.ids]).toEqual([c, a, b]);
  expect([0, 1].map((row) => sourceLength(corpus, row))).toEqual([3, 2]);
  expect([0, 1].map((row) => targetLength(corpus, row))).toEqual([2, 3]);
});

it('leaves out pairs one past a limit, keeps those at it, and reports it', () => {
  const pairs = [
    pair('a a', 'a'),
    pair('a a a', 'a'),
    pair('a', 'a a'),
    pair('a', 'a a a'),
    pair(' ', 'a'),
    pair('a', ''),
  ];
  const corpus = encodePairs(pairs, words, words, { maxSource: 3, maxTarget: 3 });
  expect([...corpus.pairIndex]).toEqual([0, 2]);
  expect(corpus).toMatchObject({ count: 2, tooLong: 2, empty: 2 });
  expect(renderMessage(describeSkipped(corpus) as Message)).toBe(
    '4 of 6 pairs skipped: 2 longer than 3 source or 3 target tokens, 2 without a token on one side',
  );
});

it('cuts pairs that are too long if asked to, and keeps their end tokens', () => {
  const pairs = [pair('a b c d', 'd c b a'), pair('a', 'b'), pair(' ', 'a')];
  const limits = { maxSource: 3, maxTarget: 3, truncate: true };
  const corpus = encodePairs(pairs, words, words, limits);
  const [a, b, c, d] = words.encode('a b c d');
  expect([...corpus.source.ids]).toEqual([a, b, words.special.end, a, words.special.end]);
  expect([...corpus.target.ids]).toEqual([d, c, b]);
  expect(corpus).toMatchObject({ count: 2, tooLong: 0, truncated: 1, empty: 1 });
  expect(holeValues(describeSkipped(corpus))).toEqual([1, 2, 3, 3, 1]);
});

it('counts unknown tokens, and says if they are more than 2 %', () => {
  const limits = { maxSource: 99, maxTarget: 99 };
  const { unknown } = encodePairs([pair('a x y', 'x'), pair('b', 'c')], words, words, limits);
  expect(unknown).toEqual({ source: 2, target: 1 });
  const share = (known: number) =>
    describeUnknown(encodePairs([pair(`x ${'a '.repeat(known)}`, 'a')], words, words, limits));
  const [few, many] = [share(49), share(48)];
  expect([few.tooMany, many.tooMany]).toEqual([false, true]);
  expect(holesOf(few.text)).toEqual([percentage(0.02), percentage(0)]);
  expect(renderMessage(many.text)).toBe('unknown tokens: 2.0 % of the source, 0.0 % of the target');
});

it('reports nothing if no pair is left out', () => {
  const fitting = encodePairs([pair('a', 'b')], words, words, { maxSource: 2, maxTarget: 2 });
  expect(describeSkipped(fitting)).toBeUndefined();
});

it('rejects limits that leave nothing', () => {
  expect(() => encodePairs([], words, words, { maxSource: 0, maxTarget: 5 })).toThrow(
    errorAbout({ area: 'encode', values: [0, 5] }),
  );
});

it('encodes 100,000 pairs in seconds', () => {
  const pairs = intlCorpus({ pairs: 100_000 });
  const source = trainWords(
    pairs.map((p) => p.source),
    { size: 2000 },
  );
  const target = trainWords(
    pairs.map((p) => p.target),
    { size: 2000 },
  );
  const start = performance.now();
  const { count } = encodePairs(pairs, source, target, { maxSource: 64, maxTarget: 64 });
  expect(count).toBe(100_000);
  expect(performance.now() - start).toBeLessThan(8000); // Under 1 s on an idle machine; the margin is for a loaded one.
});
