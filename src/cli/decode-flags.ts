// The options of commands that decode: how the next token is chosen, and what it may not be.

import { type Command, InvalidArgumentError } from 'commander';
import { HeddleError } from '../core/errors.ts';
import type { DecodeOptions, LengthPenalty } from '../decode/decode-options.ts';
import { notNegative, number, positive, whole } from './parse-values.ts';

/** What commander makes of them. */
export interface DecodingOptions {
  readonly beam?: number;
  readonly nBest?: number;
  readonly lengthPenalty?: LengthPenalty;
  readonly earlyStopping?: boolean;
  readonly sample?: boolean;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly minTokens?: number;
  readonly uniqueNgrams?: number;
  readonly ban?: number[];
}

/** Options that mean nothing without `--sample`. */
const ofSampling = { temperature: '--temperature', topK: '--top-k', topP: '--top-p', seed: '--seed' } as const;

/** Adds the options to a command. */
export function addDecodingOptions(command: Command): Command {
  const share = number((p) => p > 0 && p <= 1, 'above 0 and at most 1');
  return command
    .option('--beam <n>', 'beam search with so many hypotheses, at most 64; 1: greedy', whole(1))
    .option(
      '--length-penalty <penalty>',
      "what scores are divided by: a number: Google's ((5 + length) / 6)^number; average; power:<number>; none (default: average)",
      penalty,
    )
    .option('--early-stopping', 'end a beam search as soon as as many hypotheses as beams are finished')
    .option('--sample', 'draw tokens by chance')
    .option('--temperature <t>', 'below 1 sharper, above 1 flatter chances', positive)
    .option('--top-k <n>', 'draw from so many of the most probable tokens', whole(0))
    .option('--top-p <share>', 'draw from the most probable tokens that have so much of the probability', share)
    .option('--seed <n>', 'of --sample; the same seed draws the same tokens (default: 0)', whole(0))
    .option('--min-tokens <n>', 'fewest tokens of a translation', whole(0))
    .option('--unique-ngrams <n>', 'let no sequence of so many tokens come twice', whole(1))
    .option('--ban <ids>', 'ids of tokens that never come, with commas between', idList);
}

/** What the options ask for. Throws a HeddleError where they contradict each other. */
export function decodingOf(o: DecodingOptions): Omit<DecodeOptions, 'maxNewTokens' | 'onProgress' | 'signal'> {
  const beams = o.beam ?? 1;
  if (o.sample && beams > 1) throw new HeddleError('--sample and --beam exclude each other; leave one out');
  if (o.earlyStopping && beams === 1) throw new HeddleError('--early-stopping needs --beam 2 or more');
  if (o.lengthPenalty !== undefined && beams === 1 && o.nBest === undefined)
    throw new HeddleError('--length-penalty needs --beam 2 or more: without, no score decides');
  for (const [name, flag] of Object.entries(ofSampling))
    if (!o.sample && o[name as keyof typeof ofSampling] !== undefined) throw new HeddleError(`${flag} needs --sample`);
  if ((o.nBest ?? 1) > 1 && !o.sample && (o.nBest ?? 1) > beams)
    throw new HeddleError(`--n-best ${o.nBest} needs --beam ${o.nBest} or more, or --sample`);
  const given: Partial<Record<keyof DecodeOptions, unknown>> = {
    method: o.sample ? 'sample' : undefined,
    beams: o.beam,
    numReturn: o.nBest,
    lengthPenalty: o.lengthPenalty,
    earlyStopping: o.earlyStopping,
    temperature: o.temperature,
    topK: o.topK,
    topP: o.topP,
    seed: o.seed,
    minNewTokens: o.minTokens,
    noRepeatNgramSize: o.uniqueNgrams,
    suppressTokens: o.ban,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function penalty(text: string): LengthPenalty {
  if (text === 'average' || text === 'none') return text;
  const [, power] = /^power:(.+)$/.exec(text) ?? [];
  try {
    return power === undefined ? notNegative(text) : { power: notNegative(power) };
  } catch {
    throw new InvalidArgumentError('It must be a number of at least 0, average, none, or power:<number>.');
  }
}

const idList = (text: string): number[] => text.split(',').map(whole(0));
