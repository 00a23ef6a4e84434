// The corpus of `heddle train`: from its command line, or that of the checkpoint that it resumes.

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { corpusOf } from '../api/given-inputs.ts';
import { HeddleError, shellQuote } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { settingTable } from '../features/all-settings.ts';
import { features } from '../features/features.ts';
import type { Files } from '../files/files.ts';
import type { Stage } from '../text/batches/batch-source.ts';
import { type CorpusFiles, pathsOf } from '../text/corpus/pair-files.ts';
import type { CorpusArguments } from '../train/data/corpus-arguments.ts';
import { corpusFiles, corpusPaths } from '../train/data/load-corpus.ts';
import { isOfCaller } from '../train/settings/train-arguments.ts';
import { log } from './output.ts';
import { checkStdin, type PairFlags, pairFilesOf } from './pair-flags.ts';
import type { TrainFileOptions } from './train-flags.ts';

/** Files of pairs on the command line. */
export type NamedFiles = Partial<CorpusFiles> & { readonly stages?: readonly Stage[] };

/** The files of pairs on the command line. */
export async function namedFiles(pairs: readonly string[], o: TrainFileOptions): Promise<NamedFiles> {
  const part = (name: 'dev' | 'test', files: string[] | undefined) => {
    const sides = { source: `--${name}-source`, target: `--${name}-target` };
    return pairFilesOf(
      files,
      { ...o, source: o[`${name}Source`], target: o[`${name}Target`] } as PairFlags,
      sides,
    );
  };
  const [dev, test] = [part('dev', o.dev), part('test', o.test)];
  const mixed = await mixtureOf(pairs, o);
  const train = mixed ? mixed.train : pairFilesOf(pairs, o);
  checkStdin([train, dev, test]);
  if (!train && (dev ?? test) && !o.resume)
    throw new HeddleError(
      'dev and test pairs need files of training pairs; the built-in corpus has its own dev and test pairs; omit them',
      { area: 'train' },
    );
  return { train, dev, test, stages: mixed?.stages };
}

/** The training files of `--data`, or of the stages in the configuration file; undefined if there are none. */
async function mixtureOf(
  pairs: readonly string[],
  { data, stages, source, format, sourceColumn, targetColumn, tags }: TrainFileOptions,
): Promise<Extract<CorpusArguments, { kind: 'files' }> | undefined> {
  if (!data && !stages) return undefined;
  const [given] = [...pairs, ...(source ?? [])];
  if (given !== undefined)
    throw new HeddleError(
      msg`${given} and ${data ? '--data' : 'stages'} exclude each other; give one of them`,
      { area: 'train' },
    );
  const mixture = { data, stages, format, sourceColumn, targetColumn, tags };
  const corpus = await corpusOf(mixture, features);
  if (corpus?.kind !== 'files')
    throw new HeddleError('files of pairs cannot be mixed here', { area: 'train', kind: 'unsupported' });
  const files = pathsOf(corpus.train).map((path) => (path === '-' ? path : resolve(path)));
  return { ...corpus, train: { ...corpus.train, files } };
}

/** The corpus of a new run: files, a built-in task or the built-in corpus. `seed`: of the built-in pairs. */
export const newCorpus = (
  { train, dev, test, stages }: NamedFiles,
  seed: number,
  o: TrainFileOptions,
): CorpusArguments =>
  train
    ? { kind: 'files', train, dev, test, stages }
    : o.corpus && o.corpus !== 'intl'
      ? { kind: 'task', task: o.corpus, pairs: o.pairs, seed }
      : { kind: 'intl', source: o.sourceLocale, target: o.targetLocale, pairs: o.pairs, seed };

/**
 * The corpus of the checkpoint in `out`, with new paths if files have moved. Throws a HeddleError if a file
 * is missing.
 */
export async function resumedCorpus(
  files: Files,
  out: string,
  kept: CorpusArguments,
  named: NamedFiles,
): Promise<CorpusArguments> {
  if (isOfCaller(kept) && !named.train)
    throw new HeddleError(
      msg`the pairs of this run came from a program; give a file with the same pairs: heddle train FILE --resume --out ${shellQuote(out)}`,
      { area: `--out ${out}` },
    );
  const corpus = movedCorpus(kept, named);
  const given = [named.train, named.dev, named.test].flatMap((set) => (set ? pathsOf(set) : []));
  if (corpus === kept && given.length > 0)
    log(`${out} resumes with its own pairs; ignored: ${given.join(', ')}`);
  for (const path of corpus.kind === 'tsv' && corpus.keep ? [] : corpusPaths(corpus))
    if (path !== '-' && !(await files.exists(path)))
      throw new HeddleError(
        msg`this file of ${out} is missing; give its new path (FILE of training pairs, --dev or --test): heddle train FILE --resume --out ${shellQuote(out)}`,
        { area: path },
      );
  return corpus;
}

/** A corpus with new paths; unchanged if it has no files, or its pairs are in the model folder. */
export function movedCorpus(kept: CorpusArguments, { train, dev, test }: NamedFiles): CorpusArguments {
  const before = corpusFiles(kept);
  if (!before || (kept.kind === 'tsv' && kept.keep) || !(train ?? dev ?? test)) return kept;
  if (train && isOfCaller(kept)) return { kind: 'files', train, dev, test };
  const stages = kept.kind === 'files' ? kept.stages : undefined;
  const files = stages?.[0]?.weights.length;
  if (files !== undefined && train && pathsOf(train).length !== files)
    throw new HeddleError(
      msg`the run has ${files} files of training pairs; give all of them, in this order: ${pathsOf(before.train).join(' ')}`,
      { area: 'train' },
    );
  return {
    kind: 'files',
    stages,
    train: train ?? before.train,
    dev: before.dev && (dev ?? before.dev),
    test: before.test && (test ?? before.test),
  };
}

/** The task of `--corpus`, if it names one. */
export const taskOf = ({ corpus }: TrainFileOptions): string | undefined =>
  corpus === 'intl' ? undefined : corpus;

/** The first training file on the command line, if there is any. */
const firstFile = ({ train }: NamedFiles): string | undefined => train && pathsOf(train)[0];

/** Throws a HeddleError for flags of the built-in corpus with files of pairs, or with a task that lacks them. */
export function checkCorpusFlags(command: Command, named: NamedFiles, o: TrainFileOptions): void {
  const reject = (flags: readonly string[], reason: string) => {
    for (const flag of flags)
      if (command.getOptionValueSource(flag) !== 'default')
        throw new HeddleError(msg`${settingTable.flag(flag)} is only for ${reason}`, { area: 'train' });
  };
  if (named.train && o.corpus)
    throw new HeddleError('give files of pairs or --corpus, not both', { area: 'train' });
  const locales = ['sourceLocale', 'targetLocale'];
  if (named.train)
    reject(['pairs', ...locales], `the built-in corpus; omit it, or omit ${firstFile(named) ?? ''}`);
  const task = taskOf(o);
  if (task) reject(locales, `--corpus intl; the task ${task} has no languages`);
}

/** The name of a run without `--out`: that of its first file without folder and extension, or of its built-in corpus. */
export function runName(named: NamedFiles, o: TrainFileOptions): string {
  const first = firstFile(named);
  if (first === undefined) return taskOf(o) ?? `intl-${o.sourceLocale}-${o.targetLocale}`;
  return first.replace(/^.*[\\/]/s, '').replace(/^-$|\.[^.]+(?:\.gz)?$/, '') || 'model';
}
