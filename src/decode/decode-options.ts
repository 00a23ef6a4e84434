// Options of decoding: validation, defaults, and the data that each step reads.

import { checkFields, defaultsOf, describeType, fitsType, integer, rejectField } from '../core/fields.ts';
import { type Message, msg, option } from '../core/message.ts';
import { maxBeams } from '../engine/ops/decoding/cache-slots.ts';
import { bannedNumbers, type NextTokenRules, type Sampling } from '../engine/ops/decoding/next-token.ts';
import { withoutUndefined } from '../files/json-files.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { type DecodeFieldName, decodeFields, decodeRows, type LengthPenalty } from './decode-fields.ts';
import type { DecodeOptions } from './decode-option-types.ts';
import type { DecodeMode } from './decoding-graphs.ts';
import type { ForcedPrefixes, TokenRules } from './token-rules.ts';

export type { LengthPenalty } from './decode-fields.ts';
export type { DecodeOptions } from './decode-option-types.ts';

/** Decoding rules that a model was trained with and that come with its checkpoint. */
export type ModelRules = Pick<
  DecodeOptions,
  | 'forcedBosTokenId'
  | 'forceEos'
  | 'suppressTokens'
  | 'badWordsIds'
  | 'minNewTokens'
  | 'noRepeatNgramSize'
  | 'repetitionPenalty'
  | 'beginSuppressTokens'
  | 'lengthPenalty'
  | 'earlyStopping'
  | 'wordPenalty'
  | 'maxLengthFactor'
>;

/**
 * Merges the rules of a model with the options of a call. Options take precedence; the suppressed tokens and bad
 * words of both apply. The model's minNewTokens is reduced if maxNewTokens (default `maxTokens`) is too small for it,
 * and its earlyStopping is for beam search only.
 */
export function withModelRules(rules: ModelRules, options: DecodeOptions, maxTokens: number): DecodeOptions {
  const { maxNewTokens = maxTokens } = options;
  const { earlyStopping, ...others } = rules;
  const isBeam = (options.method ?? ((options.beams ?? 1) > 1 ? 'beam' : 'greedy')) === 'beam';
  return {
    ...others,
    earlyStopping: isBeam ? earlyStopping : undefined,
    minNewTokens: Math.max(0, Math.min(rules.minNewTokens ?? 0, maxNewTokens - 1)),
    ...options,
    suppressTokens: [...(rules.suppressTokens ?? []), ...(options.suppressTokens ?? [])],
    beginSuppressTokens: [...(rules.beginSuppressTokens ?? []), ...(options.beginSuppressTokens ?? [])],
    badWordsIds: [...(rules.badWordsIds ?? []), ...(options.badWordsIds ?? [])],
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
  /** Subtracted from the score for each token, before the division. */
  readonly wordPenalty: number;
  /** The score of a hypothesis by its log-probability and length, the end included. */
  readonly score: (logProb: number, length: number) => number;
  /** Maximum number of tokens for each source token; 0: no such limit. */
  readonly maxLengthFactor: number;
  readonly earlyStopping: boolean | 'never' | 'shrink';
  readonly sampling: Sampling;
  readonly seed: number;
  readonly maxNewTokens: number;
  /** Id of the token that the decoder reads first. */
  readonly startId: number;
  /** Storage of keys and values. */
  readonly cacheType?: 'f32' | 'f16';
  readonly rules: NextTokenRules;
  /** Further rules of the device, which a guest brings. */
  readonly tokenRules?: TokenRules;
  /** The tokens with which the translations begin. */
  readonly prefixes?: ForcedPrefixes;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** The options of texts, which are not options of decoding. */
const textOptions = [
  'batchSize',
  'maxLength',
  'longTexts',
  'onLongText',
  'replaceUnknown',
  'splitSentences',
  'badWords',
  'prefix',
  'attention',
  'alignment',
  'onPiece',
  'phrases',
  'placeholders',
];

/** The decoding options among the options of texts; an unknown option is one of them, so that it is an error later. */
export const decodeOptionsOf = (options: DecodeOptions): DecodeOptions =>
  Object.fromEntries(Object.entries(options).filter(([name]) => !textOptions.includes(name)));

/** All other options of calls that decode. */
const otherOptions = [
  ...textOptions,
  'onProgress',
  'signal',
  'sourceLang',
  'targetLang',
  'translations',
  'name',
];

type Reject = (name: DecodeFieldName, wanted: Message | string) => never;

/**
 * Validates options and fills in the defaults. `maxTokens` is the maximum of maxNewTokens. Throws a
 * HeddleError with the option, its value and the allowed values.
 */
export function decodeSettings(options: DecodeOptions, c: ModelConfig, maxTokens: number): DecodeSettings {
  const { onProgress, signal, ...others } = options;
  const given: typeof others = withoutUndefined(others as Readonly<Record<string, unknown>>);
  const names = { area: 'decode', others: otherOptions };
  checkFields(names, decodeFields, others);
  const reject: Reject = (name, wanted) => rejectField(names, name, given[name], wanted);
  const {
    lengthPenalty,
    earlyStopping,
    temperature,
    topK,
    topP,
    seed,
    maxNewTokens = maxTokens,
    wordPenalty = 0,
    maxLengthFactor = 0,
  } = { ...defaultsOf(decodeFields), ...given };
  const search = searchOf(given, reject);
  checkMaximum('maxNewTokens', maxNewTokens, maxTokens, reject);
  const penalty = penaltyOf(lengthPenalty);
  return {
    ...search,
    penalty,
    wordPenalty,
    score: (logProb, length) => (logProb - wordPenalty * length) / penalty(length),
    maxLengthFactor,
    earlyStopping,
    sampling: { temperature, topP, topK },
    seed,
    maxNewTokens,
    startId: startIdOf(given, c, reject),
    cacheType: given.cacheType,
    rules: tokenRulesOf(given, c.tgtVocab, maxNewTokens, reject),
    onProgress,
    signal,
  };
}

/** The method, its rows per sentence and how many of them are returned. */
function searchOf(
  given: DecodeOptions,
  reject: Reject,
): Pick<DecodeSettings, 'method' | 'rows' | 'numReturn'> {
  const {
    method = (given.beams ?? 1) > 1 ? 'beam' : 'greedy',
    numReturn = defaultsOf(decodeFields).numReturn,
  } = given;
  const { beams = method === 'beam' ? 4 : 1 } = given;
  if (method !== 'beam' && beams > 1) reject('beams', msg`1 or left out if ${option('method')} is ${method}`);
  for (const [name, { only }] of decodeRows)
    if (only && name in given && method !== only)
      reject(name, msg`left out: ${option('method')} is ${method}, not ${only}`);
  if (method === 'greedy' && numReturn > 1) reject('numReturn', msg`1 if ${option('method')} is ${method}`);
  checkMaximum('numReturn', numReturn, method === 'beam' ? beams : maxBeams, reject);
  return { method, rows: method === 'sample' ? numReturn : beams, numReturn };
}

/** Rejects a number above a maximum that depends on the model or on other options. */
function checkMaximum(name: DecodeFieldName, value: number, max: number, reject: Reject): void {
  const type = integer(1, 'n', max);
  if (!fitsType(type, value)) reject(name, describeType(type));
}

/** The token that the decoder reads first; that of the model may be outside of its vocabulary. */
function startIdOf({ decoderStartTokenId: id }: DecodeOptions, c: ModelConfig, reject: Reject): number {
  if (id !== undefined && id !== c.startId && id >= c.tgtVocab)
    reject('decoderStartTokenId', msg`an id from 0 to ${c.tgtVocab - 1}`);
  return id ?? c.startId;
}

/** The rules by which the next token is chosen, for a vocabulary of `size` tokens. */
function tokenRulesOf(
  given: DecodeOptions,
  size: number,
  maxNewTokens: number,
  reject: Reject,
): NextTokenRules {
  const {
    minNewTokens = 0,
    forceEos = false,
    noRepeatNgramSize = 0,
    repetitionPenalty = 1,
    forcedBosTokenId = -1,
    badWordsIds = [],
  } = given;
  const isId = (id: number) => id < size;
  const ids = msg`ids from 0 to ${size - 1}`;
  if (minNewTokens >= maxNewTokens)
    reject('minNewTokens', msg`below ${option('maxNewTokens')}, ${maxNewTokens}`);
  if (!isId(forcedBosTokenId)) reject('forcedBosTokenId', msg`an id from 0 to ${size - 1}`);
  const banned = [...new Set(given.suppressTokens)];
  if (!banned.every(isId)) reject('suppressTokens', ids);
  if (banned.length >= size) reject('suppressTokens', 'fewer than all tokens');
  const bannedFirst = [...new Set(given.beginSuppressTokens)].filter((id) => !banned.includes(id));
  if (!bannedFirst.every(isId)) reject('beginSuppressTokens', ids);
  if (banned.length + bannedFirst.length >= size) reject('beginSuppressTokens', 'fewer than all tokens');
  if (!badWordsIds.flat().every(isId)) reject('badWordsIds', ids);
  return {
    minLength: minNewTokens,
    forceEndAt: forceEos ? maxNewTokens - 1 : -1,
    noRepeatNgram: noRepeatNgramSize,
    firstToken: forcedBosTokenId,
    repetitionPenalty,
    banned,
    bannedFirst,
    bannedSequences: badWordsIds,
  };
}

/** The divisor of a score by length. */
function penaltyOf(penalty: LengthPenalty): (length: number) => number {
  if (penalty === 'average') return (length) => length;
  if (penalty === 'none') return () => 1;
  if (typeof penalty === 'number') return (length) => ((5 + length) / 6) ** penalty;
  return (length) => length ** penalty.power;
}

/**
 * Returns the mode of the step graph for settings. The maximum number of suppressed tokens is rounded up to a
 * power of two, so that fewer plans are compiled.
 */
export function modeOf({ method, rules, earlyStopping, tokenRules, prefixes }: DecodeSettings): DecodeMode {
  const { minLength, forceEndAt, noRepeatNgram, firstToken, repetitionPenalty = 1 } = rules;
  const banned = bannedNumbers(rules).length;
  const forced = prefixes?.length;
  const hasRules =
    minLength > 0 || forceEndAt >= 0 || noRepeatNgram > 0 || firstToken >= 0 || banned > 0 || !!forced;
  return {
    method,
    rules: hasRules,
    banned: banned && powerOfTwo(banned),
    forced: forced && powerOfTwo(forced),
    penalizes: repetitionPenalty === 1 ? undefined : true,
    shrinks: method === 'beam' && earlyStopping === 'shrink' ? true : undefined,
    tokenRules,
  };
}

/** The next power of two, so that there are few sizes. */
const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));
