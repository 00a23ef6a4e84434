// Training on rows that are drawn afresh in each epoch: fresh pieces (subword regularization) and augmentation.
// Only runs with these settings load this file.

import { fillBatch } from '../../../text/batches/batches.ts';
import type { BatchShape } from '../../../text/batches/buckets.ts';
import { type EncodedCorpus, targetLength } from '../../../text/batches/encoded-corpus.ts';
import { type Pair, type PairList, sampleEvenly } from '../../../text/corpus/pairs.ts';
import { openTextPool, type TextPool } from '../../../text/text-pool.ts';
import { areCopied, tokenizerData } from '../../../text/text-tasks.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import type { Batch } from '../../../train/update/trainer.ts';
import type { LexiconData } from '../align/lexicon.ts';
import { needsAlignments } from '../augment/augment-rates.ts';
import { DrawnBatches, type DrawnBatchOptions } from '../batches/drawn-batches.ts';
import { createRowDrawer, type DrawOptions } from '../batches/drawn-rows.ts';

/** Maximum number of threads that draw batches, and of pairs that the lexicon of augmentations is trained on. */
const [drawThreads, lexiconPairs] = [4, 30_000];

/** What a run draws, and the threads that do it. */
interface DrawnTrainingOptions
  extends Omit<DrawOptions, 'lexicon'>,
    Partial<Pick<DrawnBatchOptions, 'openPool'>> {}

/** The batches of a run that draws. */
interface DrawnTraining {
  batchAt(index: number): Promise<Batch>;
  /** Forgets what was drawn ahead: another stage begins. */
  restart(): void;
  close(): Promise<void>;
}

/**
 * The batches that are drawn afresh in each epoch. Throws a HeddleError if a tokenizer is not of the kind of an option.
 */
export async function drawnTraining(
  from: Pick<DrawnBatchOptions, 'corpus' | 'shapes' | 'batches'>,
  { source, target }: { readonly source: Tokenizer; readonly target: Tokenizer },
  { sampling, augment = {}, seed, openPool = () => openTextPool(() => undefined) }: DrawnTrainingOptions,
  pool: TextPool,
): Promise<DrawnTraining> {
  const { corpus } = from;
  const decoded = sampleEvenly(decodedPairs(corpus, source, target), lexiconPairs);
  const lexicon = needsAlignments(augment) ? await trainLexicon(decoded, pool) : undefined;
  const isCopied = await areCopied(source, target, sampleEvenly(decoded, 50));
  const data = isCopied ? tokenizerData(source) : source;
  const options = { sampling, augment, lexicon, seed };
  // A mistake in the options is an error before the first step.
  await createRowDrawer(source, target, { ...options, lexicon: lexicon ?? emptyLexicon });
  const drawn = new DrawnBatches({
    ...from,
    task: {
      source: data,
      target: target === source ? data : isCopied ? tokenizerData(target) : target,
      options,
    },
    openPool,
    threads: isCopied ? drawThreads : 0,
  });
  const { shapes, batches } = from;
  return {
    batchAt: async (index) => drawnBatch(await drawn.rowsAt(index), shapes, batches.shapeAt(index)),
    restart: () => drawn.restart(),
    close: () => drawn.close(),
  };
}

/** The texts of encoded pairs. */
const decodedPairs = (corpus: EncodedCorpus, source: Tokenizer, target: Tokenizer): PairList => {
  const at = (row: number): Pair => ({
    source: source.decode(
      Array.from(corpus.source.ids.subarray(corpus.source.starts[row], corpus.source.starts[row + 1])).slice(
        0,
        -1,
      ),
    ),
    target: target.decode(
      Array.from(corpus.target.ids.subarray(corpus.target.starts[row], corpus.target.starts[row + 1])),
    ),
  });
  return {
    length: corpus.count,
    at,
    *[Symbol.iterator]() {
      for (let row = 0; row < corpus.count; row++) yield at(row);
    },
  };
};

async function trainLexicon(pairs: readonly Pair[], pool: TextPool): Promise<LexiconData> {
  let lexicon: LexiconData = emptyLexicon;
  await pool.run({
    name: 'trainLexicon',
    args: undefined,
    chunks: [pairs],
    onPart(part) {
      lexicon = part;
    },
  });
  return lexicon;
}

/** A lexicon without entries. */
const emptyLexicon: LexiconData = {
  source: [],
  target: [],
  starts: new Uint32Array(1),
  targets: new Uint32Array(),
  probabilities: new Float32Array(),
};

/** A batch of rows that were drawn. */
function drawnBatch(rows: EncodedCorpus, shapes: readonly BatchShape[], shape: number): Batch {
  const all = Uint32Array.from({ length: rows.count }, (_, row) => row);
  return {
    shape,
    tokens: all.reduce((n, row) => n + targetLength(rows, row), 0),
    fill: (arrays) => fillBatch(arrays, shapes[shape] as BatchShape, rows, all),
  };
}
