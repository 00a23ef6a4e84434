// The kinds of corpora of a training: generated from Unicode CLDR, built-in tasks, files of pairs, one TSV file. To add a
// kind, add a row and its type in corpus-arguments.ts.

import { filePath, msg } from '../../core/message.ts';
import { runPaced, type Steps } from '../../core/steps.ts';
import { baseName } from '../../files/files.ts';
import { settledFolder } from '../../files/settled-folder.ts';
import { createPace } from '../../session/job-pace.ts';
import { type CorpusFiles, type PairFiles, pathsOf } from '../../text/corpus/pair-files.ts';
import { describeBad } from '../../text/corpus/pair-records.ts';
import {
  type HeldOut,
  heldOutParts,
  type Pair,
  splitDev,
  splitPairs,
  splitPairsSteps,
} from '../../text/corpus/pairs.ts';
import { readTsv } from '../../text/corpus/tsv.ts';
import { intlCorpusSteps } from '../../text/intl/intl-corpus.ts';
import { taskCorpusSteps } from '../../text/tasks/task-corpus.ts';
import type { CorpusArguments, CorpusKind, CorpusReading, LoadedCorpus } from './corpus-arguments.ts';
import { readSets } from './read-pair-files.ts';

type KindName = CorpusArguments['kind'];
type Of<Name extends KindName> = Extract<CorpusArguments, { readonly kind: Name }>;

/** Name of the file with the training pairs in a model folder. */
export const corpusFile = 'corpus.tsv';

/** Makes the pairs of a built-in corpus and splits them. */
async function made(making: Steps<Pair[]>, { heldOut, session }: CorpusReading): Promise<LoadedCorpus> {
  const pace = createPace(session);
  const pairs = await runPaced(making, pace);
  return { split: await runPaced(splitPairsSteps(pairs, heldOutParts(heldOut)), pace), keep: {} };
}

/** Corpora generated from Unicode CLDR. */
const intl: CorpusKind<Of<'intl'>> = {
  fields: ['source', 'target', 'pairs', 'seed', 'kinds'],
  nameOf({ source, target }) {
    const names = new Intl.DisplayNames(['en'], { type: 'language' });
    return `${names.of(source)} to ${names.of(target)}, from Unicode CLDR`;
  },
  filesOf: () => undefined,
  load: (corpus, reading) => made(intlCorpusSteps(corpus), reading),
};

/** Built-in tasks. */
const task: CorpusKind<Of<'task'>> = {
  fields: ['task', 'pairs', 'seed'],
  nameOf: (corpus) => `built-in task: ${corpus.task}`,
  filesOf: () => undefined,
  load: (corpus, reading) => made(taskCorpusSteps(corpus), reading),
};

/** The names of files of pairs: `a.tsv, b.tsv`. */
function namesOf(train: PairFiles): string {
  const [first = '', ...others] = pathsOf(train).map((path) => (path === '-' ? 'stdin' : baseName(path)));
  return others.length > 2 ? `${first} and ${others.length} more files` : [first, ...others].join(', ');
}

/** Reads files: with dev files nothing is held out, with test files only dev pairs. */
async function readFiles(
  { train, dev, test }: CorpusFiles,
  { heldOut, session, pool }: CorpusReading,
): Promise<LoadedCorpus> {
  const read = (files: PairFiles, split: HeldOut = {}) => readSets(files, session, pool, { split });
  const sets = await read(train, heldOutParts(heldOut, { dev, test }));
  const split = {
    ...sets,
    dev: dev ? (await read(dev)).train : sets.dev,
    test: test ? (await read(test)).train : sets.test,
  };
  return { split, keep: {} };
}

/** Files of pairs. */
const files: CorpusKind<Of<'files'>> = {
  fields: ['train', 'dev', 'test', 'stages'],
  nameOf: ({ train }) => namesOf(train),
  filesOf: ({ train, dev, test }) => ({ train, dev, test }),
  load: readFiles,
};

/** One TSV file, which the model folder may store. */
const tsv: CorpusKind<Of<'tsv'>> = {
  fields: ['path', 'dev', 'keep', 'devOnly'],
  nameOf: (corpus) => namesOf(filesOfTsv(corpus).train),
  filesOf: (corpus) => filesOfTsv(corpus),
  keepsPairs: ({ keep = false }) => keep,
  async load(corpus, reading) {
    if (!corpus.keep) return readFiles(filesOfTsv(corpus), reading);
    const { from, heldOut, session } = reading;
    const path = from ? `${await settledFolder(from.files, from.folder)}/${corpusFile}` : corpus.path;
    const bytes = await (from?.files ?? session.files).read(path);
    const { pairs, bad } = readTsv(bytes, corpus.path);
    const problems = describeBad(bad);
    if (problems) session.emit({ type: 'message', text: msg`${filePath(corpus.path)}: ${problems}` });
    const split = corpus.devOnly ? splitDev(pairs, heldOut) : splitPairs(pairs, heldOutParts(heldOut));
    return { split, keep: { [corpusFile]: bytes } };
  },
};

function filesOfTsv({ path, dev }: Of<'tsv'>): CorpusFiles {
  const one = (path: string): PairFiles => ({ files: [path], format: 'tsv' });
  return { train: one(path), dev: dev === undefined ? undefined : one(dev) };
}

const kinds: { readonly [Name in KindName]: CorpusKind<Of<Name>> } = { intl, task, files, tsv };

/** Names of the kinds. */
export const corpusKindNames: readonly string[] = Object.keys(kinds);

/** The kind of a corpus. */
export const kindOf = ({ kind }: Pick<CorpusArguments, 'kind'>): CorpusKind<CorpusArguments> =>
  kinds[kind] as CorpusKind<CorpusArguments>;
