// Batches of an encoded corpus: which pairs make the batch of a step, and its arrays. The batch of a step is a function of the seed
// and the step alone, so training resumes at a step by asking for it.
import { check } from '../../core/errors.ts';
import { keyOf, random } from '../../core/random.ts';
import { fillTokenIndex } from './batch-inputs.ts';
import type { BatchShape } from './buckets.ts';
import { type EncodedCorpus, type RaggedRows, sourceLength, targetLength } from './encoded-corpus.ts';

/** The arrays of a batch, B rows of S source and T target positions; the names are those of the training graph's inputs. */
export interface BatchArrays {
  readonly src: Int32Array; // [B, S]
  /** Start token, then the target. */
  readonly tgtIn: Int32Array; // [B, T]
  /** The target, then the end token: what is to be predicted at each position of `tgtIn`. */
  readonly tgtOut: Int32Array; // [B, T]
  readonly srcLens: Uint32Array; // [B]
  readonly tgtLens: Uint32Array; // [B]
  /** Where each token of `src` and `tgtIn` stands (see token-index.ts); left out where no gradient is wanted. */
  readonly srcRowStart?: Uint32Array; // [source vocabulary + 1]
  readonly srcOccurrences?: Uint32Array; // [B * S]
  readonly tgtRowStart?: Uint32Array; // [target vocabulary + 1]
  readonly tgtOccurrences?: Uint32Array; // [B * T]
}

/** The batches of a corpus, step by step from 0. */
export interface Batches {
  readonly shapes: readonly BatchShape[];
  /** Batches that hold every pair once. */
  readonly perEpoch: number;
  /** Which of `shapes` the batch of a step has. */
  shapeAt(step: number): number;
  /** The rows of the corpus in the batch of a step; at the end of an epoch there may be fewer than the shape's. Valid until the next call. */
  rowsAt(step: number): Uint32Array;
  /** Writes the batch of a step into arrays of its shape; returns the number of target tokens that count. */
  fill(step: number, arrays: BatchArrays): number;
}

/**
 * Writes rows of a corpus into the arrays of a batch; rows that are left over are padding alone, of length 0. Returns the number of
 * target tokens that count, ends included. Nothing is allocated. Throws a HeddleError where a row is longer than the shape.
 */
export function fillBatch(arrays: BatchArrays, shape: BatchShape, corpus: EncodedCorpus, rows: Uint32Array): number {
  const { batch: B, source: S, target: T } = shape;
  check(rows.length <= B, `batch: ${rows.length} rows, the shape has ${B}`);
  const { sourceSpecial, targetSpecial } = corpus;
  arrays.src.fill(sourceSpecial.pad);
  arrays.tgtIn.fill(targetSpecial.pad);
  arrays.tgtOut.fill(targetSpecial.pad);
  arrays.srcLens.fill(0);
  arrays.tgtLens.fill(0);
  let tokens = 0;
  for (let b = 0; b < rows.length; b++) {
    const row = rows[b] as number;
    const s = sourceLength(corpus, row);
    const t = targetLength(corpus, row);
    check(
      s <= S && t <= T,
      () => `batch: pair ${row} has ${s} source and ${t} target positions, the shape [${S},${T}]`,
    );
    copyRow(corpus.source, row, arrays.src, b * S);
    arrays.tgtIn[b * T] = targetSpecial.start;
    copyRow(corpus.target, row, arrays.tgtIn, b * T + 1);
    copyRow(corpus.target, row, arrays.tgtOut, b * T);
    arrays.tgtOut[b * T + t - 1] = targetSpecial.end;
    arrays.srcLens[b] = s;
    arrays.tgtLens[b] = t;
    tokens += t;
  }
  fillTokenIndices(arrays);
  return tokens;
}

/** Writes where each token of `src` and `tgtIn` stands, where the arrays have room for that. */
export function fillTokenIndices({ src, tgtIn, ...index }: BatchArrays): void {
  const { srcRowStart, srcOccurrences, tgtRowStart, tgtOccurrences } = index;
  if (srcRowStart && srcOccurrences) fillTokenIndex(srcRowStart, srcOccurrences, src);
  if (tgtRowStart && tgtOccurrences) fillTokenIndex(tgtRowStart, tgtOccurrences, tgtIn);
}

function copyRow({ ids, starts }: RaggedRows, row: number, out: Int32Array, at: number): void {
  const start = starts[row] as number;
  const n = (starts[row + 1] as number) - start;
  for (let i = 0; i < n; i++) out[at + i] = ids[start + i] as number;
}

/**
 * Batches of a corpus in the given shapes, smallest first: each pair goes to the first shape that it fits. Every epoch holds every pair
 * once, in an order that is a function of seed and epoch; with `shuffle: false` always in the corpus's own, for evaluation. Throws a
 * HeddleError for a corpus without pairs, and where a pair fits no shape.
 */
export function createBatches(
  corpus: EncodedCorpus,
  shapes: readonly BatchShape[],
  { seed = 1, shuffle = true }: { seed?: number; shuffle?: boolean } = {},
): Batches {
  check(corpus.count > 0, 'batches: the corpus has no pairs');
  const members = assign(corpus, shapes);
  // Rows in the order of the epoch, bucket after bucket; and each batch's place in it.
  const order = new Uint32Array(corpus.count);
  const plan = members.flatMap((list, shape) => {
    const first = members.slice(0, shape).reduce((n, other) => n + other.length, 0);
    const size = shapes[shape]?.batch as number;
    return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => ({
      shape,
      from: first + i * size,
      to: first + Math.min(list.length, (i + 1) * size),
    }));
  });
  const turns = Uint32Array.from(plan, (_, i) => i);
  let laid = -1;

  /** Lays out the epoch of a step, unless it is there already; returns the step's batch. */
  const batchAt = (step: number) => {
    check(Number.isInteger(step) && step >= 0, `batches: step ${step} is not a whole number of at least 0`);
    const epoch = Math.floor(step / plan.length);
    if (epoch !== laid) {
      laid = epoch;
      let at = 0;
      for (const [shape, list] of members.entries()) {
        order.set(list, at);
        if (shuffle) random(seed, keyOf('pairs'), epoch, shape).shuffle(order.subarray(at, at + list.length));
        at += list.length;
      }
      for (let i = 0; i < turns.length; i++) turns[i] = i;
      if (shuffle) random(seed, keyOf('batches'), epoch).shuffle(turns);
    }
    return plan[turns[step % plan.length] as number] as (typeof plan)[number];
  };
  const rowsAt = (step: number) => {
    const { from, to } = batchAt(step);
    return order.subarray(from, to);
  };

  return {
    shapes,
    perEpoch: plan.length,
    shapeAt: (step) => batchAt(step).shape,
    rowsAt,
    fill: (step, arrays) => fillBatch(arrays, shapes[batchAt(step).shape] as BatchShape, corpus, rowsAt(step)),
  };
}

/** Rows of the corpus by shape. */
function assign(corpus: EncodedCorpus, shapes: readonly BatchShape[]): Uint32Array[] {
  const members = shapes.map((): number[] => []);
  for (let row = 0; row < corpus.count; row++) {
    const [s, t] = [sourceLength(corpus, row), targetLength(corpus, row)];
    const list = members[shapes.findIndex((shape) => s <= shape.source && t <= shape.target)];
    check(
      list !== undefined,
      () => `batches: pair ${corpus.pairIndex[row]} of ${s} source and ${t} target positions fits no shape`,
    );
    list.push(row);
  }
  return members.map((list) => Uint32Array.from(list));
}
