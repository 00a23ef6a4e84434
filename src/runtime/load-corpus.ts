// Corpora of jobs: TSV files, or the built-in corpus made from Unicode CLDR.

import { check } from '../core/errors.ts';
import { existingFolder, type Files } from '../files/files.ts';
import { type Pair, type Split, splitPairs } from '../text/corpus/pairs.ts';
import { describeBad, readTsv } from '../text/corpus/tsv.ts';
import { type IntlKind, intlCorpus } from '../text/intl/intl-corpus.ts';
import type { JobContext } from './job.ts';

/** The corpus of a run; plain JSON. */
export type CorpusArguments =
  | {
      readonly kind: 'intl';
      readonly source: string;
      readonly target: string;
      readonly pairs: number;
      readonly seed: number;
      readonly kinds?: readonly IntlKind[];
    }
  | {
      readonly kind: 'tsv';
      readonly path: string;
      readonly dev?: string;
      /** Store the pairs in the model folder, so that a run can resume without the file. */
      readonly keep?: boolean;
    };

/**
 * Reads a corpus and splits it by source sentence: `heldOut` is the fraction for `dev`, and the same again for `test`.
 * A TSV corpus with a dev file is not split. Bad lines are counted in a message.
 */
export async function readCorpus(
  corpus: CorpusArguments,
  heldOut: number,
  { files, emit }: Pick<JobContext, 'files' | 'emit'>,
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

/** Name of the file with the training pairs in a model folder. */
export const corpusFile = 'corpus.tsv';

/**
 * Reads a corpus as `readCorpus`; a TSV corpus with `keep` is read from the checkpoint `from`, if there is one. Returns
 * the pairs, and the files to store in the model folder.
 */
export async function readKeptCorpus(
  corpus: CorpusArguments,
  heldOut: number,
  context: Pick<JobContext, 'files' | 'emit'>,
  from: { readonly files: Files; readonly folder: string } | undefined,
): Promise<{ readonly split: Split; readonly keep: Readonly<Record<string, Uint8Array>> }> {
  if (corpus.kind !== 'tsv' || !corpus.keep) return { split: await readCorpus(corpus, heldOut, context), keep: {} };
  const path = from ? `${await existingFolder(from.files, from.folder)}/${corpusFile}` : corpus.path;
  const bytes = await (from?.files ?? context.files).read(path);
  const { pairs, bad } = readTsv(bytes, corpus.path);
  if (bad.length) context.emit({ type: 'message', text: `${corpus.path}: ${describeBad(bad)}` });
  return { split: splitPairs(pairs, { dev: heldOut, test: heldOut }), keep: { [corpusFile]: bytes } };
}

/** Reads the pairs of a TSV file, with at most `references` references each. Bad lines are counted in a message. */
export async function readPairs(
  path: string,
  { files, emit }: Pick<JobContext, 'files' | 'emit'>,
  references = 1,
): Promise<Pair[]> {
  const { pairs, bad } = readTsv(await files.read(path), path, references);
  if (bad.length) emit({ type: 'message', text: `${path}: ${describeBad(bad)}` });
  check(pairs.length > 0, `${path}: there are no pairs`);
  return pairs;
}
