// Trains BPE, compared with the tokenizers package.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { errorAbout } from '../../support/expect-error.ts';
import { hasTatoeba, mergesOf, nativeMerges, phrases, quixote, tatoebaSide } from '../../support/text.ts';
import { trainBpe } from '../../support/tokenizers.ts';

/** Both sides, and the comparison of times, in test:full. */
const full = !!process.env.HEDDLE_FULL;

it('trains all merges of the tokenizers package on a small text', () => {
  const ours = trainBpe(quixote, { size: 30_000 });
  const merges = mergesOf(ours);
  expect(merges.length).toBeGreaterThan(600);
  expect(merges).toEqual(nativeMerges(quixote, ours));
});

it('trains the merges of the tokenizers package on phrases with many numbers', () => {
  for (const options of [{}, { lowercase: true }]) {
    const ours = trainBpe(phrases, { size: 30_000, ...options });
    const merges = mergesOf(ours);
    expect(merges.length).toBeGreaterThan(1000);
    expect(merges).toEqual(nativeMerges(phrases, ours));
  }
});

it('trains the merges of the tokenizers package on repeated letters', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 12 }), (words) => {
      const ours = trainBpe(words, { size: 30_000 });
      expect(mergesOf(ours)).toEqual(nativeMerges(words, ours));
    }),
    { numRuns: 60 },
  );
});

it.skipIf(!hasTatoeba)(
  'trains the same 4,000 merges as the tokenizers package (needs ../shared/data)',
  () => {
    for (const side of full ? ([0, 1] as const) : ([1] as const)) {
      const texts = tatoebaSide(side);
      const start = performance.now();
      const ours = trainBpe(texts, { size: 4400 });
      expect(performance.now() - start).toBeLessThan(15_000); // About 1 s on an idle machine; the margin is for a loaded one.
      const merges = mergesOf(ours).slice(0, 4000);
      expect(merges).toHaveLength(4000);
      expect(merges).toEqual(nativeMerges(texts, ours).slice(0, 4000));
    }
  },
  120_000,
);

if (full)
  it.skipIf(!hasTatoeba)(
    'takes at most four times the processor time of the tokenizers package for all its merges (needs ../shared/data)',
    () => {
      const texts = tatoebaSide(1);
      const used = (work: () => unknown): number => {
        const before = process.cpuUsage();
        work();
        const { user, system } = process.cpuUsage(before);
        return user + system;
      };
      const size = 30_000; // the default of the package
      const ours = trainBpe(texts, { size });
      const [mine, native] = [used(() => trainBpe(texts, { size })), used(() => nativeMerges(texts, ours))];
      expect(mine / native, `${mine / 1e6} s and ${native / 1e6} s`).toBeLessThan(4);
    },
    120_000,
  );

it('has special tokens first, then characters by code point, then merges', () => {
  const { size, token } = trainBpe(['abba abba b𝒳'], { size: 9 });
  expect(Array.from({ length: size }, (_, id) => token(id))).toEqual([
    '[PAD]',
    '[start]',
    '[end]',
    '[UNK]',
    'a',
    'b',
    '▁',
    '𝒳',
    'ab',
  ]);
});

it('rejects a vocabulary without room for the characters', () => {
  expect(trainBpe(['abc'], { size: 8 }).size).toBe(8);
  expect(() => trainBpe(['abc'], { size: 7 })).toThrow(errorAbout({ area: 'bpe', values: [7, 8, 4] }));
});

it('trains a larger vocabulary that starts with the smaller one', () => {
  const small = mergesOf(trainBpe(quixote, { size: 300 }));
  expect(mergesOf(trainBpe(quixote, { size: 500 })).slice(0, small.length)).toEqual(small);
});
