// The corpora that jobs train and evaluate on: TSV files, or the built-in one made from CLDR.

import { check } from '../errors.ts';
import { type IntlKind, intlCorpus } from '../text/intl.ts';
import { type Pair, type Split, splitPairs } from '../text/pairs.ts';
import { describeBad, readTsv } from '../text/tsv.ts';
import type { JobContext } from './job.ts';

/** Where pairs come from; plain JSON. */
export type CorpusArguments =
  | {
      readonly kind: 'intl';
      readonly source: string;
      readonly target: string;
      readonly pairs: number;
      readonly seed: number;
      readonly kinds?: readonly IntlKind[];
    }
  | { readonly kind: 'tsv'; readonly path: string; readonly dev?: string };

/**
 * Reads a corpus and splits it by source sentence. `heldOut` is the fraction of sentences that go to `dev`, and the same again to
 * `test`; a TSV corpus with a dev file of its own is not split for it. Bad lines are counted and told.
 */
export async function readCorpus(
  corpus: CorpusArguments,
  heldOut: number,
  { files, emit }: JobContext,
): Promise<Split> {
  if (corpus.kind === 'intl') {
    const { source, target, pairs, seed, kinds } = corpus;
    return splitPairs(intlCorpus({ source, target, pairs, seed, ...(kinds && { kinds }) }), {
      dev: heldOut,
      test: heldOut,
    });
  }
  const pairs = await readPairs(corpus.path, { files, emit });
  if (!corpus.dev) return splitPairs(pairs, { dev: heldOut, test: heldOut });
  const dev = await readPairs(corpus.dev, { files, emit });
  return { train: pairs, dev, test: [] };
}

/** Pairs of a TSV file; tells how many lines were bad. */
export async function readPairs(path: string, { files, emit }: Pick<JobContext, 'files' | 'emit'>): Promise<Pair[]> {
  const { pairs, bad } = readTsv(await files.read(path), path);
  if (bad.length) emit({ type: 'log', text: `${path}: ${describeBad(bad)}` });
  check(pairs.length > 0, `${path}: there are no pairs`);
  return pairs;
}
