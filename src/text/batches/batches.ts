// Batches of an encoded corpus. The batch of a step depends only on the seed and the step, so training can
// resume at any step.
import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { keyOf, random } from '../../core/random.ts';
import type { TensorData } from '../../core/tensor.ts';
import type { BatchShape } from './buckets.ts';
import { type EncodedCorpus, type RaggedRows, sourceLength, targetLength } from './encoded-corpus.ts';
import { fillTokenIndex } from './token-index.ts';

/**
 * Arrays of a batch of B rows with S source and T target positions, named like the inputs of the training
 * graph.
 */
export interface BatchArrays {
  /** Token ids; empty if the sources are not token ids. */
  readonly src: Int32Array; // [B, S]
  /** Decoder input: start token, then the target. */
  readonly tgtIn: Int32Array; // [B, T]
  /** Labels: the target, then the end token. */
  readonly tgtOut: Int32Array; // [B, T]
  readonly srcLens: Uint32Array; // [B]
  readonly tgtLens: Uint32Array; // [B]
  /** Positions of each token in `src` and `tgtIn`, see `fillTokenIndex`; only for gradients. */
  readonly srcRowStart?: Uint32Array; // [source vocabulary + 1]
  readonly srcOccurrences?: Uint32Array; // [B * S]
  readonly tgtRowStart?: Uint32Array; // [target vocabulary + 1]
  readonly tgtOccurrences?: Uint32Array; // [B * T]
  /** Inputs of guests. */
  readonly [input: string]: TensorData | undefined;
}

/**
 * The batches of a corpus by index `step`, from 0. With gradient accumulation an update has several batches.
 */
export interface Batches {
  /** Number of batches per epoch. */
  readonly perEpoch: number;
  /** Index into the shapes of a step's batch. */
  shapeAt(step: number): number;
  /**
   * Corpus rows of a step's batch; the last batch of a shape may have fewer rows. Valid until the next call.
   */
  rowsAt(step: number): Uint32Array;
  /** The number with which a step's batch draws random pieces: rows with another number draw others. */
  drawAt(step: number): number;
  /**
   * Writes the batch of a step into arrays of its shape; returns the number of target tokens, with end tokens.
   */
  fill(step: number, arrays: BatchArrays): number;
}

/**
 * Writes corpus rows into the arrays of a batch; unused rows are padding with length 0. Returns the number of
 * target tokens, with end tokens. Does not allocate. Throws a HeddleError if there are more rows than the
 * shape has, or a row is longer.
 */
export function fillBatch(
  arrays: BatchArrays,
  shape: BatchShape,
  corpus: EncodedCorpus,
  rows: Uint32Array,
): number {
  const { batch: B, source: S, target: T } = shape;
  check(rows.length <= B, msg`${rows.length} rows, the shape has ${B}`, { area: 'batch' });
  const { sourceSpecial, targetSpecial, sourceRows } = corpus;
  arrays.src.fill(sourceSpecial.pad);
  arrays.tgtIn.fill(targetSpecial.pad);
  arrays.tgtOut.fill(paddingLabel(targetSpecial));
  arrays.srcLens.fill(0);
  arrays.tgtLens.fill(0);
  let tokens = 0;
  for (let b = 0; b < rows.length; b++) {
    const row = rows[b] as number;
    const s = sourceLength(corpus, row);
    const t = targetLength(corpus, row);
    check(
      s <= S && t <= T,
      () =>
        msg`pair ${corpus.pairIndex[row]} has ${s} source and ${t} target tokens, the batch shape [${S},${T}] allows fewer`,
      { area: 'batch' },
    );
    if (!sourceRows) copyRow(corpus.source, row, arrays.src, b * S);
    arrays.tgtIn[b * T] = targetSpecial.start;
    copyRow(corpus.target, row, arrays.tgtIn, b * T + 1);
    copyRow(corpus.target, row, arrays.tgtOut, b * T);
    arrays.tgtOut[b * T + t - 1] = targetSpecial.end;
    arrays.srcLens[b] = s;
    arrays.tgtLens[b] = t;
    tokens += t;
  }
  sourceRows?.fill(arrays, shape, rows);
  fillTokenIndices(arrays);
  return tokens;
}

/**
 * Label of positions after the end of a target, which have no loss: the padding token, or -100, as PyTorch's
 * `ignore_index`, if that is the end token.
 */
export const paddingLabel = ({ pad, end }: { readonly pad: number; readonly end: number }): number =>
  pad === end ? -100 : pad;

/** Fills the token indices of `src` and `tgtIn`, if the batch has them. */
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
 * Creates the batches of a corpus. `shapes` are in increasing order; each pair goes to the first shape that
 * fits. Every epoch has every pair once, in an order given by seed and epoch; with `shuffle: false` shape by
 * shape, in corpus order within each. Throws a HeddleError if the corpus is empty or a pair fits no shape.
 */
export function createBatches(
  corpus: EncodedCorpus,
  shapes: readonly BatchShape[],
  { seed = 1, shuffle = true }: { seed?: number; shuffle?: boolean } = {},
): Batches {
  check(corpus.count > 0, 'the corpus has no pairs', { area: 'batches' });
  const members = assignRows(corpus, shapes);
  // Rows in the order of the epoch, by bucket; each batch is a range of them.
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
  const batchOrder = Uint32Array.from(plan, (_, i) => i);
  let currentEpoch = -1;

  /** Shuffles for the epoch of a step, if it is not the current one; returns the step's batch. */
  const batchAt = (step: number) => {
    check(Number.isInteger(step) && step >= 0, msg`step ${step} is not a whole number of at least 0`, {
      area: 'batches',
    });
    const epoch = Math.floor(step / plan.length);
    if (epoch !== currentEpoch) {
      currentEpoch = epoch;
      let at = 0;
      for (const [shape, list] of members.entries()) {
        order.set(list, at);
        if (shuffle) random(seed, keyOf('pairs'), epoch, shape).shuffle(order.subarray(at, at + list.length));
        at += list.length;
      }
      for (let i = 0; i < batchOrder.length; i++) batchOrder[i] = i;
      if (shuffle) random(seed, keyOf('batches'), epoch).shuffle(batchOrder);
    }
    return plan[batchOrder[step % plan.length] as number] as (typeof plan)[number];
  };
  const rowsAt = (step: number): Uint32Array => {
    const { from, to } = batchAt(step);
    return order.subarray(from, to);
  };

  return {
    perEpoch: plan.length,
    shapeAt: (step) => batchAt(step).shape,
    rowsAt,
    drawAt: (step) => Math.floor(step / plan.length), // the epoch
    fill: (step, arrays) =>
      fillBatch(arrays, shapes[batchAt(step).shape] as BatchShape, corpus, rowsAt(step)),
  };
}

/** Corpus rows by shape: each row is in the first shape that fits. Throws a HeddleError if none fits. */
export function assignRows(corpus: EncodedCorpus, shapes: readonly BatchShape[]): Uint32Array[] {
  const members = shapes.map((): number[] => []);
  for (let row = 0; row < corpus.count; row++) {
    const [s, t] = [sourceLength(corpus, row), targetLength(corpus, row)];
    const list = members[shapes.findIndex((shape) => s <= shape.source && t <= shape.target)];
    check(
      list !== undefined,
      () => msg`pair ${corpus.pairIndex[row]} of ${s} source and ${t} target positions fits no shape`,
      { area: 'batches' },
    );
    list.push(row);
  }
  return members.map((list) => Uint32Array.from(list));
}
