// Batch shapes that minimize padding.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Bucket, batchShapes, chooseBuckets } from '../../../src/text/batches/buckets.ts';
import { corpusOf } from '../../support/corpus.ts';
import { errorAbout } from '../../support/expect-error.ts';

/** Padded positions of lengths in buckets, each in the first that it fits. */
const cost = (lengths: readonly (readonly [number, number])[], buckets: readonly Bucket[]) =>
  lengths.reduce((sum, [s, t]) => {
    const bucket = buckets.find((b) => s <= b.source && t <= b.target) as Bucket;
    return sum + bucket.source + bucket.target;
  }, 0);

const lengths = fc.array(fc.tuple(fc.integer({ min: 2, max: 16 }), fc.integer({ min: 2, max: 16 })), {
  minLength: 1,
  maxLength: 40,
});

it('covers every row with increasing buckets on a grid', () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 5 }), (list, count) => {
      const buckets = chooseBuckets(corpusOf(list), { count, multiple: 4 });
      expect(buckets.length).toBeGreaterThanOrEqual(1);
      expect(buckets.length).toBeLessThanOrEqual(count);
      expect(Number.isFinite(cost(list, buckets))).toBe(true);
      for (const [i, { source, target }] of buckets.entries()) {
        expect([source % 4, target % 4]).toEqual([0, 0]);
        const before = buckets[i - 1] ?? { source: 0, target: 0 };
        expect(source >= before.source && target >= before.target).toBe(true);
      }
    }),
  );
});

it('minimizes padding: no two buckets of the grid are better', () => {
  fc.assert(
    fc.property(lengths, (list) => {
      const sizes = [4, 8, 12, 16];
      const up = (n: number) => 4 * Math.ceil(n / 4);
      const last = {
        source: up(Math.max(...list.map(([s]) => s))),
        target: up(Math.max(...list.map(([, t]) => t))),
      };
      const all = sizes.flatMap((source) => sizes.map((target) => ({ source, target })));
      const inside = all.filter((b) => b.source <= last.source && b.target <= last.target);
      const best = Math.min(...inside.map((first) => cost(list, [first, last])));
      expect(cost(list, chooseBuckets(corpusOf(list), { count: 2 }))).toBe(best);
    }),
  );
});

it('uses a coarser grid for long rows', () => {
  const buckets = chooseBuckets(
    corpusOf([
      [1000, 900],
      [3, 5],
    ]),
    { count: 2 },
  );
  expect(buckets).toEqual([
    { source: 32, target: 32 },
    { source: 1024, target: 928 },
  ]);
});

it('does not exceed the limits of the corpus, the positions of the model', () => {
  const corpus = (s: number, t: number, limit: number) => ({
    ...corpusOf([
      [s, t],
      [5, 6],
    ]),
    limits: { source: limit, target: limit },
  });
  expect(chooseBuckets(corpus(49, 50, 50), { count: 2 })).toEqual([
    { source: 8, target: 8 },
    { source: 50, target: 50 },
  ]);
  expect(chooseBuckets(corpus(35, 35, 35), { count: 1, multiple: 1 })).toEqual([{ source: 35, target: 35 }]);
  expect(chooseBuckets(corpus(48, 20, 50), { count: 1 })).toEqual([{ source: 48, target: 20 }]);
});

it('fills a token budget by the longer side, in multiples of 8', () => {
  const buckets = [
    { source: 8, target: 12 },
    { source: 64, target: 40 },
  ];
  expect(batchShapes(buckets, { tokens: 500 })).toEqual([
    { source: 8, target: 12, batch: 40 },
    { source: 64, target: 40, batch: 7 },
  ]);
  expect(batchShapes(buckets, { rows: 30 }).map((shape) => shape.batch)).toEqual([30, 30]);
  expect(batchShapes(buckets, { tokens: 64 })[1]?.batch).toBe(1);
});

it('rejects an empty corpus, and budgets without room for a row', () => {
  expect(() => chooseBuckets(corpusOf([]))).toThrow(errorAbout({ area: 'buckets' }));
  expect(() => chooseBuckets(corpusOf([[2, 2]]), { count: 0 })).toThrow(
    errorAbout({ area: 'buckets', values: [0, 4] }),
  );
  expect(() => batchShapes([{ source: 8, target: 8 }], { tokens: 7 })).toThrow(
    errorAbout({ area: 'batches', options: ['maxTokens', 'maxLength'], values: [8] }),
  );
  expect(() => batchShapes([{ source: 8, target: 8 }], { rows: 0 })).toThrow(
    errorAbout({ area: 'batches', values: [0] }),
  );
});
