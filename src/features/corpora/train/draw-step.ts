// The step of rows that are drawn again in each epoch: fresh pieces (subword regularization) and augmentation.

import { check } from '../../../core/errors.ts';
import { msg, option } from '../../../core/message.ts';
import type { DataContext, DataStep, RunSettings } from '../../../session/data-step.ts';
import { type BatchSource, wholeBatch } from '../../../text/batches/batch-source.ts';
import type { EncodedCorpus } from '../../../text/batches/encoded-corpus.ts';
import { type Pair, type PairList, sampleEvenly } from '../../../text/corpus/pairs.ts';
import type { TextPool } from '../../../text/text-pool.ts';
import { areCopied, tokenizerData } from '../../../text/text-tasks.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import { type LexiconData, lexiconTask } from '../align/lexicon.ts';
import {
  type AugmentRates,
  augmentRates,
  augmentSymbols,
  describeRates,
  needsAlignments,
} from '../augment/augment-rates.ts';
import { DrawnBatches } from '../batches/drawn-batches.ts';
import { createRowDrawer } from '../batches/drawn-rows.ts';
import type { CorporaSettings } from '../corpora-settings.ts';
import { missingSymbols } from './missing-symbols.ts';

/** Maximum number of threads that draw batches. */
const drawThreads = 4;

/** Maximum number of pairs that the lexicon of augmentations is trained on. */
const lexiconPairs = 30_000;

const ratesOf = (settings: RunSettings): AugmentRates =>
  augmentRates((settings as CorporaSettings).augment ?? []);

/** Draws pieces and augments pairs, in threads. */
export const drawStep: DataStep = {
  symbols: (settings) => augmentSymbols(ratesOf(settings)),
  describe: (settings) =>
    (settings as CorporaSettings).augment
      ? msg`augmentation: ${describeRates(ratesOf(settings)) || 'none'}`
      : undefined,
  warnings: (settings, tokenizers) => missingSymbols(ratesOf(settings), tokenizers),
  async open(batches, { settings, seed, source, target, pool, openPool }) {
    const { samplingAlpha, bpeDropout } = settings as CorporaSettings;
    const augment = ratesOf(settings);
    const sampling = { samplingAlpha, bpeDropout };
    if (![samplingAlpha, bpeDropout, ...Object.values(augment)].some((rate = 0) => rate > 0)) return batches;
    const { corpus, shapes, order, stages } = batches;
    check(
      !corpus.sourceRows,
      msg`${option('samplingAlpha')}, ${option('bpeDropout')} and ${option('augment')} are for sources of text; omit them`,
      { area: 'train' },
    );
    const decoded = sampleEvenly(decodedPairs(corpus, source, target), lexiconPairs);
    const lexicon = needsAlignments(augment) ? await trainLexicon(decoded, pool) : undefined;
    const isCopied = await areCopied(source, target, sampleEvenly(decoded, 50));
    const data = isCopied ? tokenizerData(source) : source;
    const options = { sampling, augment, lexicon, seed };
    // A mistake in the options is an error before the first step.
    await createRowDrawer(source, target, { ...options, lexicon: lexicon ?? emptyLexicon });
    const drawn = new DrawnBatches({
      corpus,
      shapes,
      batches: order,
      task: {
        source: data,
        target: target === source ? data : isCopied ? tokenizerData(target) : target,
        options,
      },
      openPool,
      threads: isCopied ? drawThreads : 0,
    });
    const drawing: BatchSource = {
      ...batches,
      at: async (index) => wholeBatch(await drawn.rowsAt(index), shapes, order.shapeAt(index)),
      async close() {
        await drawn.close();
        await batches.close();
      },
    };
    if (!stages) return drawing;
    // What was drawn ahead is of the stage before.
    const start = (index: number) => {
      stages.start(index);
      drawn.restart();
    };
    return { ...drawing, stages: { start, open: (run) => stages.open(run, start) } };
  },
};

/** The texts of encoded pairs. */
function decodedPairs(
  corpus: EncodedCorpus,
  source: DataContext['source'],
  target: DataContext['target'],
): PairList {
  const textOf = (tokenizer: Tokenizer, side: 'source' | 'target', row: number, endTokens: number) => {
    const { ids, starts } = corpus[side];
    return tokenizer.decode(Array.from(ids.subarray(starts[row], (starts[row + 1] as number) - endTokens)));
  };
  const at = (row: number): Pair => ({
    source: textOf(source, 'source', row, 1),
    target: textOf(target, 'target', row, 0),
  });
  return {
    length: corpus.count,
    at,
    *[Symbol.iterator]() {
      for (let row = 0; row < corpus.count; row++) yield at(row);
    },
  };
}

async function trainLexicon(pairs: readonly Pair[], pool: TextPool): Promise<LexiconData> {
  let lexicon: LexiconData = emptyLexicon;
  await pool.run({
    task: lexiconTask,
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
