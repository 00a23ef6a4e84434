// The options of heddle train that say how weights are updated: the optimizer and its numbers, the learning rate and its schedule.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { HeddleError } from '../core/errors.ts';
import type { TrainArguments } from '../train/settings.ts';
import { type OptimizerConfig, optimizerNames } from '../trainer/optimizer-config.ts';
import { type ScheduleConfig, scheduleNames } from '../trainer/schedule.ts';
import { notNegative, number, positive, rate, whole } from './parse-values.ts';

/** What commander makes of them, beside the kinds and the learning rate, which recipes have too. */
export interface UpdateFlags {
  weightDecay?: number;
  betas?: readonly [number, number];
  eps?: number;
  momentum?: number;
  rho?: number;
  clip?: number;
  ema?: number;
  warmup?: number;
  scheduleSteps?: number;
  lrFloor?: number;
}

/** Flags that only some optimizers know, and those that only schedules with an end do. */
const adam = ['weightDecay', 'betas', 'eps'] as const;
const own: Record<OptimizerConfig['kind'], readonly (keyof UpdateFlags)[]> = {
  adamw: adam,
  adam,
  rmsprop: ['rho', 'eps'],
  sgd: ['weightDecay', 'momentum'],
};
const ofAny = [...new Set(Object.values(own).flat())];
const ofFalling = ['scheduleSteps', 'lrFloor'] as const;

/** Adds the options. */
export function addUpdating(command: Command): void {
  command
    .addOption(new Option('--optimizer <name>', 'update rule').choices(optimizerNames))
    .option('--lr <rate>', 'learning rate; for noam the factor before its formula', positive)
    .addOption(new Option('--schedule <name>', 'how the learning rate goes').choices(scheduleNames))
    .option('--warmup <steps>', 'steps over which the learning rate rises', whole(0))
    .option('--schedule-steps <n>', 'step at which linear and cosine reach their end (default: the last)', whole(1))
    .option('--lr-floor <rate>', 'rate that linear and cosine end at (default: 0)', notNegative)
    .option(
      '--weight-decay <rate>',
      'decoupled for adamw, added to the gradient for adam and sgd; none on biases and norms',
      notNegative,
    )
    .option('--betas <b1,b2>', 'decay of the moments of adamw and adam (default: 0.9,0.98)', twoRates)
    .option('--eps <number>', 'what keeps divisors from 0 (default: 1e-9, of rmsprop 1e-7)', small)
    .option('--momentum <rate>', 'of sgd (default: 0.9)', rate)
    .option('--rho <rate>', 'decay of the mean square of rmsprop (default: 0.9)', rate)
    .option(
      '--clip <norm>',
      'largest norm of the gradients, 0: no limit (default: 1, for --preset keras 0)',
      notNegative,
    )
    .option('--ema <decay>', 'keep a moving average of the weights, which is what is evaluated and saved', rate);
}

const small = number((n) => n > 0 && n < 1, 'above 0 and below 1');

function twoRates(text: string): readonly [number, number] {
  const [first, second, ...more] = text.split(',').map((part) => rate(part));
  if (first === undefined || second === undefined || more.length > 0)
    throw new InvalidArgumentError('It must be two rates, as 0.9,0.98.');
  return [first, second];
}

/** The optimizer that is asked for. Throws a HeddleError for a number that its kind does not have. */
export function optimizerOf(kind: OptimizerConfig['kind'], o: UpdateFlags): TrainArguments['optimizer'] {
  refuse(o, ofAny, own[kind], `the optimizer ${kind}`);
  const [beta1, beta2] = o.betas ?? [];
  return {
    kind,
    ...given({
      weightDecay: o.weightDecay,
      beta1,
      beta2,
      eps: o.eps,
      momentum: o.momentum,
      rho: o.rho,
      clipNorm: o.clip,
      emaDecay: o.ema,
    }),
  };
}

/** The schedule that is asked for. Throws a HeddleError for the end of one that has none. */
export function scheduleOf(
  kind: ScheduleConfig['kind'],
  learningRate: number,
  o: UpdateFlags,
): TrainArguments['schedule'] {
  const falling = kind === 'linear' || kind === 'cosine';
  refuse(o, ofFalling, falling ? ofFalling : [], `the schedule ${kind}`);
  return { kind, learningRate, ...given({ warmup: o.warmup, steps: o.scheduleSteps, floor: o.lrFloor }) };
}

const given = (fields: Record<string, number | undefined>): Record<string, number> =>
  Object.fromEntries(Object.entries(fields).filter((field): field is [string, number] => field[1] !== undefined));

function refuse(
  o: UpdateFlags,
  all: readonly (keyof UpdateFlags)[],
  known: readonly (keyof UpdateFlags)[],
  what: string,
): void {
  for (const name of all)
    if (o[name] !== undefined && !known.includes(name))
      throw new HeddleError(`--${flagOf(name)} ${o[name]}: ${what} has none; leave it out, or choose another`);
}

/** `weightDecay` as it is written on the command line: `weight-decay`. */
export const flagOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
