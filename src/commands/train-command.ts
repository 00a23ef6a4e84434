// heddle train

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { checkRunPaths } from '../api/checkpoint-folder.ts';
import { readCheckpoint } from '../api/saved-training.ts';
import { HeddleError, shellQuote } from '../core/errors.ts';
import { present } from '../core/present.ts';
import { settingTable } from '../features/all-settings.ts';
import { features } from '../features/features.ts';
import { archiveFiles } from '../files/archive-files.ts';
import { withoutEndSlash } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import { pathsOf } from '../text/corpus/pair-files.ts';
import { corpusPaths } from '../train/data/load-corpus.ts';
import { isRunFile } from '../train/data/run-files.ts';
import type { TrainResult } from '../train/run/train-result.ts';
import { initFolder } from '../train/settings/run-defaults.ts';
import type { TrainArguments } from '../train/settings/train-arguments.ts';
import { settingOf, type TrainSettings } from '../train/settings/train-settings.ts';
import { outFolder } from './out-folder.ts';
import { log } from './output.ts';
import { checkOutputFile } from './output-file.ts';
import { pairsHelp } from './pair-flags.ts';
import type { CommandJob } from './remote/command-job.ts';
import { runAndPrint, runWithProgress } from './run-command.ts';
import { overridden, readRunConfig, saveRunConfig } from './run-config.ts';
import { sweepRuns } from './sweep.ts';
import { runSweep } from './sweep-command.ts';
import { checkCorpusFlags, namedFiles, newCorpus, resumedCorpus, runName, taskOf } from './train-corpus.ts';
import { addTrainFlags, givenSettings, parseSetting, type TrainFileOptions } from './train-flags.ts';
import { describeTraining } from './train-summary.ts';

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

/** Trains a run. `isOneOfMany`: of a sweep, which prints the results of all. */
async function run(
  jobs: Jobs,
  command: Command,
  pairs: readonly string[],
  options: TrainFileOptions,
  given: TrainSettings,
  isOneOfMany = false,
): Promise<void> {
  const named = await namedFiles(pairs, options);
  checkCorpusFlags(command, named, options);
  const files = archiveFiles(nodeFiles());
  const out = await outFolder(files, runName(named, options), options, true);
  const settings = withPlaces(given);
  const saved = options.resume ? await readCheckpoint(out, { files }) : undefined;
  const args: TrainArguments = saved
    ? { ...settings, corpus: await resumedCorpus(files, out, saved.corpus, named), out, resume: true }
    : { ...settings, corpus: newCorpus(named, settings.seed ?? 1, options), out };
  // A resumed run keeps the model that it began with; other settings may change.
  const all = saved ? { ...saved.settings, ...settings, init: saved.settings.init } : settings;
  const { force = false } = options;
  await checkRunPaths(files, out, all, { resume: saved !== undefined, force, placeOf: resolve });
  checkOwnFiles(out, options);
  const read = present(settingTable.files.map((name) => settingOf(all, name) as string | undefined));
  if (options.saveConfig !== undefined) {
    const inputs = present([...corpusPaths(args.corpus), ...read, options.config]);
    checkOutputFile('--save-config', options.saveConfig, { force, inputs });
    const kind = named.train ? 'pairs' : taskOf(options) ? 'task' : 'intl';
    await saveRunConfig(files, options.saveConfig, command, settings, kind, {
      pairs,
      stages: options.stages,
    });
  }
  const base = saved && !saved.settings.lora ? undefined : initFolder(all);
  const paths = present([out, base, all.tensorboard || undefined, ...read, ...corpusPaths(args.corpus)]);
  // Pages and Deno have no lock files.
  const unlock = ['chrome', 'firefox', 'deno'].includes(options.host) ? await files.lock?.(out) : undefined;
  const work = isOneOfMany
    ? runWithProgress(jobs.train, args, options, paths)
    : runAndPrint(jobs.train, args, options, describeTraining, paths);
  const { stopped } = await work.finally(unlock);
  if (stopped)
    log(`stopped before its last step; heddle train --resume --out ${shellQuote(out)} continues it`);
}

/** Settings whose paths a resumed run finds again: absolute ones of the files of guests' settings. */
function withPlaces(given: TrainSettings): TrainSettings {
  const places = features.settings
    .flatMap(({ files = [] }) => files)
    .flatMap((name) => {
      const path = settingOf(given, name);
      return typeof path === 'string' ? [[name, resolve(path)]] : [];
    });
  return { ...given, init: given.init && withoutEndSlash(given.init), ...Object.fromEntries(places) };
}

/** Throws a HeddleError if the command would write a file that the run writes into the model folder `out`. */
function checkOwnFiles(out: string, { saveConfig, json }: TrainFileOptions): void {
  for (const [flag, path] of Object.entries({ '--save-config': saveConfig, '--json': json }))
    if (typeof path === 'string' && isRunFile(resolve(path), resolve(out)))
      throw new HeddleError('the run writes this file; name another file', {
        area: `${flag} ${shellQuote(path)}`,
      });
}
