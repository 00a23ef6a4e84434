// Decoding flags of `heddle translate` and `heddle eval`. Flags have the names of transformers'
// GenerationConfig, or of fairseq and Marian (--beam-size).

import { type Command, InvalidArgumentError, Option } from 'commander';
import { HeddleError } from '../core/errors.ts';
import type { DecodeOptions, LengthPenalty } from '../decode/decode-options.ts';
import { withoutUndefined } from '../files/json-files.ts';
import { list, notNegative, number, positive, whole } from './parse-values.ts';

/** Values of the flags; `numReturn` is a flag of `translate` only. */
export interface DecodingFlags {
  readonly beamSize?: number;
  readonly numReturn?: number;
  readonly lengthPenalty?: LengthPenalty;
  readonly earlyStopping?: boolean;
  readonly sample?: boolean;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly minNewTokens?: number;
  /** `--no-repeat-ngram-size`. Commander reads `no-` as a negation, whose default must not be undefined. */
  readonly repeatNgramSize?: number | null;
  readonly suppressTokens?: number[];
  readonly badWords?: string[];
}

/** Flags that need `--sample`. */
const samplingFlags = {
  temperature: '--temperature',
  topK: '--top-k',
  topP: '--top-p',
  seed: '--seed',
} as const;

/** Adds the flags to a command. */
export function addDecodingFlags(command: Command): Command {
  const probability = number((p) => p > 0 && p <= 1, 'above 0 and at most 1');
  return command
    .optionsGroup('Decoding:')
    .option('--beam-size <n>', 'number of beams, 1 to 64 (default: 1, greedy decoding)', whole(1))
    .option(
      '--length-penalty <penalty>',
      'divide beam scores by length^A (power:A, as length_penalty of transformers), ((5 + length) / 6)^A (a number A, as in GNMT), length (average) or 1 (none) (default: average)',
      penalty,
    )
    .option('--early-stopping', 'stop beam search when as many hypotheses as beams are finished')
    .option('--sample', 'sample tokens instead of choosing the most probable one')
    .option('--temperature <t>', 'divisor of the logits in sampling (default: 1)', positive)
    .option('--top-k <n>', 'sample from the n most probable tokens (default: 0, all tokens)', whole(0))
    .option(
      '--top-p <p>',
      'sample from the most probable tokens up to a total probability of p (default: 1)',
      probability,
    )
    .option('--seed <n>', 'seed of sampling (default: 0)', whole(0))
    .option(
      '--min-new-tokens <n>',
      'minimum length of a translation in tokens (default: that of the model)',
      whole(0),
    )
    .addOption(
      new Option('--no-repeat-ngram-size <n>', 'do not repeat sequences of n tokens (0: off)')
        .argParser(whole(0))
        .default(null, 'that of the model'),
    )
    .option('--suppress-tokens <ids>', 'token ids to exclude, separated by commas', idList)
    .option('--bad-words <words>', 'words to exclude, separated by commas; each must be one token', list);
}

/** The decoding options in the flags. Throws a HeddleError if flags exclude each other. */
export function decodeOptionsOf(
  o: DecodingFlags,
): Omit<DecodeOptions, 'maxNewTokens' | 'onProgress' | 'signal'> {
  const { beamSize: beams = 1, numReturn = 1 } = o;
  if (o.sample && beams > 1)
    throw new HeddleError('--sample and --beam-size exclude each other; use one of them');
  if (o.earlyStopping && beams === 1) throw new HeddleError('--early-stopping needs --beam-size 2 or more');
  if (o.lengthPenalty !== undefined && beams === 1 && o.numReturn === undefined)
    throw new HeddleError(
      '--length-penalty needs --beam-size 2 or more: greedy decoding and sampling compare no scores',
    );
  for (const [name, flag] of Object.entries(samplingFlags))
    if (!o.sample && o[name as keyof typeof samplingFlags] !== undefined)
      throw new HeddleError(`${flag} needs --sample`);
  if (numReturn > 1 && !o.sample && numReturn > beams)
    throw new HeddleError(`--num-return ${numReturn} needs --beam-size ${numReturn} or more, or --sample`);
  const given: Partial<Record<keyof DecodeOptions, unknown>> = {
    method: o.sample ? 'sample' : undefined,
    beams: o.beamSize,
    numReturn: o.numReturn,
    lengthPenalty: o.lengthPenalty,
    earlyStopping: o.earlyStopping,
    temperature: o.temperature,
    topK: o.topK,
    topP: o.topP,
    seed: o.seed,
    minNewTokens: o.minNewTokens,
    noRepeatNgramSize: o.repeatNgramSize ?? undefined,
    suppressTokens: o.suppressTokens,
  };
  return withoutUndefined(given);
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
