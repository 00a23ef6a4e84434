// The batches that a training would make of a few pairs, as tokens: for the page Learn.

import type { Model } from '../../src/api/model.ts';
import { createBatches } from '../../src/text/batches/batches.ts';
import { batchShapes, chooseBuckets } from '../../src/text/batches/buckets.ts';
import { encodePairs, type RaggedRows } from '../../src/text/batches/encoded-corpus.ts';
import type { Pair } from '../../src/text/corpus/pairs.ts';
import { type Tokenizer, tokenLabel } from '../../src/text/tokenizers/tokenizer.ts';

/** A batch: its shape, and the tokens of its rows without padding. */
export interface PreviewedBatch {
  /** Positions of a row of the source and of the target. */
  readonly source: number;
  readonly target: number;
  /** Number of rows of the shape; the last batch of a bucket may have fewer pairs. */
  readonly rows: number;
  /** Source tokens of each pair, with [end]. */
  readonly sources: readonly (readonly string[])[];
  /** Tokens that the decoder reads, from [start] on. */
  readonly inputs: readonly (readonly string[])[];
}

/** Returns the batches of an epoch, in the order of their length. */
export function previewBatches(
  { config, tokenizers }: Pick<Model, 'config' | 'tokenizers'>,
  pairs: readonly Pair[],
  { buckets, batchSize }: { readonly buckets: number; readonly batchSize: number },
): PreviewedBatch[] {
  const limits = { maxSource: config.maxSource, maxTarget: config.maxLength };
  const corpus = encodePairs(pairs, tokenizers.source, tokenizers.target, limits);
  const shapes = batchShapes(chooseBuckets(corpus, { count: buckets, multiple: 1 }), { rows: batchSize });
  const batches = createBatches(corpus, shapes, { shuffle: false });
  return Array.from({ length: batches.perEpoch }, (_, step) => {
    const { source, target, batch } = shapes[batches.shapeAt(step)] as (typeof shapes)[number];
    const rows = [...batches.rowsAt(step)];
    return {
      source,
      target,
      rows: batch,
      sources: rows.map((row) => labels(corpus.source, row, tokenizers.source)),
      inputs: rows.map((row) => [
        tokenLabel(tokenizers.target, config.startId),
        ...labels(corpus.target, row, tokenizers.target),
      ]),
    };
  });
}

const labels = ({ ids, starts }: RaggedRows, row: number, tokenizer: Tokenizer): string[] =>
  Array.from(ids.subarray(starts[row], starts[row + 1]), (id) => tokenLabel(tokenizer, id));
