// Batches for teacher forcing: contents, order, resume.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBatches, fillBatch } from '../../../src/text/batches/batches.ts';
import { type BatchShape, batchShapes, chooseBuckets } from '../../../src/text/batches/buckets.ts';
import { encodePairs } from '../../../src/text/batches/encoded-corpus.ts';
import { createBatchArrays, tokenIndex } from '../../support/batches.ts';
import { corpusOf, corpusVocab } from '../../support/corpus.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { trainWords } from '../../support/tokenizers.ts';

const words = trainWords(['a b c'], { size: 9 });
const [a, b, c] = words.encode('a b c') as [number, number, number];
const { start, end, unknown } = words.special;
const two = encodePairs(
  [
    { source: 'a b c', target: 'c' },
    { source: 'b', target: 'a x' },
  ],
  words,
  words,
  { maxSource: 9, maxTarget: 9 },
);

const varied = corpusOf(Array.from({ length: 230 }, (_, i) => [2 + (i % 13), 2 + ((i * 7) % 11)] as const));
const shapes = batchShapes(chooseBuckets(varied, { count: 3 }), { rows: 16 });
const rowsOf = (batches: ReturnType<typeof createBatches>, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => [...batches.rowsAt(from + i)]);

describe('a batch', () => {
  const shape: BatchShape = { batch: 3, source: 5, target: 4 };

  it('has sources with end token, targets after the start token, and labels before the end token', () => {
    const arrays = createBatchArrays(shape, { source: words.size, target: words.size });
    for (const array of Object.values(arrays)) array?.fill(7); // What an earlier batch left.
    const tokens = fillBatch(arrays, shape, two, Uint32Array.of(1, 0));
    expect([...arrays.src]).toEqual([b, end, 0, 0, 0, a, b, c, end, 0, 0, 0, 0, 0, 0]);
    expect([...arrays.tgtIn]).toEqual([start, a, unknown, 0, start, c, 0, 0, 0, 0, 0, 0]);
    expect([...arrays.tgtOut]).toEqual([a, unknown, end, 0, c, end, 0, 0, 0, 0, 0, 0]);
    expect([...arrays.srcLens]).toEqual([2, 4, 0]);
    expect([...arrays.tgtLens]).toEqual([3, 2, 0]);
    expect(tokens).toBe(5);
  });

  it('indexes the tokens of both sides', () => {
    const arrays = createBatchArrays(shape, { source: words.size, target: words.size });
    fillBatch(arrays, shape, two, Uint32Array.of(0, 1));
    const source = tokenIndex(arrays.src, words.size);
    const target = tokenIndex(arrays.tgtIn, words.size);
    expect(arrays.srcRowStart).toEqual(source.rowStart);
    expect(arrays.srcOccurrences).toEqual(source.positions);
    expect(arrays.tgtRowStart).toEqual(target.rowStart);
    expect(arrays.tgtOccurrences).toEqual(target.positions);
  });

  it('takes rows as long as the shape, and rejects longer or more rows', () => {
    const exact = { batch: 1, source: 4, target: 2 };
    expect(fillBatch(createBatchArrays(exact), exact, two, Uint32Array.of(0))).toBe(2);
    const short = { batch: 1, source: 3, target: 2 };
    expect(() => fillBatch(createBatchArrays(short), short, two, Uint32Array.of(0))).toThrow(
      errorAbout({ area: 'batch', values: [0, 4, 2, 3] }),
    );
    expect(() => fillBatch(createBatchArrays(exact), exact, two, Uint32Array.of(0, 0))).toThrow(
      errorAbout({ area: 'batch', values: [2, 1] }),
    );
  });
});

it('contains every pair once per epoch, each batch in a shape that fits', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 2, max: 20 })), { minLength: 1 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer(),
      (lengths, rows, count, seed) => {
        const corpus = corpusOf(lengths);
        const bucketShapes = batchShapes(chooseBuckets(corpus, { count }), { rows });
        const batches = createBatches(corpus, bucketShapes, { seed });
        for (const epoch of [0, 3]) {
          const seen: number[] = [];
          let tokens = 0;
          for (let i = 0; i < batches.perEpoch; i++) {
            const step = epoch * batches.perEpoch + i;
            const shape = bucketShapes[batches.shapeAt(step)] as BatchShape;
            tokens += batches.fill(step, createBatchArrays(shape));
            expect(batches.rowsAt(step).length).toBeGreaterThan(0);
            seen.push(...batches.rowsAt(step));
          }
          expect(seen.sort((x, y) => x - y)).toEqual(lengths.map((_, i) => i));
          expect(tokens).toBe(lengths.reduce((n, [, t]) => n + t, 0));
        }
      },
    ),
  );
});

it('shuffles in an order that depends only on seed and epoch', () => {
  const first = createBatches(varied, shapes, { seed: 5 });
  const n = first.perEpoch;
  const all = rowsOf(first, 0, 3 * n);
  expect(rowsOf(createBatches(varied, shapes, { seed: 5 }), 0, 3 * n)).toEqual(all);
  expect(rowsOf(createBatches(varied, shapes, { seed: 6 }), 0, n)).not.toEqual(all.slice(0, n));
  expect(all.slice(n, 2 * n)).not.toEqual(all.slice(0, n));
});

it('resumes at any step, forwards and backwards', () => {
  const n = createBatches(varied, shapes, { seed: 5 }).perEpoch;
  const all = rowsOf(createBatches(varied, shapes, { seed: 5 }), 0, 3 * n);
  const other = createBatches(varied, shapes, { seed: 5 });
  for (const step of [2 * n + 3, n - 1, n, 0, 3 * n - 1]) expect([...other.rowsAt(step)]).toEqual(all[step]);
});

it('mixes lengths: batches of a shape are not adjacent', () => {
  const batches = createBatches(varied, shapes, { seed: 5 });
  const order = Array.from({ length: batches.perEpoch }, (_, i) => batches.shapeAt(i));
  expect(order).not.toEqual([...order].sort((x, y) => x - y));
});

it('keeps the order of the corpus within each shape without shuffling', () => {
  const batches = createBatches(varied, shapes, { shuffle: false });
  const rows = rowsOf(batches, 0, batches.perEpoch);
  expect(rowsOf(batches, batches.perEpoch, 2 * batches.perEpoch)).toEqual(rows);
  for (const batch of rows) expect(batch).toEqual([...batch].sort((x, y) => x - y));
});

it('writes the same batch into the same arrays again, bit by bit', () => {
  const batches = createBatches(varied, shapes, { seed: 5 });
  const vocab = { source: corpusVocab, target: corpusVocab };
  const step = 7;
  const shape = shapes[batches.shapeAt(step)] as BatchShape;
  const [used, fresh] = [createBatchArrays(shape, vocab), createBatchArrays(shape, vocab)];
  for (let other = 0; other < batches.perEpoch; other++)
    if (batches.shapeAt(other) === batches.shapeAt(step)) batches.fill(other, used);
  batches.fill(step, used);
  batches.fill(step, fresh);
  expect(used).toEqual(fresh);
});

it('rejects invalid arguments', () => {
  expect(() => createBatches(corpusOf([]), shapes)).toThrow(errorAbout({ area: 'batches' }));
  expect(() => createBatches(corpusOf([[3, 30]]), shapes)).toThrow(
    errorAbout({ area: 'batches', values: [0, 3, 30] }),
  );
  expect(() => createBatches(varied, shapes).shapeAt(-1)).toThrow(
    errorAbout({ area: 'batches', values: [-1] }),
  );
});
