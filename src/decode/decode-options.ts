// Options of decoding: validation, defaults, and the data that each step reads.
import { HeddleError } from '../core/errors.ts';
import { maxBeams } from '../engine/ops/decoding/cache-slots.ts';
import type { Sampling, TokenRules } from '../engine/ops/decoding/next-token.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { DecodeMode } from './decoding-graphs.ts';

/**
 * Length penalty: divisor of the score of a hypothesis, its sum of log-probabilities. `length` counts the end
 * token.
 * - number alpha: ((5 + length) / 6)^alpha (Wu et al., 2016, "Google's Neural Machine Translation System")
 * - `average`: length, as transformers with length_penalty 1
 * - `{ power }`: length^power, the length_penalty of transformers, fairseq and Marian
 * - `none`: 1
 */
export type LengthPenalty = number | 'average' | 'none' | { readonly power: number };

/**
 * Options of decoding, named as in transformers' GenerationConfig in camelCase, except `method` (do_sample),
 * `beams` (num_beams) and `numReturn` (num_return_sequences).
 */
export interface DecodeOptions {
  /** Default: `beam` if `beams` is above 1, else `greedy`. */
  readonly method?: 'greedy' | 'beam' | 'sample';
  /** Number of beams, 1 to 64. Default 4 if `method` is `beam`. */
  readonly beams?: number;
  /** Number of translations to return per text: the best beams, or independent samples. Default 1. */
  readonly numReturn?: number;
  /** Default `average`. */
  readonly lengthPenalty?: LengthPenalty;
  /**
   * When beam search stops: `true`: as soon as it has `beams` finished hypotheses; `false`: when no running
   * hypothesis would score better if it ended now; `'never'`: when none can become better. Default false.
   */
  readonly earlyStopping?: boolean | 'never';
  /** Sampling: divides the logits. Default 1. */
  readonly temperature?: number;
  /** Sampling: number of most probable tokens to sample from, ties included; 0: all, 1: greedy. Default 0. */
  readonly topK?: number;
  /**
   * Sampling: sample from the smallest set of most probable tokens with at least this total probability.
   * Default 1.
   */
  readonly topP?: number;
  /** Sampling: the same seed gives the same tokens, for any batch. Default 0. */
  readonly seed?: number;
  /** Minimum number of generated tokens, without the end token. Default 0. */
  readonly minNewTokens?: number;
  /** Maximum number of generated tokens, with the end token. Default: the maximum of the translator. */
  readonly maxNewTokens?: number;
  /**
   * Whether to force the end token at the maximum length, as BART's forced_eos_token_id does. Default false:
   * the text is cut there.
   */
  readonly forceEos?: boolean;
  /** No n-gram of this size occurs twice; 0: no limit. Default 0. */
  readonly noRepeatNgramSize?: number;
  /** Id of the token that the decoder reads first. Default: the start token of the model. */
  readonly decoderStartTokenId?: number;
  /** Id of the first generated token. Default: none is forced. */
  readonly forcedBosTokenId?: number;
  /** Ids of tokens that are never generated. Default: none. */
  readonly suppressTokens?: readonly number[];
  /** Called after each batch with the number of translated texts and the number of all texts. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Decoding rules that a model was trained with and that come with its checkpoint. */
export type ModelRules = Pick<
  DecodeOptions,
  'forcedBosTokenId' | 'forceEos' | 'suppressTokens' | 'minNewTokens' | 'noRepeatNgramSize'
>;

/**
 * Merges the rules of a model with the options of a call. Options take precedence; the suppressed tokens of
 * both apply. The model's minNewTokens is reduced if maxNewTokens (default `maxTokens`) is too small for it.
 */
export function withModelRules(rules: ModelRules, options: DecodeOptions, maxTokens: number): DecodeOptions {
  const { maxNewTokens = maxTokens } = options;
  return {
    ...rules,
    minNewTokens: Math.min(rules.minNewTokens ?? 0, maxNewTokens - 1),
    ...options,
    suppressTokens: [...(rules.suppressTokens ?? []), ...(options.suppressTokens ?? [])],
  };
}

/** Validated options with defaults filled in. */
export interface DecodeSettings {
  readonly method: 'greedy' | 'beam' | 'sample';
  /** Rows per sentence: beams or samples. */
  readonly rows: number;
  readonly numReturn: number;
  /** Divisor of the score by length. */
  readonly penalty: (length: number) => number;
  readonly earlyStopping: boolean | 'never';
  readonly sampling: Sampling;
  readonly seed: number;
  readonly maxNewTokens: number;
  /** Id of the token that the decoder reads first. */
  readonly startId: number;
  readonly rules: TokenRules;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** All options, with the only method that reads the option; undefined if every method does. */
const optionMethods: Readonly<Record<keyof DecodeOptions, 'beam' | 'sample' | undefined>> = {
  method: undefined,
  beams: undefined,
  numReturn: undefined,
  lengthPenalty: undefined,
  earlyStopping: 'beam',
  temperature: 'sample',
  topK: 'sample',
  topP: 'sample',
  seed: 'sample',
  minNewTokens: undefined,
  maxNewTokens: undefined,
  forceEos: undefined,
  noRepeatNgramSize: undefined,
  decoderStartTokenId: undefined,
  forcedBosTokenId: undefined,
  suppressTokens: undefined,
  onProgress: undefined,
  signal: undefined,
};

/** Former names of options and their new names. */
const renamed: Readonly<Record<string, keyof DecodeOptions>> = {
  beam: 'beams',
  nBest: 'numReturn',
  minLength: 'minNewTokens',
  maxLength: 'maxNewTokens',
  forceEnd: 'forceEos',
  noRepeatNgram: 'noRepeatNgramSize',
  firstToken: 'forcedBosTokenId',
  banned: 'suppressTokens',
  progress: 'onProgress',
};

/**
 * Validates options and fills in the defaults. `maxTokens` is the maximum of maxNewTokens. Throws a
 * HeddleError with the option, its value and the allowed values; for a former name of an option, with its
 * present name.
 */
export function decodeSettings(options: DecodeOptions, c: ModelConfig, maxTokens: number): DecodeSettings {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(renamed, name))
      throw new HeddleError(`decode: the option ${name} is now called ${renamed[name]}`);
    if (!Object.hasOwn(optionMethods, name))
      throw new HeddleError(
        `decode: there is no option ${name}; the options are ${Object.keys(optionMethods).join(', ')}`,
      );
  }
  const fail = (name: keyof DecodeOptions, wanted: string): never => {
    throw new HeddleError(`decode: ${name} is ${JSON.stringify(options[name])}, it must be ${wanted}`);
  };
  const any = Number.MAX_SAFE_INTEGER;
  const whole = (name: keyof DecodeOptions, value: number, min: number, max = any): number => {
    const range = max === any ? `of at least ${min}` : `from ${min} to ${max}`;
    if (!Number.isSafeInteger(value) || value < min || value > max) fail(name, `a whole number ${range}`);
    return value;
  };
  const isId = (id: number) => Number.isSafeInteger(id) && id >= 0 && id < c.tgtVocab;
  const method = options.method ?? ((options.beams ?? 1) > 1 ? 'beam' : 'greedy');
  if (!['greedy', 'beam', 'sample'].includes(method)) fail('method', 'greedy, beam or sample');
  const beams = whole('beams', options.beams ?? (method === 'beam' ? 4 : 1), 1, maxBeams);
  if (method !== 'beam' && beams > 1) fail('beams', `1 or left out if method is ${method}`);
  for (const [name, needs] of Object.entries(optionMethods) as [keyof DecodeOptions, string | undefined][])
    if (needs && options[name] !== undefined && method !== needs)
      fail(name, `left out: method is ${method}, not ${needs}`);
  const maxReturn = { greedy: 1, beam: beams, sample: maxBeams }[method];
  const { numReturn = 1 } = options;
  if (!Number.isSafeInteger(numReturn) || numReturn < 1 || numReturn > maxReturn)
    fail('numReturn', maxReturn === 1 ? `1 if method is ${method}` : `a whole number from 1 to ${maxReturn}`);
  const { temperature = 1, topP = 1, earlyStopping = false, forceEos = false, forcedBosTokenId } = options;
  const { decoderStartTokenId: startId = c.startId } = options;
  if (!(temperature >= 1e-3 && temperature <= 1e3)) fail('temperature', 'from 0.001 to 1000');
  if (!(topP > 0 && topP <= 1)) fail('topP', 'above 0 and at most 1');
  if (![true, false, 'never'].includes(earlyStopping)) fail('earlyStopping', "true, false or 'never'");
  if (typeof forceEos !== 'boolean') fail('forceEos', 'true or false');
  const maxNewTokens = whole('maxNewTokens', options.maxNewTokens ?? maxTokens, 1, maxTokens);
  const minNewTokens = whole('minNewTokens', options.minNewTokens ?? 0, 0);
  if (minNewTokens >= maxNewTokens)
    fail('minNewTokens', `below maxNewTokens, ${maxNewTokens}, which counts the end token`);
  if (!isId(startId)) fail('decoderStartTokenId', `an id from 0 to ${c.tgtVocab - 1}`);
  if (forcedBosTokenId !== undefined && !isId(forcedBosTokenId))
    fail('forcedBosTokenId', `an id from 0 to ${c.tgtVocab - 1}`);
  const suppressTokens = [...new Set(options.suppressTokens ?? [])];
  if (!suppressTokens.every(isId)) fail('suppressTokens', `ids from 0 to ${c.tgtVocab - 1}`);
  if (suppressTokens.length >= c.tgtVocab) fail('suppressTokens', 'fewer than all tokens');
  return {
    method,
    rows: method === 'sample' ? numReturn : beams,
    numReturn,
    penalty: penaltyOf(options.lengthPenalty ?? 'average', () => fail('lengthPenalty', penalties)),
    earlyStopping,
    sampling: { temperature, topP, topK: whole('topK', options.topK ?? 0, 0) },
    seed: whole('seed', options.seed ?? 0, 0, 2 ** 32 - 1),
    maxNewTokens,
    startId,
    rules: {
      minLength: minNewTokens,
      forceEndAt: forceEos ? maxNewTokens - 1 : -1,
      noRepeatNgram: whole('noRepeatNgramSize', options.noRepeatNgramSize ?? 0, 0),
      firstToken: forcedBosTokenId ?? -1,
      banned: suppressTokens,
    },
    onProgress: options.onProgress,
    signal: options.signal,
  };
}

const penalties = "a number of at least 0, 'average', 'none', or { power } with a number of at least 0";

function penaltyOf(penalty: LengthPenalty, fail: () => never): (length: number) => number {
  const isExponent = (n: unknown): n is number => typeof n === 'number' && n >= 0 && Number.isFinite(n);
  if (isExponent(penalty)) return (length) => ((5 + length) / 6) ** penalty;
  if (penalty === 'average') return (length) => length;
  if (penalty === 'none') return () => 1;
  if (typeof penalty === 'object' && penalty !== null && isExponent(penalty.power))
    return (length) => length ** penalty.power;
  return fail();
}

/**
 * The mode of the step graph for given settings. The maximum number of suppressed tokens is rounded up to a
 * power of two, so that fewer plans are compiled.
 */
export function modeOf({ method, rules }: DecodeSettings): DecodeMode {
  const { minLength, forceEndAt, noRepeatNgram, firstToken, banned } = rules;
  const hasRules =
    minLength > 0 || forceEndAt >= 0 || noRepeatNgram > 0 || firstToken >= 0 || banned.length > 0;
  return { method, rules: hasRules, banned: banned.length ? 2 ** Math.ceil(Math.log2(banned.length)) : 0 };
}
