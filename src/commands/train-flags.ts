// Flags of `heddle train`: one for each row of the table of settings (src/train/settings/settings.ts), and
// flags for files.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { type DropoutRates, modelConfig, modelFields, usualDropout } from '../model/model-config.ts';
import { presets } from '../model/presets.ts';
import { type TaskName, taskNames } from '../text/tasks/task-corpus.ts';
import { describeDefault } from '../train/settings/recipes.ts';
import { type Setting, settingGroups } from '../train/settings/setting-types.ts';
import { type SettingName, settings } from '../train/settings/settings.ts';
import {
  describeType,
  fitsType,
  flagOf,
  settingRows,
  type TrainSettings,
} from '../train/settings/train-settings.ts';
import { table } from './output.ts';
import { addPairFlags, type PairFlags } from './pair-flags.ts';
import { addHostOptions, jsonOption, list, rate, setting, whole } from './parse-values.ts';
import type { HostOptions } from './run-command.ts';

/** Values of the flags that are not settings. */
export interface TrainFileOptions extends HostOptions, PairFlags {
  out?: string;
  force?: boolean;
  resume?: boolean;
  config?: string;
  saveConfig?: string;
  corpus?: 'intl' | TaskName;
  sourceLocale: string;
  targetLocale: string;
  pairs: number;
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
    .option('--force', 'replace the model in --out')
    .option('--resume', 'resume training from the checkpoint in --out, with its settings')
    .option('--config <file>', 'YAML or JSON file of settings and flags; the command line overrides it')
    .option(
      '--save-config <file>',
      'write the settings of this run, with all defaults, to a file for --config',
    )
    .addOption(jsonOption())
    .addHelpText('after', () => `\n${describeModels()}`);
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
function describeModels(): string {
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
  return `${table([head, ...rows], [1, 2, 3, 4, 5])}\n\nFields of --set (docs/settings.md describes them): ${modelFields.join(', ')}`;
}

/** Collects the values of a flag that may be repeated. */
const several = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** Commander's names of the values of all setting flags, including old names. */
export const settingAttributes: ReadonlySet<string> = new Set(
  settingRows.flatMap(([name, row]) => settingOptions(name, row).map((option) => option.attributeName())),
);

/** The flag of a setting, for this and other commands. */
export function settingOption(name: SettingName): Option {
  const row: Setting = settings[name];
  const defaultText = describeDefault(name);
  const description = `${row.help}${defaultText === undefined ? '' : ` (default: ${defaultText})`}`;
  const aliases = (row.aliases ?? []).map((alias) => `--${alias}, `).join('');
  return optionFor(`${aliases}${flagOf(name)}`, name, row, description);
}

/** The flag of a setting, and hidden flags: its old names, and the negation of a boolean. */
function settingOptions(name: SettingName, row: Setting): Option[] {
  const former = (row.oldFlags ?? []).map((old) => optionFor(`--${old}`, name, row).hideHelp());
  const negation =
    row.type.kind === 'boolean' ? [new Option(flagOf(name).replace('--', '--no-')).hideHelp()] : [];
  return [settingOption(name), ...former, ...negation];
}

/** The option that parses values of a setting. */
function optionFor(flag: string, name: SettingName, { type }: Setting, description = ''): Option {
  if (type.kind === 'boolean') return new Option(flag, description);
  const option = new Option(`${flag} <${type.unit}${name === 'noFuse' ? '...' : ''}>`, description);
  if (type.kind === 'choice') return option.choices(type.choices);
  return option.argParser((text: string, before: unknown) => parseSetting(type, text, before));
}

/** Parses the value of a flag; `before` is the value of the same flag so far. */
function parseSetting(type: Setting['type'], text: string, before: unknown): unknown {
  switch (type.kind) {
    case 'integer':
    case 'number': {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (!fitsType(type, value)) throw new InvalidArgumentError(`It must be ${describeType(type)}.`);
      return value;
    }
    case 'list': {
      const items = list(text);
      if (items.length === 0)
        throw new InvalidArgumentError('It must be a list with commas, for example encoder.*,*.bias.');
      return [...(Array.isArray(before) ? before : []), ...items];
    }
    case 'betas': {
      const rates = text.split(',').map((part) => rate(part));
      if (rates.length !== 2) throw new InvalidArgumentError('It must be two rates, for example 0.9,0.98.');
      return rates;
    }
    case 'dropout':
      return parseDropout(text, before as TrainSettings['dropout']);
    case 'model':
      return setting(text, before as Record<string, unknown> | undefined);
    default:
      return text;
  }
}

const places: (keyof DropoutRates)[] = [
  'embedding',
  'attention',
  'feedForward',
  'residual',
  'memory',
  'output',
];

/** A rate for all places, `0.1`, or rates of places, `attention=0.2,output=0.1`; both may be combined. */
function parseDropout(text: string, before: TrainSettings['dropout']): TrainSettings['dropout'] {
  let rates = before;
  for (const part of text.split(',')) {
    const [name = '', value] = part.split('=', 2).map((x) => x.trim());
    if (value === undefined) {
      rates = rate(name);
      continue;
    }
    const place = places.find((known) => known === name);
    if (!place)
      throw new InvalidArgumentError(
        `It must be a rate, or rates of ${places.join(', ')}, for example attention=0.2.`,
      );
    const all = typeof rates === 'number' ? usualDropout(rates) : rates;
    rates = { ...all, [place]: rate(value) };
  }
  return rates;
}

/** The number in `--test 50`, the old form of --test-sentences; `--test` is now a file of test pairs. */
export const oldTestSentences = ({ test }: Pick<TrainFileOptions, 'test'>): number | undefined =>
  test?.length === 1 && /^\d+$/.test(test[0] as string) ? Number(test[0]) : undefined;

/** The settings on a command line; `notice` gets a line for each flag that has a new name. */
export function givenSettings(command: Command, notice: (text: string) => void): TrainSettings {
  const given: Record<string, unknown> = {};
  const valueFrom = (option: Option) => {
    const key = option.attributeName();
    return command.getOptionValueSource(key) === 'cli' ? command.getOptionValue(key) : undefined;
  };
  for (const [name, row] of settingRows) {
    const [current, ...former] = settingOptions(name, row);
    let value = valueFrom(current as Option);
    for (const option of former.filter((o) => !o.negate)) {
      const old = valueFrom(option);
      if (old === undefined) continue;
      notice(`${option.long} is now ${flagOf(name)}`);
      value ??= old;
    }
    if (value === undefined) continue;
    const [outer, inner] = name.split('.') as [string, string?];
    given[outer] = inner === undefined ? value : { ...(given[outer] as object | undefined), [inner]: value };
  }
  const test = oldTestSentences(command.opts());
  if (test !== undefined) {
    notice('--test is now --test-sentences');
    given.testSentences ??= test;
  }
  return given as TrainSettings;
}
