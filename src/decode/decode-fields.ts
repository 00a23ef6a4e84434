// The table of decoding options. From it and its comments come the checks of decode-options.ts, the flags of
// `heddle translate` and `heddle eval`, the interface in decode-option-types.ts and docs/settings.md. To add an
// option, add a row and use its value; then run `npx vitest run -u tests/decode/decode-options.test.ts`.

import { boolean, choice, custom, type FieldRow, integer } from '../core/fields.ts';
import { maxBeams } from '../engine/ops/decoding/cache-slots.ts';

/** A row of the table. */
export interface DecodeField extends FieldRow {
  /** The only method that reads the option. Default: every method does. */
  readonly only?: 'beam' | 'sample';
}

/**
 * Length penalty: divisor of the score of a hypothesis, its sum of log-probabilities. `length` counts the end
 * token.
 * - number alpha: ((5 + length) / 6)^alpha (Wu et al., 2016, "Google's Neural Machine Translation System")
 * - `average`: length, as transformers with length_penalty 1
 * - `{ power }`: length^power, the length_penalty of transformers, fairseq and Marian
 * - `none`: 1
 */
export type LengthPenalty = number | 'average' | 'none' | { readonly power: number };

const isExponent = (n: unknown): n is number => typeof n === 'number' && n >= 0 && Number.isFinite(n);

const lengthPenalty = custom<LengthPenalty>({
  unit: 'penalty',
  words: "a number of at least 0, 'average', 'none', or { power } with a number of at least 0",
  typescript: 'LengthPenalty',
  accepts: (value): value is LengthPenalty =>
    isExponent(value) ||
    value === 'average' ||
    value === 'none' ||
    // An object with this name only.
    (isExponent((value as { readonly power?: unknown } | null)?.power) && !Object.keys(value as object)[1]),
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
  /**
   * How tokens are chosen: the most probable one, beam search, or sampling. Default: `beam` if `beams` is
   * above 1, else `greedy`.
   */
  method: {
    type: choice(['greedy', 'beam', 'sample']),
    flag: null, // --sample
  },
  /** Number of beams, 1 to 64. Default: 1, greedy decoding; 4 if the method is `beam`. */
  beams: { type: integer(1, 'n', maxBeams), flag: 'beam-size' },
  /** Number of translations to return per text: the best beams, or independent samples. */
  numReturn: { type: integer(1, 'n', maxBeams), default: 1 },
  /**
   * Divide beam scores by length^A (power:A, as length_penalty of transformers), ((5 + length) / 6)^A (a
   * number A, as in GNMT), length (average) or 1 (none).
   */
  lengthPenalty: { type: lengthPenalty, default: 'average' },
  /**
   * When beam search stops: `true`: as soon as as many hypotheses as beams are finished; `false`: when no
   * running hypothesis would score better if it ended now; `'never'` (library only): when none can become
   * better; `'shrink'` (library only): when none runs; each finished hypothesis takes the place of a beam
   * (Marian).
   */
  earlyStopping: { type: earlyStopping, default: false, only: 'beam' },
  /** Subtract this for each token, the end included, before the length penalty. Default: that of the model. */
  wordPenalty: { type: { kind: 'number', unit: 'x' } },
  /** Divisor of the logits in sampling. */
  temperature: { type: { kind: 'number', min: 1e-3, max: 1e3, unit: 't' }, default: 1, only: 'sample' },
  /** Sample from the n most probable tokens, ties included (0: all tokens, 1: greedy). */
  topK: { type: integer(0), default: 0, only: 'sample' },
  /** Sample from the smallest set of most probable tokens with at least this total probability. */
  topP: { type: { kind: 'number', above: 0, max: 1, unit: 'p' }, default: 1, only: 'sample' },
  /** Seed of sampling; the same seed gives the same tokens, for any batch. */
  seed: { type: integer(0, 'n', 2 ** 32 - 1), default: 0, only: 'sample' },
  /** Index of the first text in a list that is translated in parts: its samples are those of the whole list. Default: 0. */
  firstText: { type: integer(0), flag: null },
  /** Minimum number of generated tokens, without the end token. Default: that of the model. */
  minNewTokens: { type: integer(0) },
  /**
   * Maximum number of generated tokens, with the end token; at most that of the model. Default: that of the
   * model.
   */
  maxNewTokens: { type: integer(1) },
  /**
   * Maximum number of generated tokens, with the end token, for each source token, with the end token (0: no
   * such limit). Default: that of the model.
   */
  maxLengthFactor: { type: { kind: 'number', min: 0, unit: 'x' } },
  /**
   * Whether to force the end token at the maximum length, as BART's forced_eos_token_id does; otherwise the
   * text is cut there. Default: that of the model.
   */
  forceEos: { type: boolean, flag: null },
  /** Do not repeat sequences of n tokens (0: off). Default: that of the model. */
  noRepeatNgramSize: { type: integer(0) },
  /** Id of the token that the decoder reads first (-1: none). Default: the start token of the model. */
  decoderStartTokenId: { type: integer(-1, 'id'), flag: null },
  /** Id of the first generated token. Default: that of the model. */
  forcedBosTokenId: { type: integer(0, 'id'), flag: null },
  /** Ids of tokens that are never generated, with those of the model. Default: none. */
  suppressTokens: { type: tokenIds },
  /**
   * Token sequences that are never generated, with those of the model, as bad_words_ids of transformers. Default:
   * none.
   */
  badWordsIds: { type: tokenLists, flag: null },
  /**
   * Storage of the KV cache and of the keys and values of the source: f16 takes half the memory and rounds them to
   * 11 bits; a model whose head width 4 does not divide keeps f32.
   */
  cacheType: { type: choice(['f32', 'f16']), default: 'f32' },
} as const satisfies Readonly<Record<string, DecodeField>>;

/** Name of a decoding option. */
export type DecodeFieldName = keyof typeof decodeFields;

/** The rows of the table, in order. */
export const decodeRows: readonly (readonly [DecodeFieldName, DecodeField])[] = Object.entries(
  decodeFields,
) as unknown as readonly (readonly [DecodeFieldName, DecodeField])[];
