// Options of the calls that translate texts, and their results.

import type { Attention } from './alignment.ts';
import type { DecodeOptions } from './decode-options.ts';
import type { Hypothesis } from './hypotheses.ts';
import type { WordLinks } from './word-links.ts';

/** The languages of a text and its translation, as codes of the model: `en`, `eng_Latn`, `en_XX`. */
export interface LanguageOptions {
  /** Language of the texts. [that of the model] */
  readonly sourceLang?: string;
  /** Language of the translations. [that of the model] */
  readonly targetLang?: string;
}

/** Options of the calls that translate. */
export interface TranslateOptions extends DecodeOptions, LanguageOptions {
  /** Maximum number of sentences in a batch. [32] */
  readonly batchSize?: number;
  /**
   * Maximum number of tokens of a text, with the end token. [the model's maximum length, which is also the
   * limit]
   */
  readonly maxLength?: number;
  /** Whether a longer text throws an error, is cut, or gets an empty translation. ['error'] */
  readonly longTexts?: 'error' | 'crop' | 'skip';
  /** Whether to replace an unknown word by the source word that it attends to most. [false] */
  readonly replaceUnknown?: boolean;
  /**
   * Whether to split texts into sentences, translate these and join the translations: for documents above the
   * maximum length. The sentences of all texts are sorted by length and decoded in batches. Gives one
   * translation per text, without attention. [false]
   */
  readonly splitSentences?: boolean;
  /**
   * Words or phrases that translations never contain: their tokens, at the start and inside of a sentence,
   * are excluded as by bad_words_ids of transformers. [none]
   */
  readonly badWords?: readonly string[];
  /**
   * Text with which every translation begins, or one for each text; '' for none. Its tokens count in
   * minNewTokens and maxNewTokens, but not in the score. Not with `splitSentences`. [none]
   */
  readonly prefix?: string | readonly string[];
}

/** A phrase with a place in the text. */
export interface PlacedPhrase {
  /** The phrase. */
  readonly text: string;
  /** Index of the first UTF-16 code unit of what it translates. */
  readonly start: number;
  /** Index after the last one. */
  readonly end: number;
  /** Whether it may get an ending, as that of the plural. [false] */
  readonly inflects?: boolean;
}

/** Options of `Model.generate`. */
export interface GenerateOptions extends TranslateOptions {
  /** Whether to return the cross-attention of each translation. [false] */
  readonly attention?: boolean;
  /** Whether to return which words of text and translation belong together, by their attention. [false] */
  readonly alignment?: boolean;
  /**
   * Receives each token of the best translations, one text after the other; only for greedy decoding and
   * sampling. `index`: index of the text.
   */
  readonly onPiece?: (piece: StreamedToken, index: number) => void;
  /**
   * For each text, phrases that its translation must contain, as written: terms of a glossary. A phrase with
   * a place in the text takes the place of the words that the model has for that. Texts with phrases are
   * decoded by beam search with at least 8 beams. Not with `splitSentences`, sampling or `onPiece`.
   */
  readonly phrases?: readonly (readonly (string | PlacedPhrase)[])[];
  /**
   * For models whose vocabulary has placeholders, characters of U+E000 to U+F7FF: for each text, which of its
   * placeholders keep their order; '' for none. Each placeholder of a text is exactly once in its
   * translation, and pairs (U+E800 + i, U+F000 + i) are nested. undefined for a text without these rules.
   * Decoded as texts with `phrases`.
   */
  readonly placeholders?: readonly (string | undefined)[];
  /** With `longTexts: 'skip'`: receives each text that is too long, or has a sentence that is. */
  readonly onLongText?: (text: LongText) => void;
}

/** A text that is too long for a call. */
export interface LongText {
  /** Index of the text. */
  readonly index: number;
  /** Number of its tokens, with the end token; of its longest sentence if sentences are translated. */
  readonly tokens: number;
  /** The maximum length of the call. */
  readonly limit: number;
}

/** Options of a translator, to which the languages of a call come as a tokenizer and decoding options. */
export type TextOptions = Omit<GenerateOptions, keyof LanguageOptions>;

/** A translation of a text. */
export interface Translation extends Hypothesis {
  /** The translation. */
  readonly text: string;
}

/** A translation of a text, with token ids, log-probability and score. */
export interface Generation extends Translation {
  /** Cross-attention, if `attention` asks for it. */
  readonly attention?: Attention;
  /** With `alignment`: pairs of words, from 0, between spaces; one for each word of the translation. */
  readonly alignment?: WordLinks;
}

/**
 * One token of a translation while it is decoded, or the end token if it completes text that was held back.
 */
export interface StreamedToken {
  /** Id of the token. */
  readonly id: number;
  /** Text that the token adds; concatenated, these are the translation. */
  readonly text: string;
}
