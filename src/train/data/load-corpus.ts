// Corpora of jobs: their files, their names and their pairs, by their kinds (corpus-kinds.ts).

import { check } from '../../core/errors.ts';
import { checkNames, suggestion } from '../../core/fields.ts';
import { msg } from '../../core/message.ts';
import { createPace } from '../../session/job-pace.ts';
import { type CorpusFiles, pathsOf } from '../../text/corpus/pair-files.ts';
import { openTextPool, type TextPool } from '../../text/text-pool.ts';
import type { CorpusArguments, CorpusReading, CorpusSession, LoadedCorpus } from './corpus-arguments.ts';
import { corpusKindNames, kindOf } from './corpus-kinds.ts';
import { bytesOf } from './read-pair-files.ts';

/** Throws a HeddleError if a corpus lacks what its kind must have, or has other fields. */
export function checkCorpus(corpus: CorpusArguments): void {
  const { kind, ...fields } = corpus;
  check(
    corpusKindNames.includes(kind),
    () => msg`there is no corpus of kind ${kind}${suggestion(kind, corpusKindNames) ?? ''}`,
    { area: 'train' },
  );
  const known = kindOf(corpus).fields;
  checkNames({ area: `train: corpus of kind ${kind}`, noun: 'field' }, known, Object.keys(fields));
  const [needed = ''] = known;
  check(needed in fields, msg`a corpus of kind ${kind} needs ${needed}`, { area: 'train' });
}

/** Name of a corpus: `English to Spanish, from Unicode CLDR`, or its file names. */
export const corpusName = (corpus: CorpusArguments): string => kindOf(corpus).nameOf(corpus);

/** The files of a corpus; undefined if it is built in. */
export const corpusFiles = (corpus: CorpusArguments): CorpusFiles | undefined =>
  kindOf(corpus).filesOf(corpus);

/** Whether the model folder stores the pairs of a corpus, so that a run resumes without its file. */
export const keepsPairs = (corpus: CorpusArguments): boolean => kindOf(corpus).keepsPairs?.(corpus) ?? false;

/** Paths of all files of a corpus. */
export const corpusPaths = (corpus: CorpusArguments): string[] =>
  Object.values(corpusFiles(corpus) ?? {}).flatMap((set) => (set ? pathsOf(set) : []));

/** Makes or reads the pairs of a corpus, split; a corpus that the model folder stores is read from the checkpoint. */
export const loadCorpus = (corpus: CorpusArguments, reading: CorpusReading): Promise<LoadedCorpus> =>
  kindOf(corpus).load(corpus, reading);

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
