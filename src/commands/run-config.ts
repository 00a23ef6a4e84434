// Configuration files of `heddle train`: YAML or JSON with the settings of docs/settings.md and other flags
// of the command.

import type { Command, Option } from 'commander';
import { dump } from 'js-yaml';
import { HeddleError, withArea } from '../core/errors.ts';
import { suggestion } from '../core/fields.ts';
import { listed, msg } from '../core/message.ts';
import { settingTable } from '../features/all-settings.ts';
import { type Files, writeText } from '../files/files.ts';
import { isObject, withoutUndefined } from '../files/json-files.ts';
import { completeSettings, initFolder, type RunKind } from '../train/settings/run-defaults.ts';
import { settings } from '../train/settings/settings.ts';
import type { TrainSettings } from '../train/settings/train-settings.ts';
import { readYamlFields } from './config/yaml-file.ts';
import { settingAttributes } from './train-flags.ts';

/** Flags that a configuration file cannot have. */
const commandOnly = ['config', 'saveConfig', 'out', 'force', 'resume', 'json', 'quiet', 'verbose'];

const isSetting = (name: string): boolean => name === 'lora' || name in settings;

/** What a configuration file has besides flags. */
export interface RunConfig {
  readonly settings: TrainSettings;
  /** Files of training pairs, the field `train`. */
  readonly pairs: string[];
  /** The field `stages`. */
  readonly stages: readonly object[] | undefined;
}

/**
 * Reads a configuration file: sets the flags in it that are not on the command line, and returns the others. Throws a
 * HeddleError that names the file and the field.
 */
export async function readRunConfig(files: Files, path: string, command: Command): Promise<RunConfig> {
  const json = await readYamlFields(files, path, 'for example "learningRate: 0.001"');
  const { train, stages, ...fields } = Object.fromEntries(
    Object.entries(json).map(([name, value]) => [
      name.replace(/-([a-z])/g, (_, c: string) => c.toUpperCase()),
      value,
    ]),
  );
  for (const [name, value] of Object.entries(fields)) {
    if (isSetting(name)) continue;
    const option = command.options.find((o) => o.attributeName() === name && !commandOnly.includes(name));
    if (!option) {
      const flags = command.options.map((o) => o.attributeName()).filter((n) => !commandOnly.includes(n));
      throw new HeddleError(
        msg`there is no field ${name}${suggestion(name, ['train', 'stages', ...Object.keys(settings), ...flags]) ?? ''}`,
        { area: path },
      );
    }
    if (command.getOptionValueSource(name) === 'cli') continue;
    // `data` may be a mapping from files to weights.
    const listed =
      name === 'data' && isObject(value)
        ? Object.entries(value).map(([file, weight]) => `${file}=${weight}`)
        : value;
    command.setOptionValueWithSource(name, parsed(option, listed, `${path}: ${name}`), 'config');
  }
  const given = settingTable.in(fields as TrainSettings);
  withArea(path, () => settingTable.check(given));
  return {
    settings: given,
    pairs: train === undefined ? [] : [train].flat().map(String),
    stages: stages as RunConfig['stages'],
  };
}

/** The value of a field, parsed like its flag. */
function parsed(option: Option, value: unknown, name: string): unknown {
  if (option.isBoolean() || option.negate) {
    if (typeof value !== 'boolean')
      throw new HeddleError(msg`${name} is ${JSON.stringify(value)}, it must be true or false`);
    return value;
  }
  const texts = [value].flat().map(String);
  if (option.argChoices && !texts.every((text) => option.argChoices?.includes(text)))
    throw new HeddleError(msg`${name} is ${listed(texts)}, it must be one of ${listed(option.argChoices)}`);
  if (!option.parseArg) return option.variadic ? texts : texts[0];
  try {
    let result: unknown;
    for (const text of texts) result = option.parseArg(text, result as undefined);
    return result;
  } catch (error) {
    throw new HeddleError(msg`${name} is ${listed(texts)}: ${(error as Error).message}`);
  }
}

/** Settings of which a run has one. */
const alternatives = [
  ['steps', 'epochs'],
  ['batchSize', 'maxTokens'],
] as const;

/** The settings of a file, overridden by the command line; `lora` and `model` field by field. */
export function overridden(file: TrainSettings, given: TrainSettings): TrainSettings {
  const fromFile: Record<string, unknown> = { ...file };
  for (const names of alternatives)
    if (names.some((name) => given[name] !== undefined)) for (const name of names) delete fromFile[name];
  return withoutUndefined<unknown>({
    ...fromFile,
    ...given,
    lora: file.lora && given.lora ? { ...file.lora, ...given.lora } : (given.lora ?? fromFile.lora),
    model: file.model && given.model ? { ...file.model, ...given.model } : (given.model ?? fromFile.model),
  });
}

/**
 * Writes the settings of a run with all defaults, and its other flags: as JSON if the name ends in .json,
 * else as YAML.
 */
export async function saveRunConfig(
  files: Files,
  path: string,
  command: Command,
  given: TrainSettings,
  kind: RunKind,
  { pairs, stages }: Partial<Pick<RunConfig, 'stages'>> & { readonly pairs: readonly string[] },
): Promise<void> {
  const complete: Record<string, unknown> = { ...completeSettings(given, kind, settingTable) };
  if (initFolder(given) !== undefined)
    for (const own of ['preset', 'norm', 'tokenizer', 'vocabSize']) delete complete[own];
  const flags = command.options
    .map((option) => option.attributeName())
    .filter((name) => !settingAttributes.has(name) && !commandOnly.includes(name))
    .filter((name) => ['cli', 'config'].includes(command.getOptionValueSource(name) ?? ''));
  const json = withoutUndefined<unknown>({
    train: pairs.length > 0 ? pairs : undefined,
    stages,
    ...Object.fromEntries(flags.map((name) => [name, command.getOptionValue(name)])),
    ...(JSON.parse(JSON.stringify(complete)) as object),
  });
  await writeText(
    files,
    path,
    /\.json$/i.test(path) ? `${JSON.stringify(json, undefined, 2)}\n` : dump(json),
  );
}
