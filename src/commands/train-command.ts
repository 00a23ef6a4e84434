// heddle train

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { checkRunPaths } from '../api/checkpoint-folder.ts';
import { corpusOf } from '../api/given-inputs.ts';
import { readCheckpoint } from '../api/saved-training.ts';
import { HeddleError, shellQuote } from '../core/errors.ts';
import { formatBytes, formatNumber, formatPercent } from '../core/format-numbers.ts';
import { msg } from '../core/message.ts';
import { present } from '../core/present.ts';
import { settingTable } from '../features/all-settings.ts';
import { features } from '../features/features.ts';
import { archiveFiles } from '../files/archive-files.ts';
import { type Files, withoutEndSlash } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import type { Stage } from '../text/batches/batch-source.ts';
import { type CorpusFiles, pathsOf } from '../text/corpus/pair-files.ts';
import { toSingleLine } from '../text/corpus/pairs.ts';
import { metricValue } from '../text/metrics/metric.ts';
import type { CorpusArguments } from '../train/data/corpus-arguments.ts';
import { corpusFiles, corpusPaths } from '../train/data/load-corpus.ts';
import { isRunFile } from '../train/data/run-files.ts';
import type { Sample } from '../train/report/training-log.ts';
import type { TrainResult } from '../train/run/train-result.ts';
import { initFolder } from '../train/settings/run-defaults.ts';
import { isOfCaller, type TrainArguments } from '../train/settings/train-arguments.ts';
import { settingOf, type TrainSettings } from '../train/settings/train-settings.ts';
import { outFolder } from './out-folder.ts';
import { log } from './output.ts';
import { checkOutputFile } from './output-file.ts';
import { checkStdin, type PairFlags, pairFilesOf, pairsHelp } from './pair-flags.ts';
import type { CommandJob } from './remote/command-job.ts';
import { runAndPrint, runWithProgress } from './run-command.ts';
import { overridden, readRunConfig, saveRunConfig } from './run-config.ts';
import { sweepRuns } from './sweep.ts';
import { runSweep } from './sweep-command.ts';
import { cutText } from './text-width.ts';
import { addTrainFlags, givenSettings, parseSetting, type TrainFileOptions } from './train-flags.ts';

/** Jobs of the command. */
interface Jobs {
  readonly train: CommandJob<TrainArguments, TrainResult>;
}

/** Adds the command `train`. */
export function addTrain(program: Command, jobs: Jobs): void {
  const command = program
    .command('train')
    .description(
      'train a translation model on pairs or on the built-in corpus, and save it as a model folder',
    )
    .argument('[pairs...]', `files of pairs: ${pairsHelp} (default: the built-in corpus)`);
  addTrainFlags(command);
  command.action(async (pairs: string[], options: TrainFileOptions) => {
    const given = givenSettings(command);
    if (options.config === undefined) return runAll(jobs, command, pairs, options, given);
    const file = await readRunConfig(nodeFiles(), options.config, command);
    const named = pairs.length > 0 || command.getOptionValueSource('data') === 'cli';
    return runAll(
      jobs,
      command,
      named ? pairs : file.pairs,
      { ...command.opts(), stages: named ? undefined : file.stages },
      overridden(file.settings, given),
    );
  });
}

/** Trains a run, or the runs of a sweep. */
async function runAll(
  jobs: Jobs,
  command: Command,
  pairs: readonly string[],
  options: TrainFileOptions,
  given: TrainSettings,
): Promise<void> {
  const { grid = [], seeds = [] } = options;
  if (grid.length === 0 && seeds.length === 0) return run(jobs, command, pairs, options, given);
  if (options.saveConfig !== undefined || typeof options.json === 'string')
    throw new HeddleError('--save-config and --json FILE are for one run, not for several', {
      area: 'train',
    });
  if (options.resume && options.force)
    throw new HeddleError('--resume continues runs, --force replaces them; use only one of them', {
      area: 'train',
    });
  const { train, dev, test } = await namedFiles(pairs, options);
  if ([train, dev, test].some((set) => set && pathsOf(set).includes('-')))
    throw new HeddleError('each run of several reads the pairs; give files, not -', { area: 'train' });
  const runs = sweepRuns(given, grid, seeds, parseSetting);
  await runSweep(runs, options, (own, settings) =>
    run(jobs, command, pairs, { ...options, ...own, json: undefined }, settings, true),
  );
}

async function run(
  jobs: Jobs,
  command: Command,
  pairs: readonly string[],
  options: TrainFileOptions,
  given: TrainSettings,
  isOneOfMany = false,
): Promise<void> {
  const named = await namedFiles(pairs, options);
  if (named.train && options.corpus)
    throw new HeddleError('give files of pairs or --corpus, not both', { area: 'train' });
  const files = archiveFiles(nodeFiles());
  const [first] = named.train ? pathsOf(named.train) : [];
  const task = options.corpus === 'intl' ? undefined : options.corpus;
  const rejectFlags = (flags: readonly string[], reason: string) => {
    for (const flag of flags)
      if (command.getOptionValueSource(flag) !== 'default')
        throw new HeddleError(msg`${settingTable.flag(flag)} is only for ${reason}`, { area: 'train' });
  };
  if (named.train)
    rejectFlags(['pairs', 'sourceLocale', 'targetLocale'], `the built-in corpus; omit it, or omit ${first}`);
  if (task) rejectFlags(['sourceLocale', 'targetLocale'], `--corpus intl; the task ${task} has no languages`);
  const builtIn = task ?? `intl-${options.sourceLocale}-${options.targetLocale}`;
  const name = first === undefined ? builtIn : nameOf(first);
  const out = await outFolder(files, name, options, true);
  const { init } = given;
  // A resumed run reads the files of guests' settings again.
  const ofGuests = features.settings
    .flatMap(({ files = [] }) => files)
    .flatMap((name) => {
      const path = settingOf(given, name);
      return typeof path === 'string' ? [[name, resolve(path)]] : [];
    });
  const settings: TrainSettings = {
    ...given,
    init: init === undefined ? init : withoutEndSlash(init),
    ...Object.fromEntries(ofGuests),
  };
  const saved = options.resume ? await readCheckpoint(out, { files }) : undefined;
  const args: TrainArguments = saved
    ? { ...settings, corpus: await resumedCorpus(files, out, saved.corpus, named), out, resume: true }
    : { ...settings, corpus: newCorpus(named, settings.seed ?? 1, options), out };
  const folder = saved ? saved.settings.lora && initFolder(saved.settings) : initFolder(settings);
  const { saveConfig, force = false, config, json } = options;
  const resume = saved !== undefined;
  await checkRunPaths(
    files,
    out,
    { ...saved?.settings, ...settings, init: saved ? saved.settings.init : settings.init },
    { resume, force, placeOf: resolve },
  );
  const recipe = named.train ? 'pairs' : task ? 'task' : 'intl';
  for (const [flag, path] of Object.entries({ '--save-config': saveConfig, '--json': json }))
    if (typeof path === 'string' && isRunFile(resolve(path), resolve(out)))
      throw new HeddleError('the run writes this file; name another file', {
        area: `${flag} ${shellQuote(path)}`,
      });
  if (saveConfig !== undefined) {
    const inputs = present([
      ...corpusPaths(args.corpus),
      ...settingTable.files.map((name) => settingOf(settings, name) as string | undefined),
      config,
    ]);
    checkOutputFile('--save-config', saveConfig, { force, inputs });
    await saveRunConfig(files, saveConfig, command, settings, recipe, { pairs, stages: options.stages });
  }
  const read = present(
    settingTable.files.map(
      (name) => (settingOf(saved?.settings ?? {}, name) ?? settingOf(settings, name)) as string | undefined,
    ),
  );
  const tensorboard = settings.tensorboard ?? saved?.settings.tensorboard;
  const paths = [out, folder ?? out, tensorboard || out, ...read, ...corpusPaths(args.corpus)];
  // Pages and Deno have no lock files.
  const unlock = ['chrome', 'firefox', 'deno'].includes(options.host) ? await files.lock?.(out) : undefined;
  const work = isOneOfMany
    ? runWithProgress(jobs.train, args, options, paths)
    : runAndPrint(jobs.train, args, options, describe, paths);
  const { stopped } = await work.finally(unlock);
  if (stopped)
    log(`stopped before its last step; heddle train --resume --out ${shellQuote(out)} continues it`);
}

/** Files of pairs on the command line. */
type NamedFiles = Partial<CorpusFiles> & { readonly stages?: readonly Stage[] };

/** The files of pairs on the command line. */
async function namedFiles(pairs: readonly string[], o: TrainFileOptions): Promise<NamedFiles> {
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

const newCorpus = (
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
async function resumedCorpus(
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

/** File name without folder and extension. */
const nameOf = (path: string): string =>
  path.replace(/^.*[\\/]/s, '').replace(/^-$|\.[^.]+(?:\.gz)?$/, '') || 'model';

/** The arguments that use the model of a result. */
const usage = ({ config }: TrainResult, folder: string, adapter = ''): string =>
  config.source === 'frames'
    ? `transcribe ${shellQuote(folder)} clip.wav${adapter}`
    : `translate ${shellQuote(folder.replace(/^-/, './-'))}${adapter} "..."`;

/** Maximum columns of a text in the result. */
const maxSample = 300;

/** A translation below its source, and above its reference if it differs from it. */
function describeSample({ source, reference, translation, exact }: Sample): string {
  const lines = [
    `  ${cutText(source, maxSample)}`,
    `  ${exact ? '=' : '→'} ${cutText(toSingleLine(translation), maxSample)}`,
  ];
  if (!exact) lines.push(`  ≠ ${cutText(reference, maxSample)}`);
  return lines.join('\n');
}

/** Some translations and the metrics of all. */
function describeEvaluation(e: NonNullable<TrainResult['evaluation']>): string[] {
  const lines = [
    `${e.sentences} test ${e.sentences === 1 ? 'sentence:' : 'sentences, the first ones:'}`,
    ...e.samples.slice(0, 12).map(describeSample),
  ].map((text) => `${text}\n`);
  for (const metric of features.metrics) {
    const value = metricValue(e, metric);
    if (value !== undefined) lines.push(`${metric.label.padEnd(12)} ${metric.show(value)}`);
  }
  lines.push(`exact match  ${formatPercent(e.exactMatch)} of ${e.sentences}`);
  lines.push(`BLEU, chrF2  ${e.bleu.toFixed(2)}, ${e.chrf.toFixed(2)}`);
  return lines;
}

/** The result as text: some translations, metrics, speed, and the path of the model. */
function describe(r: TrainResult): string {
  const lines = r.evaluation ? describeEvaluation(r.evaluation) : [];
  const loss = r.losses.at(-1);
  if (loss !== undefined) lines.push(`loss         ${formatNumber(loss)}`);
  const speed = `${r.steps} ${r.steps === 1 ? 'step' : 'steps'} in ${r.trainSeconds.toFixed(1)} s, ${Math.round(r.tokensPerSecond)} tokens/s${r.mfu === undefined ? '' : `, MFU ${formatPercent(r.mfu)}`}`;
  lines.push(
    `training     ${speed}, ${formatBytes(r.peakBytes)}, ${r.dispatches} dispatches per step${r.stopped ? '; stopped' : ''}`,
    r.loraBase === undefined
      ? `model        ${r.out} (heddle ${usage(r, r.out)})`
      : `LoRA adapter ${r.out} (heddle ${usage(r, r.loraBase, ` --lora ${shellQuote(r.out)}`)})`,
    /\.zip$/i.test(r.out)
      ? `report       report.html in ${r.out}, its values in log.jsonl`
      : `report       ${r.out}/report.html, its values in log.jsonl`,
  );
  return lines.join('\n');
}
