// Batches of several corpora by weight. Each corpus is an endless stream of its pairs, shuffled again in each pass;
// an epoch takes as many pairs of each as its weight says. The batch of an index depends only on seed and index.

import { keyOf, random } from '../../../core/random.ts';
import { assignRows, type BatchArrays, type Batches, fillBatch } from '../../../text/batches/batches.ts';
import type { BatchShape } from '../../../text/batches/buckets.ts';
import type { EncodedCorpus } from '../../../text/batches/encoded-corpus.ts';

/** Options of mixed batches. */
export interface MixtureOptions {
  /** Number of pairs of each corpus, in order: the pairs of the first come first. */
  readonly sizes: readonly number[];
  readonly weights: readonly number[];
  readonly seed: number;
  /** Number of the stage: the streams of each stage have their own order. [0] */
  readonly stage?: number;
}

/** The rows of one corpus in one shape, and how many of them an epoch takes. */
interface Stream {
  readonly corpus: number;
  readonly shape: number;
  readonly rows: Uint32Array;
  readonly count: number;
}

/** The rows of a batch in the order of an epoch. */
interface BatchRange {
  readonly shape: number;
  readonly from: number;
  readonly to: number;
}

/** Batches of a mixture. An epoch has as many pairs as its corpora have together. */
export class MixedBatches implements Batches {
  readonly perEpoch: number;
  readonly #corpus: EncodedCorpus;
  readonly #shapes: readonly BatchShape[];
  readonly #seed: number;
  readonly #stage: number;
  readonly #streams: readonly Stream[];
  /** The batches of an epoch: ranges of its rows. */
  readonly #plan: readonly BatchRange[];
  /** Rows of the current epoch, by shape, and the order of its batches. */
  readonly #order: Uint32Array;
  readonly #batchOrder: Uint32Array;
  #epoch = -1;

  constructor(
    corpus: EncodedCorpus,
    shapes: readonly BatchShape[],
    { sizes, weights, seed, stage = 0 }: MixtureOptions,
  ) {
    this.#corpus = corpus;
    this.#shapes = shapes;
    this.#seed = seed;
    this.#stage = stage;
    this.#streams = streamsOf(corpus, shapes, sizes, weights);
    let at = 0;
    this.#plan = shapes.flatMap(({ batch }, shape) => {
      const rows = this.#streams.reduce((n, stream) => (stream.shape === shape ? n + stream.count : n), 0);
      const first = at;
      at += rows;
      return Array.from({ length: Math.ceil(rows / batch) }, (_, i) => ({
        shape,
        from: first + i * batch,
        to: first + Math.min(rows, (i + 1) * batch),
      }));
    });
    this.perEpoch = this.#plan.length;
    this.#order = new Uint32Array(at);
    this.#batchOrder = new Uint32Array(this.perEpoch);
  }

  /** Number of pairs of each corpus in an epoch. */
  get counts(): number[] {
    const counts: number[] = [];
    for (const { corpus, count } of this.#streams) counts[corpus] = (counts[corpus] ?? 0) + count;
    return Array.from(counts, (count) => count ?? 0);
  }

  shapeAt(index: number): number {
    return this.#batchAt(index).shape;
  }

  rowsAt(index: number): Uint32Array {
    const { from, to } = this.#batchAt(index);
    return this.#order.subarray(from, to);
  }

  /** A pair may be in an epoch more than once, so each batch draws its own pieces. */
  drawAt(index: number): number {
    return index;
  }

  fill(index: number, arrays: BatchArrays): number {
    const rows = this.rowsAt(index);
    return fillBatch(arrays, this.#shapes[this.shapeAt(index)] as BatchShape, this.#corpus, rows);
  }

  #batchAt(index: number): BatchRange {
    const epoch = Math.floor(index / this.perEpoch);
    if (epoch !== this.#epoch) this.#shuffle(epoch);
    return this.#plan[this.#batchOrder[index % this.perEpoch] as number] as BatchRange;
  }

  /** Takes the rows of an epoch from the streams. */
  #shuffle(epoch: number): void {
    this.#epoch = epoch;
    const key = keyOf('mixture');
    let at = 0;
    for (const shape of this.#shapes.keys()) {
      const first = at;
      for (const stream of this.#streams)
        if (stream.shape === shape) {
          this.#take(stream, epoch, this.#order.subarray(at, at + stream.count));
          at += stream.count;
        }
      random(this.#seed, key, this.#stage, epoch, shape).shuffle(this.#order.subarray(first, at));
    }
    for (let i = 0; i < this.perEpoch; i++) this.#batchOrder[i] = i;
    random(this.#seed, keyOf('batches'), this.#stage, epoch).shuffle(this.#batchOrder);
  }

  /** The part of a stream that belongs to an epoch; it may begin in one pass and end in another. */
  #take({ rows, corpus, shape, count }: Stream, epoch: number, out: Uint32Array): void {
    const begin = epoch * count;
    for (let pass = Math.floor(begin / rows.length); pass * rows.length < begin + count; pass++) {
      const shuffled = random(this.#seed, keyOf('pairs'), this.#stage, pass, shape, corpus).shuffle(
        rows.slice(),
      );
      const start = pass * rows.length;
      const from = Math.max(0, begin - start);
      const to = Math.min(rows.length, begin + count - start);
      out.set(shuffled.subarray(from, to), start + from - begin);
    }
  }
}

/** The streams of a mixture, by shape and corpus. */
function streamsOf(
  corpus: EncodedCorpus,
  shapes: readonly BatchShape[],
  sizes: readonly number[],
  weights: readonly number[],
): Stream[] {
  // The pairs of corpus k have the indices ends[k - 1] to ends[k] - 1.
  let total = 0;
  const ends = sizes.map((size) => (total += size));
  const rowsIn = assignRows(corpus, shapes).map((rows) => {
    const byCorpus = sizes.map((): number[] => []);
    let k = 0; // rows are in the order of their pairs
    for (const row of rows) {
      while ((corpus.pairIndex[row] as number) >= (ends[k] as number)) k++;
      byCorpus[k]?.push(row);
    }
    return byCorpus.map((list) => Uint32Array.from(list));
  });
  const rowCounts = sizes.map((_, k) => rowsIn.reduce((n, byCorpus) => n + (byCorpus[k]?.length ?? 0), 0));
  const used = (k: number) => (weights[k] as number) > 0 && (rowCounts[k] as number) > 0;
  const pairs = rowCounts.reduce((n, count, k) => (used(k) ? n + count : n), 0);
  const weightSum = weights.reduce((sum, weight, k) => (used(k) ? sum + weight : sum), 0);
  const before = sizes.map(() => 0);
  return rowsIn.flatMap((byCorpus, shape) =>
    byCorpus.flatMap((rows, k): Stream[] => {
      if (!used(k) || rows.length === 0) return [];
      const wanted = (pairs * (weights[k] as number)) / weightSum / (rowCounts[k] as number);
      const from = before[k] as number;
      before[k] = from + rows.length;
      // Rounded sums, so that the counts of all shapes add up to the share of the corpus.
      const count = Math.round((from + rows.length) * wanted) - Math.round(from * wanted);
      return [{ corpus: k, shape, rows, count: Math.max(1, count) }];
    }),
  );
}
