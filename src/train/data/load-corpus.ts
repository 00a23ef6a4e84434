// Corpora of jobs: files of pairs, or the built-in corpus made from Unicode CLDR.

import { check } from '../../core/errors.ts';
import { checkNames, suggestion } from '../../core/fields.ts';
import { runPaced, type Steps } from '../../core/steps.ts';
import { baseName, type Files, openStream } from '../../files/files.ts';
import { settledFolder } from '../../files/settled-folder.ts';
import { createPace } from '../../session/job-pace.ts';
import type { Session } from '../../session/session.ts';
import type { Stage } from '../../text/batches/batch-source.ts';
import { packedPairs } from '../../text/corpus/packed-pairs.ts';
import { pairBlocks } from '../../text/corpus/pair-blocks.ts';
import {
  type CorpusFiles,
  checkParsed,
  describeBad,
  nameOfPairs,
  type PairFiles,
  pathsOf,
} from '../../text/corpus/pair-files.ts';
import type { CorpusSplit, HeldOut, Pair } from '../../text/corpus/pairs.ts';
import {
  checkHeldOut,
  heldOutParts,
  splitDev,
  splitPairs,
  splitPairsSteps,
} from '../../text/corpus/pairs.ts';
import { readTsv } from '../../text/corpus/tsv.ts';
import type { IntlKind } from '../../text/intl/intl-corpus.ts';
import type { TaskName } from '../../text/tasks/task-corpus.ts';
import { openTextPool, type TextPool } from '../../text/text-pool.ts';
import { type ParsedPart, parseTask } from '../../text/text-tasks.ts';

/** The corpus of a run; plain JSON. `Path`: how `train` is given its files, also as File and Blob objects. */
export type CorpusArguments<Path = string> =
  | {
      readonly kind: 'intl';
      readonly source: string;
      readonly target: string;
      readonly pairs: number;
      readonly seed: number;
      readonly kinds?: readonly IntlKind[];
    }
  /** A built-in task. */
  | { readonly kind: 'task'; readonly task: TaskName; readonly pairs: number; readonly seed: number }
  /**
   * Default of dev and test pairs: a share of the training pairs; no test pairs if there are dev pairs. `stages`:
   * the weights of the training files, which then are `train.files`. Default: all pairs alike.
   */
  | ({ readonly kind: 'files'; readonly stages?: readonly Stage[] } & CorpusFiles<Path>)
  /** One TSV file. */
  | {
      readonly kind: 'tsv';
      readonly path: Path;
      readonly dev?: Path;
      /** Store the pairs in the model folder, so that a run can resume without the file. */
      readonly keep?: boolean;
      /** With `keep`: no pairs are held out for test, and at least one for dev, unless `heldOut` is 0. */
      readonly devOnly?: boolean;
    };

/** The fields of each kind of corpus; the first one it must have. */
const corpusFields: Readonly<Record<CorpusArguments['kind'], readonly string[]>> = {
  intl: ['source', 'target', 'pairs', 'seed', 'kinds'],
  task: ['task', 'pairs', 'seed'],
  files: ['train', 'dev', 'test', 'stages'],
  tsv: ['path', 'dev', 'keep', 'devOnly'],
};

/** Throws a HeddleError if a corpus lacks what its kind must have, or has other fields. */
export function checkCorpus({ kind, ...fields }: CorpusArguments): void {
  const known = Object.hasOwn(corpusFields, kind) ? corpusFields[kind] : undefined;
  check(
    known,
    () => `train: there is no corpus of kind ${kind}${suggestion(kind, Object.keys(corpusFields))}`,
  );
  checkNames({ area: `train: corpus of kind ${kind}`, noun: 'field' }, known, Object.keys(fields));
  const [needed = ''] = known;
  check(needed in fields, `train: a corpus of kind ${kind} needs ${needed}`);
}

/** The part of a session that reading a corpus needs. */
export type CorpusSession = Pick<Session, 'files' | 'emit' | 'features'> &
  Partial<Pick<Session, 'signal' | 'threads'>>;

/** The pairs of a corpus, and the number of training pairs of each file, in order, if it has files. */
export type ReadCorpus = CorpusSplit & { readonly fileSizes?: readonly number[] };

/** The files of a corpus; undefined if it is built in. */
export function corpusFiles(corpus: CorpusArguments): CorpusFiles | undefined {
  if (corpus.kind === 'files') return { train: corpus.train, dev: corpus.dev, test: corpus.test };
  if (corpus.kind !== 'tsv') return undefined;
  const one = (path: string): PairFiles => ({ files: [path], format: 'tsv' });
  return { train: one(corpus.path), dev: corpus.dev === undefined ? undefined : one(corpus.dev) };
}

/** Paths of all files of a corpus. */
export const corpusPaths = (corpus: CorpusArguments): string[] =>
  Object.values(corpusFiles(corpus) ?? {}).flatMap((set) => (set ? pathsOf(set) : []));

/**
 * Bytes of files, and number of pairs in memory, from which threads save more time than they take to start.
 */
const manyBytes = 4e6;
const manyPairs = 50_000;

/**
 * Opens a pool for a corpus of files or of `pairs` pairs in memory: with the threads of the host if it is
 * large.
 */
export async function openCorpusPool(
  corpus: CorpusArguments,
  session: CorpusSession,
  pairs: number | undefined,
): Promise<TextPool> {
  const { files, signal, threads } = session;
  // Unknown for stdin: NaN, which is large.
  const isLarge =
    pairs === undefined ? !((await bytesOf(files, corpusPaths(corpus))) < manyBytes) : pairs >= manyPairs;
  return openTextPool(createPace(session), isLarge ? threads : undefined, signal);
}

/**
 * Reads a corpus and splits it by source sentence: `heldOut` is the fraction for `dev`, and the same fraction
 * for `test`. With dev files nothing is held out, with test files only dev pairs. A message gives the number
 * of bad lines.
 */
async function readCorpus(
  corpus: CorpusArguments,
  heldOut: number,
  session: CorpusSession,
  pool: TextPool,
): Promise<ReadCorpus> {
  if (corpus.kind === 'intl' || corpus.kind === 'task') {
    const pace = createPace(session);
    const making: Steps<Pair[]> =
      corpus.kind === 'intl'
        ? (await import('../../text/intl/intl-corpus.ts')).intlCorpusSteps(corpus)
        : (await import('../../text/tasks/task-corpus.ts')).taskCorpusSteps(corpus);
    return runPaced(splitPairsSteps(await runPaced(making, pace), heldOutParts(heldOut)), pace);
  }
  const { train, dev, test } = corpusFiles(corpus) as CorpusFiles;
  const read = (pairFiles: PairFiles, split: HeldOut = {}) => readSets(pairFiles, session, pool, { split });
  const sets = await read(train, heldOutParts(heldOut, { dev, test }));
  return {
    ...sets,
    dev: dev ? (await read(dev)).train : sets.dev,
    test: test ? (await read(test)).train : sets.test,
  };
}

/** Name of the file with the training pairs in a model folder. */
export const corpusFile = 'corpus.tsv';

/**
 * Reads a corpus as `readCorpus`; a TSV corpus with `keep` is read from the checkpoint `from`, if there is
 * one. Returns the pairs, and the files to store in the model folder.
 */
export async function readKeptCorpus(
  corpus: CorpusArguments,
  heldOut: number,
  session: CorpusSession,
  from: { readonly files: Files; readonly folder: string } | undefined,
  pool: TextPool,
): Promise<{ readonly split: ReadCorpus; readonly keep: Readonly<Record<string, Uint8Array>> }> {
  if (corpus.kind !== 'tsv' || !corpus.keep)
    return { split: await readCorpus(corpus, heldOut, session, pool), keep: {} };
  const path = from ? `${await settledFolder(from.files, from.folder)}/${corpusFile}` : corpus.path;
  const bytes = await (from?.files ?? session.files).read(path);
  const { pairs, bad } = readTsv(bytes, corpus.path);
  if (bad.length) session.emit({ type: 'message', text: `${corpus.path}: ${describeBad(bad)}` });
  const split = corpus.devOnly ? splitDev(pairs, heldOut) : splitPairs(pairs, heldOutParts(heldOut));
  return { split, keep: { [corpusFile]: bytes } };
}

/**
 * Reads files of pairs, with at most `references` references each. Bad lines are counted in a message. Throws
 * a HeddleError that starts with the file's name if it is empty, or has no pair.
 */
export async function readPairs(given: PairFiles, session: CorpusSession, references = 1): Promise<Pair[]> {
  const pool = await openTextPool(createPace(session));
  return [...(await readSets(given, session, pool, { references })).train];
}

/**
 * Reads the pairs of a file in memory or of a page: TSV, or the format of its name (`memory.tmx`). Throws as
 * `readPairs`.
 */
export async function readBlobPairs(
  blob: Blob,
  session: Pick<CorpusSession, 'emit' | 'signal' | 'features'>,
): Promise<Pair[]> {
  const name = (blob as Partial<File>).name ?? 'pairs';
  await (await import('../../files/blob-files.ts')).readable(blob, name);
  const files = { stream: async () => blob.stream(), size: async () => blob.size } as Partial<Files> as Files;
  return readPairs({ files: [name] }, { ...session, files });
}

/** Bytes of files; NaN if one is unknown, as that of stdin. */
async function bytesOf(files: Files, paths: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of paths) bytes += (await files.size?.(path)) ?? Number.NaN;
  return bytes;
}

/** Reads files of pairs as `readPairs`; packed and split by source sentence if `split` is given. */
async function readSets(
  given: PairFiles,
  { files, emit, features }: CorpusSession,
  pool: TextPool,
  { split, references = 1 }: { readonly split?: HeldOut; readonly references?: number },
): Promise<ReadCorpus & Required<Pick<ReadCorpus, 'fileSizes'>>> {
  if (split) checkHeldOut(split);
  const total = (await bytesOf(files, pathsOf(given))) || 0;
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
  };
  const parts: ParsedPart[] = [];
  await pool.run({
    task: parseTask,
    args: { split, shared: pool.parallel },
    chunks: pairBlocks(given, {
      open: (path) => openStream(files, path),
      readers: features.pairReaders,
      references,
      onBytes,
      blockBytes: 2 ** 16,
    }),
    progress: () => ({ task: 'read', done, total }),
    onPart(part, index) {
      parts[index] = part;
    },
  });
  const list = (set: 'train' | 'dev' | 'test') => packedPairs(parts.map(({ sets }) => sets[set]));
  const sets = { train: list('train'), dev: list('dev'), test: list('test') };
  const name = nameOfPairs(given);
  checkParsed(name, parts, sets.train.length + sets.dev.length + sets.test.length);
  for (const file of new Set(parts.map((part) => part.name))) {
    const bad = describeBad(parts.filter((part) => part.name === file).flatMap((part) => part.bad));
    if (bad) emit({ type: 'message', text: `${file}: ${bad}` });
  }
  // Pairs are counted by their sources.
  const fileSizes = [...new Set([...(given.source ?? []), ...(given.files ?? [])])].map((path) =>
    parts.reduce((n, part) => (part.name === path ? n + part.sets.train.length : n), 0),
  );
  return { ...sets, fileSizes };
}

/** Returns the name of a corpus: `English to Spanish, from Unicode CLDR`, or its file name. */
export function corpusName(corpus: CorpusArguments): string {
  if (corpus.kind === 'task') return `built-in task: ${corpus.task}`;
  if (corpus.kind !== 'intl') {
    const [first = '', ...others] = pathsOf(corpusFiles(corpus)?.train ?? {}).map((path) =>
      path === '-' ? 'stdin' : baseName(path),
    );
    return others.length > 2 ? `${first} and ${others.length} more files` : [first, ...others].join(', ');
  }
  const names = new Intl.DisplayNames(['en'], { type: 'language' });
  return `${names.of(corpus.source)} to ${names.of(corpus.target)}, from Unicode CLDR`;
}
