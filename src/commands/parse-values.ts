// Parsers of flag values, and flags that several commands share. Commander adds the name of the flag to their
// errors.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LanguageOptions } from '../formats/hf/languages.ts';
import { type WeightFormat, weightFormats } from '../model/quantized-parameters.ts';
import type { ModelArguments } from './jobs/model-arguments.ts';
import { jsonValue } from './output.ts';
import { type HostName, hostNames } from './remote/run-job.ts';

/** Returns a parser of numbers that `allowed` accepts; `wanted` describes them in the error. */
export const number =
  (allowed: (n: number) => boolean, wanted: string) =>
  (text: string): number => {
    const n = Number(text);
    if (text.trim() === '' || !Number.isFinite(n) || !allowed(n))
      throw new InvalidArgumentError(`It must be ${wanted}.`);
    return n;
  };

/** Returns a parser of whole numbers of at least `min`. */
export const whole = (min: number) =>
  number((n) => Number.isSafeInteger(n) && n >= min, `a whole number of at least ${min}`);
/** Numbers above 0. */
export const positive = number((n) => n > 0, 'a number above 0');
/** Numbers of at least 0. */
export const notNegative = number((n) => n >= 0, 'a number of at least 0');
/** Rates: at least 0, below 1. */
export const rate = number((n) => n >= 0 && n < 1, 'at least 0 and below 1');

const units: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Parses bytes: a number with an optional K, M or G (powers of 1024), for example `512M`. */
export function bytes(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
  const n = Math.floor(Number(digits) * (units[unit.toUpperCase()] ?? 0));
  if (!(n > 0)) throw new InvalidArgumentError('It must be a number of bytes, for example 512M or 2G.');
  return n;
}

/** Collects `field=value` into an object; a value that is not JSON is text. */
export function setting(text: string, previous: Record<string, unknown> = {}): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be field=value, for example dModel=96.');
  const value = text.slice(at + 1);
  let parsed: unknown = value;
  try {
    parsed = JSON.parse(value);
  } catch {
    // Not JSON: text.
  }
  return { ...previous, [text.slice(0, at)]: parsed };
}

/** Collects the items of lists with commas; the flag may be repeated. */
export const list = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  ...text.split(',').flatMap((item) => item.trim() || []),
];

/** Adds the flags of commands that run a model: host, auto-tuning and memory. */
export const addHostOptions = (command: Command): Command =>
  command
    .optionsGroup('Device:')
    .addOption(hostOption())
    .addOption(adapterOption())
    .option('--no-tune', 'disable auto-tuning: use the default kernels instead of the fastest measured ones')
    .option('--memory-limit <bytes>', 'maximum GPU memory, for example 512M (default: no limit)', bytes);

/** Values of the flags of `addModelOptions`. */
export interface ModelRunOptions extends LanguageOptions {
  loraAdapter?: string;
  ensemble?: string[];
  weights?: WeightFormat;
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
  addLanguageOptions(command.addOption(loraOption()).addOption(weightsOption())).option(
    '--ensemble <dir>',
    'average the probabilities with those of this model, which has the same vocabulary; may be repeated, or a list with commas',
    list,
  );

/** The flags of `addModelOptions` as arguments of a job, and the folders that the job reads. */
export function modelArguments(
  folder: string,
  { loraAdapter: lora, ensemble = [], weights, sourceLang, targetLang }: ModelRunOptions,
): { readonly model: ModelArguments; readonly folders: readonly string[] } {
  const model = { folder, lora, weights, ensemble, sourceLang, targetLang };
  return { model, folders: [folder, ...(lora ? [lora] : []), ...ensemble] };
}

/** `--lora-adapter`. */
export const loraOption = (): Option =>
  new Option(
    '--lora-adapter <dir>',
    'LoRA adapter of the model (from heddle train --lora-rank, or PEFT)',
  ).argParser(orUndefined);

/** `--weights`. */
export const weightsOption = (
  description = 'format of the weights: f16 or int8 (one scale per row) saves memory; norms and biases stay f32',
): Option => new Option('--weights <format>', `${description} (default: f32)`).choices(weightFormats);

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
