// Corpora of jobs: files of pairs, or the built-in corpus made from Unicode CLDR.

import { check } from '../core/errors.ts';
import { runPaced } from '../core/steps.ts';
import { existingFolder, type Files, openStream } from '../files/files.ts';
import { pairBlocks } from '../text/corpus/pair-blocks.ts';
import { type BadLine, describeBad, type PairFiles, parseBlock, pathsOf } from '../text/corpus/pair-files.ts';
import { type Pair, type Split, splitPairs, splitSteps } from '../text/corpus/pairs.ts';
import { readTsv } from '../text/corpus/tsv.ts';
import { type IntlKind, intlCorpus } from '../text/intl/intl-corpus.ts';
import type { JobContext } from './job.ts';
import { createPace } from './job-pace.ts';

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
      readonly kind: 'files';
      readonly train: PairFiles;
      /** Dev and test pairs. [a share of the training pairs; no test pairs if there are dev pairs] */
      readonly dev?: PairFiles;
      readonly test?: PairFiles;
    }
  /** One TSV file. */
  | {
      readonly kind: 'tsv';
      readonly path: string;
      readonly dev?: string;
      /** Store the pairs in the model folder, so that a run can resume without the file. */
      readonly keep?: boolean;
    };

/** What reading a corpus uses of a job's context. */
export type CorpusContext = Pick<JobContext, 'files' | 'emit'> & Partial<Pick<JobContext, 'signal'>>;

/** The files of a corpus: train, dev, test; undefined if it is built in. */
export function corpusFiles(
  corpus: CorpusArguments,
): Record<'train' | 'dev' | 'test', PairFiles | undefined> | undefined {
  if (corpus.kind === 'intl') return undefined;
  if (corpus.kind === 'files') return { dev: undefined, test: undefined, ...corpus };
  const one = (path: string | undefined) =>
    path === undefined ? undefined : { files: [path], format: 'tsv' as const };
  return { train: one(corpus.path), dev: one(corpus.dev), test: undefined };
}

/**
 * Reads a corpus and splits it by source sentence: `heldOut` is the fraction for `dev`, and the same again for `test`.
 * A TSV corpus with a dev file is not split. Bad lines are counted in a message.
 */
export async function readCorpus(corpus: CorpusArguments, heldOut: number, context: CorpusContext): Promise<Split> {
  if (corpus.kind === 'intl') {
    const { source, target, pairs, seed, kinds } = corpus;
    return splitPairs(intlCorpus({ source, target, pairs, seed, ...(kinds && { kinds }) }), {
      dev: heldOut,
      test: heldOut,
    });
  }
  const given = corpusFiles(corpus);
  const read = async (some: PairFiles | undefined) => (some ? readPairs(some, context) : undefined);
  const [pairs = [], dev, test] = [await read(given?.train), await read(given?.dev), await read(given?.test)];
  if (dev) return { train: pairs, dev, test: test ?? [] };
  const split = (parts: { dev: number; test?: number }) => runPaced(splitSteps(pairs, parts), createPace(context));
  if (!test) return split({ dev: heldOut, test: heldOut });
  const { train, dev: held } = await split({ dev: heldOut });
  return { train, dev: held, test };
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
  context: CorpusContext,
  from: { readonly files: Files; readonly folder: string } | undefined,
): Promise<{ readonly split: Split; readonly keep: Readonly<Record<string, Uint8Array>> }> {
  if (corpus.kind !== 'tsv' || !corpus.keep) return { split: await readCorpus(corpus, heldOut, context), keep: {} };
  const path = from ? `${await existingFolder(from.files, from.folder)}/${corpusFile}` : corpus.path;
  const bytes = await (from?.files ?? context.files).read(path);
  const { pairs, bad } = readTsv(bytes, corpus.path);
  if (bad.length) context.emit({ type: 'message', text: `${corpus.path}: ${describeBad(bad)}` });
  return { split: splitPairs(pairs, { dev: heldOut, test: heldOut }), keep: { [corpusFile]: bytes } };
}

/**
 * Reads files of pairs, with at most `references` references each. Bad lines are counted in a message. Throws a
 * HeddleError that starts with the file's name if it is empty, or has no pair.
 */
export async function readPairs(given: PairFiles, context: CorpusContext, references = 1): Promise<Pair[]> {
  const { files, emit } = context;
  const pace = createPace(context);
  const sizes = await Promise.all(pathsOf(given).map((path) => files.size?.(path)));
  // Unknown for stdin.
  const of = sizes.reduce<number>((sum, size) => sum + (size ?? Number.NaN), 0) || 0;
  let done = 0;
  const pairs: Pair[] = [];
  const bad: BadLine[] = [];
  let columns = false;
  const report = (name: string) => {
    if (bad.length > 0 && pairs.length > 0) emit({ type: 'message', text: `${name}: ${describeBad(bad)}` });
    bad.length = 0;
  };
  let current = '';
  const onBytes = (bytes: number) => {
    done += bytes;
  };
  const options = { open: (path: string) => openStream(files, path), references, onBytes, blockBytes: 2 ** 18 };
  for await (const block of pairBlocks(given, options)) {
    if (block.name !== current) report(current);
    current = block.name;
    const parsed = await parseBlock(block);
    columns ||= parsed.columns;
    for (const pair of parsed.pairs) pairs.push(pair);
    for (const line of parsed.bad) bad.push(line);
    await pace({ task: 'read', done, of });
  }
  const name = nameOfPairs(given);
  check(columns, `${name}: no line has a tab; each line of a corpus is a source, a tab and a target`);
  check(pairs.length > 0, () => `${name}: no line is a valid pair (${describeBad(bad)})`);
  report(current);
  return pairs;
}

/** Files of pairs in messages: `train.tsv`, or `train.en, train.es`. */
export const nameOfPairs = (given: PairFiles): string =>
  pathsOf(given)
    .map((path) => (path === '-' ? 'stdin' : path))
    .join(', ');
