// Batches of corpora with weights: proportions of an epoch, each pair once per pass, the same for seed and index.
import { expect, it } from 'vitest';
import { MixedBatches } from '../../../../src/features/corpora/batches/mixed-batches.ts';
import { StagedBatches } from '../../../../src/features/corpora/batches/staged-batches.ts';
import type { Batches } from '../../../../src/text/batches/batches.ts';
import { batchShapes, chooseBuckets } from '../../../../src/text/batches/buckets.ts';
import { intlCorpus } from '../../../../src/text/intl/intl-corpus.ts';
import { prepareTrainingData } from '../../../../src/train/data/training-data.ts';

const sizes = [200, 100];
const { corpus } = await prepareTrainingData(intlCorpus({ pairs: 300, seed: 3 }), {
  model: { dModel: 8, heads: 1, maxLength: 60 },
  tokenizer: { kind: 'char', size: 200 },
  batchSize: 8,
  maxTokens: 0,
  buckets: 3,
  seed: 1,
});
const shapes = batchShapes(chooseBuckets(corpus, { count: 3 }), { rows: 8 });
const mixed = (weights: number[], seed = 1) => new MixedBatches(corpus, shapes, { sizes, weights, seed });
const rowsOf = (batches: Batches, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => [...batches.rowsAt(from + i)]);
/** How often each row is in some batches. */
const counts = (rows: number[][]) => {
  const found = new Uint32Array(corpus.count);
  for (const row of rows.flat()) found[row] = (found[row] as number) + 1;
  return found;
};
const isFirst = (row: number) => (corpus.pairIndex[row] as number) < 200;

it('takes pairs of each corpus by its weight', () => {
  const batches = mixed([0.2, 0.8]);
  const [first, second] = batches.counts as [number, number];
  expect(first + second).toBeCloseTo(corpus.count, -0.5);
  expect(first / (first + second)).toBeCloseTo(0.2, 1.7);
  const rows = rowsOf(batches, 0, batches.perEpoch);
  expect(rows.flat().filter(isFirst)).toHaveLength(first);
  for (const row of rows) expect(row.length).toBeGreaterThan(0);
});

it('takes each pair once before it takes one again', () => {
  const batches = mixed([0.5, 0.5]);
  let all: number[][] = [];
  for (let epoch = 0; epoch < 4; epoch++) {
    all = [...all, ...rowsOf(batches, epoch * batches.perEpoch, (epoch + 1) * batches.perEpoch)];
    const found = counts(all);
    for (const [shape] of shapes.entries()) {
      const rows = [...found.keys()].filter((row) => isFirst(row) && shapeOf(batches, row) === shape);
      const times = rows.map((row) => found[row] as number);
      expect(Math.max(...times) - Math.min(...times)).toBeLessThanOrEqual(1);
    }
  }
  function shapeOf(of: Batches, row: number): number {
    for (let i = 0; ; i++) if (of.rowsAt(i).includes(row)) return of.shapeAt(i);
  }
});

it('gives the batches of a seed in any order of access', () => {
  const batches = mixed([0.3, 0.7]);
  const n = 3 * batches.perEpoch;
  const all = rowsOf(batches, 0, n);
  const other = mixed([0.3, 0.7]);
  for (const index of [n - 1, 0, batches.perEpoch, 5]) expect([...other.rowsAt(index)]).toEqual(all[index]);
  expect(rowsOf(mixed([0.3, 0.7], 2), 0, 5)).not.toEqual(all.slice(0, 5));
});

it('leaves out a corpus without weight', () => {
  const batches = mixed([1, 0]);
  expect(rowsOf(batches, 0, batches.perEpoch).flat().every(isFirst)).toBe(true);
  expect([...counts(rowsOf(batches, 0, batches.perEpoch))].filter((n) => n === 1)).toHaveLength(
    batches.counts[0] ?? 0,
  );
});

it('starts a stage at a batch', () => {
  const staged = new StagedBatches([mixed([1, 0]), mixed([0, 1])]);
  staged.start(7);
  expect([...staged.rowsAt(6)].every(isFirst)).toBe(true);
  expect([...staged.rowsAt(7)]).toEqual([...mixed([0, 1]).rowsAt(0)]);
  expect(staged.shapeAt(8)).toBe(mixed([0, 1]).shapeAt(1));
  expect([...staged.rowsAt(3)]).toEqual([...mixed([1, 0]).rowsAt(3)]);
});
