// Rows that change in each epoch: fresh segmentations (subword regularization) and augmented pairs. Which pairs form a
// batch, and its shape, do not change; a row depends only on seed, draw (the epoch) and row, so that a run resumes to
// the bit. Threads do this work (drawn-batches.ts).

import { keyOf, random } from '../../../core/random.ts';
import type { EncodedCorpus, RaggedRows } from '../../../text/batches/encoded-corpus.ts';
import type { Pair } from '../../../text/corpus/pairs.ts';
import {
  createPieceSampler,
  type PieceSampler,
  type SamplingOptions,
} from '../../../text/sentencepiece/piece-sampler.ts';
import { openTokenizers, type TextTaskKind, type TokenizerData } from '../../../text/text-tasks.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import type { LexiconData } from '../align/lexicon.ts';
import { WordAligner } from '../align/lexicon.ts';
import type { AugmentRates } from '../augment/augment-rates.ts';
import type { Augmenter } from '../augment/augmentations.ts';
import { createAugmenter } from '../augment/augmentations.ts';

/** What is drawn; plain data. */
export interface DrawOptions {
  readonly sampling?: SamplingOptions;
  readonly augment?: AugmentRates;
  /** The lexicon of augmentations that need word alignments. */
  readonly lexicon?: LexiconData;
  readonly seed: number;
}

/** Rows to draw; plain data. */
export interface DrawRequest {
  /** The rows with the pieces of their text. */
  readonly corpus: EncodedCorpus;
  /** Number of each row in the whole corpus. */
  readonly numbers: Uint32Array;
  /** Number of the draw: the epoch. */
  readonly draw: number;
  /** Positions of the batch: a row that does not fit keeps its pieces. */
  readonly maxSource: number;
  readonly maxTarget: number;
}

/** Draws rows. */
export type RowDrawer = (request: DrawRequest) => EncodedCorpus;

/** Some rows of a corpus as a corpus of their own. */
export function pickRows(corpus: EncodedCorpus, rows: Uint32Array): EncodedCorpus {
  const side = ({ ids, starts }: RaggedRows) =>
    raggedRows(Array.from(rows, (row) => Array.from(ids.subarray(starts[row], starts[row + 1]))));
  return {
    ...corpus,
    count: rows.length,
    pairIndex: Uint32Array.from(rows, (row) => corpus.pairIndex[row] as number),
    source: side(corpus.source),
    target: side(corpus.target),
  };
}

function raggedRows(all: readonly (readonly number[])[]): RaggedRows {
  const starts = new Uint32Array(all.length + 1);
  for (const [i, list] of all.entries()) starts[i + 1] = (starts[i] as number) + list.length;
  return { ids: Uint32Array.from(all.flat()), starts };
}

/**
 * Creates a drawer. Throws a HeddleError if a tokenizer is not of the kind of an option.
 */
export async function createRowDrawer(
  source: Tokenizer,
  target: Tokenizer,
  { sampling = {}, augment = {}, lexicon, seed }: DrawOptions,
): Promise<RowDrawer> {
  const sampleSource = createPieceSampler(source, sampling);
  const sampleTarget = target === source ? sampleSource : createPieceSampler(target, sampling);
  const augmenter = await augmenterOf(augment, lexicon);
  const [pieces, changes] = [keyOf('pieces'), keyOf('augment')];
  const sides = [
    { tokenizer: source, sample: sampleSource },
    { tokenizer: target, sample: sampleTarget },
  ] as const;
  type Side = (typeof sides)[number];
  const draw = ({ tokenizer, sample }: Side, text: string, stream: () => ReturnType<typeof random>) =>
    sample ? sample(text, stream()) : tokenizer.encode(text);
  return ({ corpus, numbers, draw: epoch, maxSource, maxTarget }) => {
    const { end } = corpus.sourceSpecial;
    const rows: [number[][], number[][]] = [[], []];
    for (const [i, row] of numbers.entries()) {
      const s = idsOf(corpus.source, i).slice(0, -1); // without the end token
      const t = idsOf(corpus.target, i);
      const stream = (side: number) => () => random(seed, pieces, epoch, side, row);
      const changed = augmenter && changedRow(augmenter, s, t, random(seed, changes, epoch, row));
      if (changed) {
        const [a, b] = [draw(sides[0], changed.source, stream(0)), draw(sides[1], changed.target, stream(1))];
        const known = !a.includes(source.special.unknown) && !b.includes(target.special.unknown);
        if (known && fits(a, maxSource) && fits(b, maxTarget)) {
          rows[0].push([...a, end]);
          rows[1].push(b);
          continue;
        }
      }
      rows[0].push([...resampled(sampleSource, source, s, maxSource, stream(0)), end]);
      rows[1].push(resampled(sampleTarget, target, t, maxTarget, stream(1)));
    }
    return { ...corpus, source: raggedRows(rows[0]), target: raggedRows(rows[1]) };
  };

  /** The texts of a row after augmentation; undefined if it stays as it is. */
  function changedRow(augmenter: Augmenter, s: number[], t: number[], stream: ReturnType<typeof random>) {
    if (s.includes(source.special.unknown) || t.includes(target.special.unknown)) return undefined;
    return augmenter((): Pair => ({ source: source.decode(s), target: target.decode(t) }), stream);
  }
}

/** Whether tokens fit, with one position for the start or end token. */
const fits = (tokens: readonly number[], max: number): boolean => tokens.length > 0 && tokens.length < max;

const idsOf = ({ ids, starts }: RaggedRows, row: number): number[] =>
  Array.from(ids.subarray(starts[row], starts[row + 1]));

/** A row with fresh pieces; its own if they do not fit, or nothing is sampled. */
function resampled(
  sample: PieceSampler | undefined,
  tokenizer: Tokenizer,
  own: number[],
  max: number,
  stream: () => ReturnType<typeof random>,
): number[] {
  const drawn = sample?.(tokenizer.decode(own), stream());
  return drawn && fits(drawn, max) ? drawn : own;
}

/** The augmenter with its alignments; undefined if there is none. */
async function augmenterOf(
  rates: AugmentRates,
  lexicon: LexiconData | undefined,
): Promise<Augmenter | undefined> {
  if (!Object.values(rates).some((rate) => rate > 0)) return undefined;
  if (!lexicon) return createAugmenter(rates, undefined);
  const aligner = new WordAligner(lexicon);
  return createAugmenter(rates, (source, target) => aligner.align(source, target));
}

/** What rows are drawn with; threads get the tokenizers as plain data. */
export interface DrawArguments {
  readonly source: Tokenizer | TokenizerData;
  readonly target: Tokenizer | TokenizerData;
  readonly options: DrawOptions;
}

/** Draws rows of batches as a task of threads. */
export const drawTask: TextTaskKind<DrawArguments, DrawRequest, EncodedCorpus> = {
  name: 'draw',
  open({ options, ...given }) {
    const drawer = openTokenizers(given).then(([source, target]) => createRowDrawer(source, target, options));
    drawer.catch(() => undefined); // `map` rejects with it
    return { map: async (request) => (await drawer)(request) };
  },
};
