// Parsers of flag values, and flags that several commands share. Commander adds the name of the flag to their
// errors.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { messageOf } from '../core/errors.ts';
import {
  type FieldType,
  flagOf,
  integer,
  type OptionField,
  positive as positiveNumber,
} from '../core/fields.ts';
import { present } from '../core/present.ts';
import type { LanguageOptions } from '../decode/text-options.ts';
import { type WeightFormat, weightFormats } from '../model/quantized-parameters.ts';
import { parseAssignment, parseField } from './field-parsers.ts';
import type { ModelArguments } from './jobs/model-arguments.ts';
import { jsonValue } from './output.ts';
import { type HostName, hostNames } from './remote/run-job.ts';

/** Runs a parser; commander adds the name of the flag to its error. */
function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

/** Returns a parser of the values of a type. */
const parserOf =
  (type: FieldType) =>
  (text: string, before?: unknown): unknown =>
    parsed(() => parseField(type, text, before));

/** The flag of a row of a table of options. `defaultText` is appended to its help text. */
export function fieldOption(name: string, row: OptionField, defaultText?: string): Option {
  const { type, aliases = [], help } = row;
  const flags = [...aliases.map((alias) => `--${alias}`), flagOf(name, row)].join(', ');
  const description = defaultText === undefined ? help : `${help} (default: ${defaultText})`;
  if (type.unit === '') return new Option(flags, description);
  // Commander reads `no-` as a negation, whose default must not be undefined.
  if (flags.startsWith('--no-') && name !== 'noFuse')
    return new Option(`${flags} <${type.unit}>`, help).argParser(parserOf(type)).default(null, defaultText);
  const option = new Option(`${flags} <${type.unit}${name === 'noFuse' ? '...' : ''}>`, description);
  return type.kind === 'choice' ? option.choices(type.choices) : option.argParser(parserOf(type));
}

/** Numbers above 0. */
export const positive = parserOf(positiveNumber()) as (text: string) => number;

/** Returns a parser of whole numbers of at least `min`. */
export const whole = (min: number) => parserOf(integer(min)) as (text: string) => number;

const units: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Parses bytes: a number with an optional K, M or G (powers of 1024), for example `512M`. */
export function bytes(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
  const n = Math.floor(Number(digits) * (units[unit.toUpperCase()] ?? 0));
  if (!(n > 0)) throw new InvalidArgumentError('It must be a number of bytes, for example 512M or 2G.');
  return n;
}

/** Collects `field=value` into an object; a value that is not JSON is text. */
export const setting = (text: string, before?: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  parsed(() => parseAssignment(text, before));

/** Collects the items of lists with commas; the flag may be repeated. */
export const list = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  ...text.split(',').flatMap((item) => item.trim() || []),
];

/** Adds the flags of commands that run a model: host, auto-tuning and memory. */
export const addHostOptions = (command: Command, hosts?: readonly HostName[]): Command =>
  command
    .optionsGroup('Device:')
    .addOption(hostOption(hosts))
    .addOption(adapterOption())
    .option('--no-tune', 'disable auto-tuning: use the default kernels instead of the fastest measured ones')
    .option('--memory-limit <bytes>', 'maximum GPU memory, for example 512M (default: no limit)', bytes)
    .addOption(memoryBudgetOption());

/** `--memory-budget`. */
export const memoryBudgetOption = (
  description = 'maximum GPU and JavaScript memory together, for example 1G: what needs more is an error before it starts, with settings that fit',
): Option => new Option('--memory-budget <bytes>', `${description} (default: no limit)`).argParser(bytes);

/** Values of the flags of `addModelOptions`. */
export interface ModelRunOptions extends LanguageOptions {
  lora?: string;
  ensemble?: string[];
  weights?: WeightFormat;
  weightsExclude?: string[];
}

/** Parses a text; an empty one counts as not given. */
const orUndefined = (text: string): string | undefined => text || undefined;

/** Adds the flags of the languages of a multilingual model. */
export const addLanguageOptions = (command: Command): Command =>
  command
    .option(
      '--source-lang <code>',
      "source language, for M2M100, NLLB and mBART: en, eng_Latn, en_XX (default: the model's)",
      orUndefined,
    )
    .option('--target-lang <code>', "target language (default: the model's)", orUndefined);

/**
 * Adds the flags of commands that run a trained model: LoRA adapter, ensemble, weight format and languages.
 */
export const addModelOptions = (command: Command): Command =>
  addLanguageOptions(
    command.addOption(loraOption()).addOption(weightsOption()).addOption(weightsExcludeOption()),
  ).option(
    '--ensemble <dir>',
    'average the probabilities with those of this model, which has the same vocabulary; may be repeated, or a list with commas',
    list,
  );

/** The flags of `addModelOptions` as arguments of a job, and the folders that the job reads. */
export function modelArguments(
  folder: string,
  { lora, ensemble = [], weights, weightsExclude, sourceLang, targetLang }: ModelRunOptions,
): { readonly model: ModelArguments; readonly folders: readonly string[] } {
  const model = { folder, lora, weights, weightsExclude, ensemble, sourceLang, targetLang };
  return { model, folders: present([folder, lora ? lora : undefined, ...ensemble]) };
}

/** `--lora`. */
export const loraOption = (): Option =>
  new Option('--lora <dir>', 'LoRA adapter of the model (from heddle train --lora-rank, or PEFT)').argParser(
    orUndefined,
  );

/** `--long-texts`. */
export const longTextsOption = (): Option =>
  new Option(
    '--long-texts <rule>',
    'texts with more tokens than the model reads: error: report them and print an empty line; crop: truncate them; skip: print an empty line (default: error)',
  ).choices(['error', 'crop', 'skip']);

/** `--weights`. */
export const weightsOption = (
  description = 'format of the weights: f16, int8 (one scale per row) or int4 (one per block of 32) saves memory; norms and biases stay f32',
): Option => new Option('--weights <format>', `${description} (default: f32)`).choices(weightFormats);

/** `--weights-exclude`. */
export const weightsExcludeOption = (): Option =>
  new Option(
    '--weights-exclude <globs>',
    'layers that stay int8 with --weights int4, and f32 with other formats, e.g. *.fc1; auto: the sensitive ones (default: auto)',
  ).argParser(list);

/** `--host`. */
export function hostOption(hosts: readonly HostName[] = hostNames): Option {
  const words: Record<HostName, string> = {
    dawn: 'Dawn in Node',
    chrome: 'headless Chrome',
    firefox: 'headless Firefox',
    deno: 'Deno',
    cpu: 'float64 reference (slow)',
  };
  return new Option('--host <name>', `where to run: ${hosts.map((h) => `${h}: ${words[h]}`).join(', ')}`)
    .choices(hosts)
    .default('dawn');
}

/** `--host` of commands that need a GPU. */
export const gpuHostOption = (): Option => hostOption(hostNames.filter((host) => host !== 'cpu'));

/** `--device`, of commands that run a model without training it. */
export const deviceOption = (): Option =>
  new Option(
    '--device <name>',
    'what computes with --host dawn: gpu, wasm: onnxruntime-web without a GPU, auto: wasm if there is no GPU or only a software adapter (default: gpu)',
  ).choices(['gpu', 'wasm', 'auto']);

/** `--adapter`. */
export const adapterOption = (): Option =>
  new Option(
    '--adapter <name|index>',
    'GPU for --host dawn, by its name or index in heddle info (default: the first)',
  );

/** `--json`. */
export const jsonOption = (): Option =>
  new Option(
    '--json [file]',
    'print JSON instead of text; with a file, write the JSON to it and print the text (--json=FILE for a name without extension)',
  ).argParser(jsonValue);
