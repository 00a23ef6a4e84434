// Batches with fresh segmentations in each epoch (subword regularization). Which pairs form a batch, and its shape,
// do not change; the pieces of a row depend only on seed, epoch and row, so that a run resumes to the bit.

import { keyOf, random } from '../../core/random.ts';
import {
  createPieceSampler,
  type PieceSampler,
  type SamplingOptions,
} from '../sentencepiece/piece-sampler.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import type { BatchShape } from './buckets.ts';
import type { EncodedCorpus, RaggedRows } from './encoded-corpus.ts';

/** Returns rows of a corpus with the pieces of an epoch. */
export type RowSampler = (
  corpus: EncodedCorpus,
  rows: Uint32Array,
  shape: BatchShape,
  epoch: number,
) => EncodedCorpus;

/**
 * A sampler of both sides; undefined if no option is set. A side of a row keeps its pieces if those that are drawn do
 * not fit the shape of the batch. Throws a HeddleError if a tokenizer is not of the kind of the option.
 */
export function createRowSampler(
  source: Tokenizer,
  target: Tokenizer,
  options: SamplingOptions,
  seed: number,
): RowSampler | undefined {
  const encodeSource = createPieceSampler(source, options);
  const encodeTarget = target === source ? encodeSource : createPieceSampler(target, options);
  if (!encodeSource || !encodeTarget) return undefined;
  const key = keyOf('pieces');
  const side = (
    { ids, starts }: RaggedRows,
    rows: Uint32Array,
    tokenizer: Tokenizer,
    encode: PieceSampler,
    draw: {
      readonly epoch: number;
      readonly number: number;
      readonly max: number;
      readonly ends: readonly number[];
    },
  ): RaggedRows => {
    const all = Array.from(rows, (row) => {
      const own = Array.from(ids.subarray(starts[row], starts[row + 1]));
      const plain = own.slice(0, own.length - draw.ends.length);
      const drawn = encode(tokenizer.decode(plain), random(seed, key, draw.epoch, draw.number, row));
      return drawn.length > 0 && drawn.length + draw.ends.length <= draw.max ? [...drawn, ...draw.ends] : own;
    });
    const places = new Uint32Array(all.length + 1);
    for (const [i, list] of all.entries()) places[i + 1] = (places[i] as number) + list.length;
    return { ids: Uint32Array.from(all.flat()), starts: places };
  };
  return (corpus, rows, shape, epoch) => ({
    ...corpus,
    count: rows.length,
    pairIndex: Uint32Array.from(rows, (row) => corpus.pairIndex[row] as number),
    source: side(corpus.source, rows, source, encodeSource, {
      ...{ epoch, number: 0, max: shape.source },
      ends: [corpus.sourceSpecial.end],
    }),
    // The target has one position more than tokens.
    target: side(corpus.target, rows, target, encodeTarget, {
      epoch,
      number: 1,
      max: shape.target - 1,
      ends: [],
    }),
  });
}
