// The options of heddle train that say what of a model is trained: all of it, what is not frozen, or a low-rank adapter.

import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { loraConfig } from '../model/lora.ts';
import type { TrainArguments } from '../train/settings.ts';
import { positive, rate, whole } from './parse-values.ts';

/** What commander makes of them. */
export interface TuningFlags {
  freeze?: string[];
  lora?: number;
  loraAlpha?: number;
  loraTargets?: string[];
  loraDropout?: number;
}

/** Splits at commas and collects. */
function list(text: string, before: string[] = []): string[] {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length === 0) throw new InvalidArgumentError('It must be a pattern of names, as encoder.*');
  return [...before, ...parts];
}

/** `--freeze`. */
export const freezeOption = (): Option =>
  new Option(
    '--freeze <pattern>',
    'leave the parameters of such names as they are: a glob on the whole name, or from one of its dots on, as encoder.*, *.bias; may be repeated',
  ).argParser(list);

/** Adds the options. */
export function addTuning(command: Command): void {
  command
    .optionsGroup('What is trained:')
    .addOption(freezeOption())
    .option(
      '--lora <rank>',
      'train a low-rank adapter of this rank for the model of --init, and save it as PEFT does',
      whole(1),
    )
    .option('--lora-alpha <n>', 'the adapter counts alpha / rank times (default: twice the rank)', positive)
    .option(
      '--lora-targets <patterns>',
      'linear layers that get one: q_proj, k_proj, v_proj, out_proj, fc1, fc2 (default: *.q,*.v)',
      list,
    )
    .option('--lora-dropout <rate>', 'of the input of the adapter', rate);
}

/** Throws a HeddleError where an adapter would take the place of the model that it is for. */
export function checkPlaces({ lora, initFrom = '', out }: Pick<TrainArguments, 'lora' | 'initFrom' | 'out'>): void {
  if (lora && resolve(initFrom) === resolve(out))
    throw new HeddleError(`--out ${out}: the model that the adapter is for is there; name another folder`);
}

/** The arguments of a training from them. Throws a HeddleError where they do not go together. */
export function tuningOf(o: TuningFlags, initFrom: string | undefined): Pick<TrainArguments, 'freeze' | 'lora'> {
  const { freeze, lora: rank, loraAlpha: alpha, loraTargets: targetModules, loraDropout: dropout } = o;
  if (rank === undefined) {
    for (const [flag, value] of Object.entries({ alpha, targets: targetModules, dropout }))
      if (value !== undefined) throw new HeddleError(`--lora-${flag} ${value}: give the rank too, as --lora 8`);
    return freeze ? { freeze } : {};
  }
  if (freeze) throw new HeddleError(`--freeze ${freeze.join(' ')}: with --lora all weights are frozen; leave it out`);
  if (initFrom === undefined)
    throw new HeddleError(
      `--lora ${rank}: an adapter is for a model that is trained already; name its folder by --init`,
    );
  return {
    lora: loraConfig({
      rank,
      ...(alpha !== undefined && { alpha }),
      ...(targetModules && { targetModules }),
      ...(dropout !== undefined && { dropout }),
    }),
  };
}
