// What a decoding can be asked for: checked, completed, and turned into the data that steps read.

import { HeddleError } from '../core/errors.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { maxBeams } from '../ops/decoding/cache-slots.ts';
import type { TokenRules } from '../ops/decoding/next-token.ts';
import type { Sampling } from '../ops/decoding/sample-token.ts';
import type { DecodeMode } from './decoding-graphs.ts';

/**
 * What the sum of a hypothesis's log-probabilities is divided by, of its length with its end: a number alpha: ((5 + length) / 6)^alpha
 * (Wu et al., 2016, "Google's Neural Machine Translation System"); `average`: the length; `power`: a power of the length; `none`: 1.
 */
export type LengthPenalty = number | 'average' | 'none' | { readonly power: number };

/** How to decode. What is left out has the value in brackets. */
export interface DecodeOptions {
  /** [`beam` if `beams` is above 1, else `greedy`.] */
  readonly method?: 'greedy' | 'beam' | 'sample';
  /** Hypotheses kept at each step, 1 to 64. [4 for `beam`.] */
  readonly beams?: number;
  /** Translations of each text: the best of the beam, or samples. [1] */
  readonly numReturn?: number;
  /** ['average'] */
  readonly lengthPenalty?: LengthPenalty;
  /**
   * When a beam search stops: `true` as soon as it has as many finished hypotheses as beams; `false` when none of the running ones
   * would be better if it ended now; `'never'` when none can become better. [false]
   */
  readonly earlyStopping?: boolean | 'never';
  /** What logits are divided by before sampling. [1] */
  readonly temperature?: number;
  /** Sample from so many of the most probable tokens, and those as probable as the last; 1: as greedy does; 0: from all. [0] */
  readonly topK?: number;
  /** Sample from the most probable tokens whose probabilities sum to so much. [1] */
  readonly topP?: number;
  /** Of sampling: the same seed gives the same tokens, whatever decodes beside them. [0] */
  readonly seed?: number;
  /** Tokens of a translation, its end not counted, at least. [0] */
  readonly minNewTokens?: number;
  /** Tokens of a translation, its end counted, at most. [As many as the translator takes.] */
  readonly maxNewTokens?: number;
  /** Whether the end is forced at the greatest length, as BART's forced_eos_token_id does; else what is unfinished stops there. [false] */
  readonly forceEos?: boolean;
  /** No sequence of so many tokens comes twice; 0: no such rule. [0] */
  readonly noRepeatNgramSize?: number;
  /** The id that every translation begins with, as BART's forced_bos_token_id says. [none] */
  readonly forcedBosTokenId?: number;
  /** Ids that never come. [none] */
  readonly suppressTokens?: readonly number[];
  /** Called after each batch with the number of texts that are done, and of all. */
  readonly onProgress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

/** Rules that a model was trained for: what must come first or last, what never comes, how much at least. */
export type ModelRules = Pick<
  DecodeOptions,
  'forcedBosTokenId' | 'forceEos' | 'suppressTokens' | 'minNewTokens' | 'noRepeatNgramSize'
>;

/**
 * What is asked for, over the rules of the model: each is in force where nothing else is said, what the model bans stays banned beside
 * what is asked for, and its least length gives way to a greatest one, by default `mostTokens`, that leaves no room for it.
 */
export function withModelRules(rules: ModelRules, asked: DecodeOptions, mostTokens: number): DecodeOptions {
  const { maxNewTokens = mostTokens } = asked;
  return {
    ...rules,
    minNewTokens: Math.min(rules.minNewTokens ?? 0, maxNewTokens - 1),
    ...asked,
    suppressTokens: [...(rules.suppressTokens ?? []), ...(asked.suppressTokens ?? [])],
  };
}

/** All of it, checked. `rows`: rows of a sentence. */
export interface DecodeSettings {
  readonly method: 'greedy' | 'beam' | 'sample';
  readonly rows: number;
  readonly numReturn: number;
  readonly penalty: (length: number) => number;
  readonly earlyStopping: boolean | 'never';
  readonly sampling: Sampling;
  readonly seed: number;
  readonly maxNewTokens: number;
  readonly rules: TokenRules;
  readonly onProgress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

const known = [
  'method',
  'beams',
  'numReturn',
  'lengthPenalty',
  'earlyStopping',
  'temperature',
  'topK',
  'topP',
  'seed',
  'minNewTokens',
  'maxNewTokens',
  'forceEos',
  'noRepeatNgramSize',
  'forcedBosTokenId',
  'suppressTokens',
  'onProgress',
  'signal',
] as const satisfies readonly (keyof DecodeOptions)[];

/** Names that options had before, with their present names. */
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

/** Options that only one method reads. */
const ofMethod: Partial<Record<keyof DecodeOptions, 'beam' | 'sample'>> = {
  earlyStopping: 'beam',
  temperature: 'sample',
  topK: 'sample',
  topP: 'sample',
  seed: 'sample',
};

/** Checks and completes options for a model. Throws a HeddleError that names the option, its value and what it may be. */
export function decodeSettings(options: DecodeOptions, c: ModelConfig, mostTokens: number): DecodeSettings {
  for (const name of Object.keys(options)) {
    const now = renamed[name];
    if (now) throw new HeddleError(`decode: the option ${name} is now called ${now}`);
    if (!(known as readonly string[]).includes(name))
      throw new HeddleError(`decode: there is no option ${name}; the options are ${known.join(', ')}`);
  }
  const fail = (name: keyof DecodeOptions, wanted: string): never => {
    throw new HeddleError(`decode: ${name} is ${JSON.stringify(options[name])}, it must be ${wanted}`);
  };
  const whole = (name: keyof DecodeOptions, value: number, least: number, most: number): number => {
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    if (!Number.isSafeInteger(value) || value < least || value > most) fail(name, `a whole number ${range}`);
    return value;
  };
  const any = Number.MAX_SAFE_INTEGER;
  const method = options.method ?? ((options.beams ?? 1) > 1 ? 'beam' : 'greedy');
  if (!['greedy', 'beam', 'sample'].includes(method)) fail('method', 'greedy, beam or sample');
  const beam = whole('beams', options.beams ?? (method === 'beam' ? 4 : 1), 1, maxBeams);
  if (method !== 'beam' && beam > 1) fail('beams', `left out, or 1, where method is ${method}`);
  for (const [name, needs] of Object.entries(ofMethod) as [keyof DecodeOptions, string][])
    if (options[name] !== undefined && method !== needs) fail(name, `left out where method is ${method}, not ${needs}`);

  const most = { greedy: 1, beam, sample: maxBeams }[method];
  const numReturn = options.numReturn ?? 1;
  if (!Number.isSafeInteger(numReturn) || numReturn < 1 || numReturn > most)
    fail(
      'numReturn',
      most === 1 ? '1 where method is greedy' : `a whole number from 1 to ${most}, the most that ${method} gives`,
    );
  const { temperature = 1, topP = 1, earlyStopping = false, forceEos = false } = options;
  if (!(temperature >= 1e-3 && temperature <= 1e3)) fail('temperature', 'from 0.001 to 1000');
  if (!(topP > 0 && topP <= 1)) fail('topP', 'above 0 and at most 1');
  if (![true, false, 'never'].includes(earlyStopping)) fail('earlyStopping', "true, false or 'never'");
  if (typeof forceEos !== 'boolean') fail('forceEos', 'true or false');
  const maxNewTokens = whole('maxNewTokens', options.maxNewTokens ?? mostTokens, 1, mostTokens);
  const minNewTokens = whole('minNewTokens', options.minNewTokens ?? 0, 0, any);
  if (minNewTokens >= maxNewTokens)
    fail('minNewTokens', `below maxNewTokens, ${maxNewTokens}, which counts the end token`);
  const { forcedBosTokenId = -1 } = options;
  if (
    options.forcedBosTokenId !== undefined &&
    !(Number.isSafeInteger(forcedBosTokenId) && forcedBosTokenId >= 0 && forcedBosTokenId < c.tgtVocab)
  )
    fail('forcedBosTokenId', `an id from 0 to ${c.tgtVocab - 1}`);
  const suppressTokens = [...new Set(options.suppressTokens ?? [])];
  for (const id of suppressTokens)
    if (!(Number.isSafeInteger(id) && id >= 0 && id < c.tgtVocab))
      fail('suppressTokens', `ids from 0 to ${c.tgtVocab - 1}`);
  if (suppressTokens.length >= c.tgtVocab) fail('suppressTokens', 'fewer than all tokens');
  return {
    method,
    rows: method === 'sample' ? numReturn : beam,
    numReturn,
    penalty: penaltyOf(options.lengthPenalty ?? 'average', () => fail('lengthPenalty', penalties)),
    earlyStopping,
    sampling: { temperature, topP, topK: whole('topK', options.topK ?? 0, 0, any) },
    seed: whole('seed', options.seed ?? 0, 0, 2 ** 32 - 1),
    maxNewTokens,
    rules: {
      minLength: minNewTokens,
      forceEndAt: forceEos ? maxNewTokens - 1 : -1,
      noRepeatNgram: whole('noRepeatNgramSize', options.noRepeatNgramSize ?? 0, 0, any),
      firstToken: forcedBosTokenId,
      banned: suppressTokens,
    },
    ...(options.onProgress && { onProgress: options.onProgress }),
    ...(options.signal && { signal: options.signal }),
  };
}

const penalties = "a number of at least 0, 'average', 'none', or { power } with a number of at least 0";

function penaltyOf(penalty: LengthPenalty, fail: () => never): (length: number) => number {
  const sound = (n: unknown): n is number => typeof n === 'number' && n >= 0 && Number.isFinite(n);
  if (sound(penalty)) return (length) => ((5 + length) / 6) ** penalty;
  if (penalty === 'average') return (length) => length;
  if (penalty === 'none') return () => 1;
  if (typeof penalty === 'object' && penalty !== null && sound(penalty.power))
    return (length) => length ** penalty.power;
  return fail();
}

/** The mode whose plan serves settings; room for banned tokens grows in powers of two, so that few plans serve all. */
export function modeOf({ method, rules }: DecodeSettings): DecodeMode {
  const { minLength, forceEndAt, noRepeatNgram, firstToken, banned } = rules;
  const ruled = minLength > 0 || forceEndAt >= 0 || noRepeatNgram > 0 || firstToken >= 0 || banned.length > 0;
  return { method, rules: ruled, banned: banned.length ? 2 ** Math.ceil(Math.log2(banned.length)) : 0 };
}
