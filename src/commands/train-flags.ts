// Flags of `heddle train`: one for each row of the table of settings (src/train/settings/settings.ts), and
// flags for files.

import { type Command, Option } from 'commander';
import { HeddleError, reasonOf } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { type Setting, settingGroups } from '../core/setting.ts';
import { settingRows, settingTable } from '../features/all-settings.ts';
import { modelConfig } from '../model/model-config.ts';
import { modelFields } from '../model/model-fields.ts';
import { presets } from '../model/presets.ts';
import { type TaskName, taskNames } from '../text/tasks/task-corpus.ts';
import { describeDefault, kindWords, type RunKind } from '../train/settings/run-defaults.ts';
import type { TrainSettings } from '../train/settings/train-settings.ts';
import { table } from './output.ts';
import { addPairFlags, type PairFlags } from './pair-flags.ts';
import { addHostOptions, fieldOption, jsonOption, whole } from './parse-values.ts';
import type { HostOptions } from './run-command.ts';

/** Values of the flags that are not settings. */
export interface TrainFileOptions extends HostOptions, PairFlags {
  out?: string;
  force?: boolean;
  resume?: boolean;
  config?: string;
  grid?: string[];
  /** The seeds of `--seed 1,2,3`, as texts. */
  seeds?: string[];
  saveConfig?: string;
  corpus?: 'intl' | TaskName;
  sourceLocale: string;
  targetLocale: string;
  pairs: number;
  data?: string[];
  /** Stages of the configuration file. */
  stages?: readonly object[];
  dev?: string[];
  devSource?: string[];
  devTarget?: string[];
  test?: string[];
  testSource?: string[];
  testTarget?: string[];
}

/** Adds all flags to the command. */
export function addTrainFlags(command: Command): void {
  command
    .option('--out <dir>', 'folder or .zip file for the model (default: a new folder in runs/)')
    .option('--force', 'replace the model in --out, and the files of --save-config and --json')
    .option('--resume', 'resume training from the checkpoint in --out, with its settings')
    .option('--config <file>', 'YAML or JSON file of settings and flags; the command line overrides it')
    .option(
      '--save-config <file>',
      'write the settings of this run, with all defaults, to a file for --config',
    )
    .option(
      '--grid <setting=values>',
      'train a run for each value, in folders of --out, e.g. learningRate=1e-3,3e-3; may be repeated, and --seed 1,2,3 trains a run for each seed; --resume continues them',
      several,
    )
    .addOption(jsonOption());
  addHostOptions(command);
  command
    .optionsGroup('Corpus:')
    .addOption(
      new Option('--corpus <name>', 'built-in corpus: intl, made from Unicode CLDR, or a task').choices([
        'intl',
        ...taskNames,
      ]),
    )
    .option('--source-locale <tag>', 'source language of the corpus intl', 'en')
    .option('--target-locale <tag>', 'target language of the corpus intl', 'es')
    .option('--pairs <n>', 'number of pairs of the built-in corpus', whole(10), 40_000);
  addPairFlags(command)
    .option(
      '--data <file=weight...>',
      'files of pairs in proportions: clean.tsv=0.8 bt.tsv=0.2; stages are in --config (docs/training.md)',
    )
    .option(
      '--dev <pairs>',
      'dev pairs, or --dev-source and --dev-target; may be repeated (default: --held-out of the training pairs)',
      several,
    )
    .option('--dev-source <file...>', 'source texts of the dev pairs, one per line')
    .option('--dev-target <file...>', 'target texts of the dev pairs, on the same lines')
    .option(
      '--test <pairs>',
      'test pairs, like --dev (default: --held-out of the training pairs; with --dev: the dev pairs)',
      several,
    )
    .option('--test-source <file...>', 'source texts of the test pairs, one per line')
    .option('--test-target <file...>', 'target texts of the test pairs, on the same lines');
  addSettingFlags(command);
  acceptSeeds(command);
}

/** Lets the flag of the seed have several values, which become the option `seeds`. */
function acceptSeeds(command: Command): void {
  const option = command.options.find(({ long }) => long === settingTable.flag('seed'));
  if (!option) return;
  const parse = option.parseArg;
  option.argParser((text: string, before: unknown) => {
    if (!text.includes(',')) return parse?.(text, before as never);
    command.setOptionValue('seeds', text.split(','));
    return before;
  });
}

/** The value of the flag of a setting. Throws a HeddleError for an invalid one. */
export function parseSetting(name: string, text: string): unknown {
  const option = settingOption(name);
  if (!option.parseArg) return text;
  try {
    return option.parseArg(text, undefined as never);
  } catch (error) {
    const flag = name === 'seed' ? '--seed ' : `--grid ${name}=`;
    throw new HeddleError(msg`${flag}${text}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Adds a flag for each setting of training. */
export function addSettingFlags(command: Command): void {
  for (const group of settingGroups) {
    command.optionsGroup(`${group}:`);
    for (const [name, row] of settingRows)
      if (row.group === group) for (const o of settingOptions(name, row)) command.addOption(o);
  }
}

/** Sizes of the presets and fields of `--set`, for --help. */
export function modelSizes(): string {
  const rows = Object.entries(presets).map(([name, preset]) => {
    const c = modelConfig({ srcVocab: 8, tgtVocab: 8, ...preset });
    const { maxLength, tie } = c;
    const sizes = [
      name,
      c.dModel,
      `${c.encoderLayers}+${c.decoderLayers}`,
      c.heads,
      c.feedForward,
      maxLength,
      tie,
    ];
    return sizes.map(String);
  });
  const head = ['preset', 'dModel', 'layers', 'heads', 'feedForward', 'maxLength', 'tie'];
  return `${table([head, ...rows], [1, 2, 3, 4, 5])}\n\nFields of --set (docs/settings.md describes them): ${Object.keys(modelFields).join(', ')}`;
}

/** Describes the defaults of the settings for a kind of training. */
export function describeKindDefaults(command: Command, kind: RunKind): void {
  for (const [name, row] of settingRows) {
    const option = command.options.find((known) => known.long === settingTable.flag(name));
    if (option) option.description = fieldOption(name, row, describeDefault(name, row, kind)).description;
  }
}

/** The settings whose defaults depend on the kind of training, as a table. */
export function kindDefaults(): string {
  const kinds = Object.keys(kindWords) as RunKind[];
  const rows = settingRows.flatMap(([name, row]) => {
    const values = kinds.map((kind) => describeDefault(name, row, kind) ?? '–');
    return new Set(values).size > 1 ? [[settingTable.flag(name), ...values]] : [];
  });
  return `Defaults by kind of training\n${table([['', ...kinds.map((kind) => kindWords[kind])], ...rows])}`;
}

/** Collects the values of a flag that may be repeated. */
const several = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** The flag of a setting, for this and other commands. */
export function settingOption(name: string): Option {
  const row = settingTable.rows[name];
  if (!row) throw new Error(`there is no setting ${name}`);
  return fieldOption(name, row, describeDefault(name, row));
}

/** The flag of a setting, and for a boolean its hidden negation. */
const settingOptions = (name: string, { type }: Setting): Option[] =>
  type.kind === 'boolean'
    ? [settingOption(name), new Option(settingTable.flag(name).replace('--', '--no-')).hideHelp()]
    : [settingOption(name)];

/** Commander's names of the values of all setting flags. */
export const settingAttributes: ReadonlySet<string> = new Set(
  settingRows.map(([name]) => settingOption(name).attributeName()),
);

/** The settings on a command line. */
export function givenSettings(command: Command): TrainSettings {
  const given: Record<string, unknown> = {};
  for (const [name] of settingRows) {
    const key = settingOption(name).attributeName();
    if (command.getOptionValueSource(key) !== 'cli') continue;
    const value = command.getOptionValue(key);
    const [outer, inner] = name.split('.') as [string, string?];
    given[outer] = inner === undefined ? value : { ...(given[outer] as object | undefined), [inner]: value };
  }
  return given as TrainSettings;
}
