// The table of decoding options. From it come the checks of decode-options.ts, the flags of
// `heddle translate` and `heddle eval`, the interface in decode-option-types.ts and docs/settings.md. To add an
// option, add a row and use its value; then run `npx vitest run -u tests/decode/decode-options.test.ts`.

import { boolean, choice, custom, integer, type OptionField } from '../core/fields.ts';
import { maxBeams } from '../engine/ops/decoding/cache-slots.ts';

/** A row of the table. */
export interface DecodeField extends OptionField {
  /** The only method that reads the option. Default: every method does. */
  readonly only?: 'beam' | 'sample';
}

/**
 * Length penalty: divisor of the score of a hypothesis, its sum of log-probabilities. `length` counts the end
 * token.
 * - number alpha: ((5 + length) / 6)^alpha (Wu et al., 2016, "Google's Neural Machine Translation System")
 * - `average`: length, as transformers with length_penalty 1
 * - `{ power }`: length^power, the length_penalty of transformers, fairseq and Marian; a negative one favours short
 *   hypotheses
 * - `none`: 1
 */
export type LengthPenalty = number | 'average' | 'none' | { readonly power: number };

const isFiniteNumber = (n: unknown): n is number => typeof n === 'number' && Number.isFinite(n);

const lengthPenalty = custom<LengthPenalty>({
  unit: 'penalty',
  words: "a number of at least 0, 'average', 'none', or { power } with a number",
  typescript: 'LengthPenalty',
  accepts: (value): value is LengthPenalty =>
    (isFiniteNumber(value) && value >= 0) ||
    value === 'average' ||
    value === 'none' ||
    (isFiniteNumber((value as { readonly power?: unknown } | null)?.power) &&
      Object.keys(value as object).length === 1),
});

const earlyStopping = custom<boolean | 'never' | 'shrink'>({
  unit: '',
  words: "true, false, 'never' or 'shrink'",
  typescript: "boolean | 'never' | 'shrink'",
  accepts: (value): value is boolean | 'never' | 'shrink' =>
    typeof value === 'boolean' || value === 'never' || value === 'shrink',
});

const tokenIds = custom<readonly number[]>({
  unit: 'ids',
  words: 'a list of token ids',
  typescript: 'readonly number[]',
  accepts: (value): value is readonly number[] =>
    Array.isArray(value) && value.every((id) => Number.isSafeInteger(id) && id >= 0),
});

const tokenLists = custom<readonly (readonly number[])[]>({
  unit: 'ids',
  words: 'a list of lists of token ids',
  typescript: 'readonly (readonly number[])[]',
  accepts: (value): value is readonly (readonly number[])[] =>
    Array.isArray(value) &&
    value.every((ids) => Array.isArray(ids) && ids.length > 0 && tokenIds.accepts(ids)),
});

/**
 * The options, named as in transformers' GenerationConfig in camelCase, except `method` (do_sample), `beams`
 * (num_beams) and `numReturn` (num_return_sequences).
 */
export const decodeFields = {
  method: {
    help: 'how tokens are chosen: the most probable one, beam search, or sampling',
    defaultText: '`beam` if `beams` is above 1, else `greedy`',
    type: choice(['greedy', 'beam', 'sample']),
  },
  beams: {
    help: 'number of beams, 1 to 64',
    defaultText: '1, greedy decoding; 4 if the method is `beam`',
    type: integer(1, 'n', maxBeams),
  },
  numReturn: {
    help: 'number of translations to return per text: the best beams, or independent samples',
    type: integer(1, 'n', maxBeams),
    default: 1,
  },
  lengthPenalty: {
    help: 'divide beam scores by length^A (power:A, as length_penalty of transformers), ((5 + length) / 6)^A (a number A, as in GNMT), length (average) or 1 (none)',
    type: lengthPenalty,
    default: 'average',
  },
  earlyStopping: {
    help: "when beam search stops: `true`: as soon as as many hypotheses as beams are finished; `false`: when no running hypothesis would score better if it ended now; `'never'` (library only): when none can become better; `'shrink'` (library only): when none runs; each finished hypothesis takes the place of a beam (Marian)",
    type: earlyStopping,
    default: false,
    only: 'beam',
  },
  wordPenalty: {
    help: 'subtract this for each token, the end included, before the length penalty',
    defaultText: 'that of the model',
    type: { kind: 'number', unit: 'x' },
  },
  temperature: {
    help: 'divisor of the logits in sampling',
    type: { kind: 'number', min: 1e-3, max: 1e3, unit: 't' },
    default: 1,
    only: 'sample',
  },
  topK: {
    help: 'sample from the n most probable tokens, ties included (0: all tokens, 1: greedy)',
    type: integer(0),
    default: 0,
    only: 'sample',
  },
  topP: {
    help: 'sample from the smallest set of most probable tokens with at least this total probability',
    type: { kind: 'number', above: 0, max: 1, unit: 'p' },
    default: 1,
    only: 'sample',
  },
  seed: {
    help: 'seed of sampling; the same seed gives the same tokens, for any batch',
    type: integer(0, 'n', 2 ** 32 - 1),
    default: 0,
    only: 'sample',
  },
  firstText: {
    help: 'index of the first text in a list that is translated in parts: its samples are those of the whole list',
    defaultText: '0',
    type: integer(0),
    flag: null,
  },
  minNewTokens: {
    help: 'minimum number of generated tokens, without the end token',
    defaultText: 'that of the model',
    type: integer(0),
  },
  maxNewTokens: {
    help: 'maximum number of generated tokens, with the end token; at most that of the model',
    defaultText: 'that of the model',
    type: integer(1),
  },
  maxLengthFactor: {
    help: 'maximum number of generated tokens, with the end token, for each source token, with the end token (0: no such limit)',
    defaultText: 'that of the model',
    type: { kind: 'number', min: 0, unit: 'x' },
  },
  forceEos: {
    help: "whether to force the end token at the maximum length, as BART's forced_eos_token_id does; otherwise the text is cut there",
    defaultText: 'that of the model',
    type: boolean,
    flag: null,
  },
  noRepeatNgramSize: {
    help: 'do not repeat sequences of n tokens (0: off)',
    defaultText: 'that of the model',
    type: integer(0),
  },
  repetitionPenalty: {
    help: 'multiply the log-probability of each token that a translation has so far (greedy and sampling: its logit, if negative, else divide it) by this (1: off)',
    defaultText: 'that of the model',
    type: { kind: 'number', above: 0, unit: 'x' },
  },
  decoderStartTokenId: {
    help: 'id of the token that the decoder reads first (-1: none)',
    defaultText: 'the start token of the model',
    type: integer(-1, 'id'),
    flag: null,
  },
  forcedBosTokenId: {
    help: 'id of the first generated token',
    defaultText: 'that of the model',
    type: integer(0, 'id'),
    flag: null,
  },
  suppressTokens: {
    help: 'ids of tokens that are never generated, with those of the model',
    defaultText: 'none',
    type: tokenIds,
  },
  beginSuppressTokens: {
    help: 'ids of tokens that are not the first generated one, with those of the model; a forced first token does not count',
    defaultText: 'none',
    type: tokenIds,
  },
  badWordsIds: {
    help: 'token sequences that are never generated, with those of the model, as bad_words_ids of transformers',
    defaultText: 'none',
    type: tokenLists,
    flag: null,
  },
  cacheType: {
    help: 'storage of the KV cache and of the keys and values of the source: f16 takes half the memory and rounds them to 11 bits; a model whose head width 4 does not divide keeps f32',
    type: choice(['f32', 'f16']),
    default: 'f32',
  },
} as const satisfies Readonly<Record<string, DecodeField>>;

/** Name of a decoding option. */
export type DecodeFieldName = keyof typeof decodeFields;

/** The rows of the table, in order. */
export const decodeRows: readonly (readonly [DecodeFieldName, DecodeField])[] = Object.entries(
  decodeFields,
) as unknown as readonly (readonly [DecodeFieldName, DecodeField])[];
