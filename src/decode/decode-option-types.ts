// The options of decoding with their documentation. Generated from src/decode/decode-fields.ts by `npx vitest
// run -u tests/decode/decode-options.test.ts`: change the table, not this file.

import type { LengthPenalty } from './decode-fields.ts';

/**
 * Options of decoding, named as in transformers' GenerationConfig in camelCase, except `method` (do_sample),
 * `beams` (num_beams) and `numReturn` (num_return_sequences).
 */
export interface DecodeOptions {
  /**
   * How tokens are chosen: the most probable one, beam search, or sampling. Default: `beam` if `beams` is
   * above 1, else `greedy`.
   */
  readonly method?: 'greedy' | 'beam' | 'sample';
  /**
   * Number of beams, 1 to 64. A whole number from 1 to 64. Default: 1, greedy decoding; 4 if the method is
   * `beam`.
   */
  readonly beams?: number;
  /**
   * Number of translations to return per text: the best beams, or independent samples. A whole number from 1
   * to 64. Default: 1.
   */
  readonly numReturn?: number;
  /**
   * Divide beam scores by length^A (power:A, as length_penalty of transformers), ((5 + length) / 6)^A (a
   * number A, as in GNMT), length (average) or 1 (none). Default: average.
   */
  readonly lengthPenalty?: LengthPenalty;
  /**
   * When beam search stops: `true`: as soon as as many hypotheses as beams are finished; `false`: when no
   * running hypothesis would score better if it ended now; `'never'` (library only): when none can become
   * better; `'shrink'` (library only): when none runs; each finished hypothesis takes the place of a beam
   * (Marian). Default: false.
   */
  readonly earlyStopping?: boolean | 'never' | 'shrink';
  /**
   * Subtract this for each token, the end included, before the length penalty. A number (x). Default: that of
   * the model.
   */
  readonly wordPenalty?: number;
  /** Divisor of the logits in sampling. A number from 0.001 to 1000 (t). Default: 1. */
  readonly temperature?: number;
  /**
   * Sample from the n most probable tokens, ties included (0: all tokens, 1: greedy). A whole number of at
   * least 0. Default: 0.
   */
  readonly topK?: number;
  /**
   * Sample from the smallest set of most probable tokens with at least this total probability. A number above
   * 0 and at most 1 (p). Default: 1.
   */
  readonly topP?: number;
  /**
   * Seed of sampling; the same seed gives the same tokens, for any batch. A whole number from 0 to
   * 4294967295. Default: 0.
   */
  readonly seed?: number;
  /**
   * Index of the first text in a list that is translated in parts: its samples are those of the whole list. A
   * whole number of at least 0. Default: 0.
   */
  readonly firstText?: number;
  /**
   * Minimum number of generated tokens, without the end token. A whole number of at least 0. Default: that of
   * the model.
   */
  readonly minNewTokens?: number;
  /**
   * Maximum number of generated tokens, with the end token; at most that of the model. A whole number of at
   * least 1. Default: that of the model.
   */
  readonly maxNewTokens?: number;
  /**
   * Maximum number of generated tokens, with the end token, for each source token, with the end token (0: no
   * such limit). A number of at least 0 (x). Default: that of the model.
   */
  readonly maxLengthFactor?: number;
  /**
   * Whether to force the end token at the maximum length, as BART's forced_eos_token_id does; otherwise the
   * text is cut there. Default: that of the model.
   */
  readonly forceEos?: boolean;
  /**
   * Do not repeat sequences of n tokens (0: off). A whole number of at least 0. Default: that of the model.
   */
  readonly noRepeatNgramSize?: number;
  /**
   * Multiply the log-probability of each token that a translation has so far (greedy and sampling: its logit,
   * if negative, else divide it) by this (1: off). A number above 0 (x). Default: that of the model.
   */
  readonly repetitionPenalty?: number;
  /**
   * Id of the token that the decoder reads first (-1: none). A whole number of at least -1 (id). Default: the
   * start token of the model.
   */
  readonly decoderStartTokenId?: number;
  /** Id of the first generated token. A whole number of at least 0 (id). Default: that of the model. */
  readonly forcedBosTokenId?: number;
  /** Ids of tokens that are never generated, with those of the model. Default: none. */
  readonly suppressTokens?: readonly number[];
  /**
   * Ids of tokens that are not the first generated one, with those of the model; a forced first token does
   * not count. Default: none.
   */
  readonly beginSuppressTokens?: readonly number[];
  /**
   * Token sequences that are never generated, with those of the model, as bad_words_ids of transformers.
   * Default: none.
   */
  readonly badWordsIds?: readonly (readonly number[])[];
  /**
   * Storage of the KV cache and of the keys and values of the source: f16 takes half the memory and rounds
   * them to 11 bits; a model whose head width 4 does not divide keeps f32. Default: f32.
   */
  readonly cacheType?: 'f32' | 'f16';
  /** Called after each batch with the number of translated texts and the number of all texts. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the translation, which throws an AbortError. */
  readonly signal?: AbortSignal;
}
