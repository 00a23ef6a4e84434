// Parsers of option values; commander puts the option's name before what they say.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { type WeightFormat, weightFormats } from '../model/quantized-parameters.ts';
import { type HostName, hostNames } from '../run/run-job.ts';

/** A parser of whole numbers of at least `least`. */
export const whole =
  (least: number) =>
  (text: string): number => {
    const n = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(n) || n < least)
      throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`);
    return n;
  };

/** A parser of numbers in a range that `allowed` tests and `wanted` words. */
export const number =
  (allowed: (n: number) => boolean, wanted: string) =>
  (text: string): number => {
    const n = Number(text);
    if (text.trim() === '' || !Number.isFinite(n) || !allowed(n))
      throw new InvalidArgumentError(`It must be ${wanted}.`);
    return n;
  };

/** Numbers above 0. */
export const positive = number((n) => n > 0, 'a number above 0');
/** Numbers of at least 0. */
export const notNegative = number((n) => n >= 0, 'a number of at least 0');
/** Rates: at least 0, below 1. */
export const rate = number((n) => n >= 0 && n < 1, 'at least 0 and below 1');

const units: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Bytes: a number with K, M or G (of 1024) behind it, as `512M`. */
export function bytes(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
  const n = Math.floor(Number(digits) * (units[unit.toUpperCase()] ?? 0));
  if (!(n > 0)) throw new InvalidArgumentError('It must be a number of bytes, as 512M or 2G.');
  return n;
}

/** Collects `field=value` into an object; values are JSON where they can be, else text. */
export function setting(text: string, previous: Record<string, unknown> = {}): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be field=value, as dModel=96.');
  const value = text.slice(at + 1);
  let parsed: unknown = value;
  try {
    parsed = JSON.parse(value);
  } catch {
    // Plain words are text.
  }
  return { ...previous, [text.slice(0, at)]: parsed };
}

/** `--no-fuse`, which takes several names with spaces or commas between them. */
export const noFuseOption = (): Option =>
  new Option('--no-fuse <rewrite...>', 'leave out these rewrites of the graph')
    .argParser((text: string, before: readonly string[]) => {
      const names = text.split(',').map((name) => name.trim());
      return [...before, ...names.filter((name) => name !== '')];
    })
    .default([], 'none');

/** The options of commands that run a model: where, with which kernels, in how much memory. */
export function addHostOptions(command: Command): Command {
  return command
    .addOption(hostOption())
    .option('--no-tune', 'take the first guess of kernels instead of measuring which are fastest')
    .option('--memory-limit <bytes>', 'most GPU memory to use, as 512M', bytes);
}

/** What commander makes of `addModelOptions`. */
export interface ModelRunOptions {
  adapter?: string;
  weights?: WeightFormat;
}

/** The options of commands that run a trained model: an adapter for it, and how its weights are kept. */
export function addModelOptions(command: Command): Command {
  return command
    .option('--adapter <dir>', 'low-rank adapter, of heddle train --lora or of PEFT, that is merged into the model')
    .addOption(weightsOption());
}

/** `--weights`. */
export const weightsOption = (
  what = 'keep the weights as f16, or as int8 with a scale a row, to save memory; norms and biases stay f32',
): Option => new Option('--weights <format>', what).choices(weightFormats);

/** `--host`, which may be called `--backend`; without `cpu` where only a GPU makes sense. */
export function hostOption(hosts: readonly HostName[] = hostNames): Option {
  const words = { dawn: 'Dawn in Node', chrome: 'headless Chrome', cpu: 'the float64 references (slow)' };
  return new Option('--backend, --host <where>', `where to run: ${hosts.map((h) => `${h}: ${words[h]}`).join(', ')}`)
    .choices(hosts)
    .default('dawn');
}
