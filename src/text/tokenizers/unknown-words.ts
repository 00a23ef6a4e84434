// Words of a text that a model cannot read: they have a token that is not in its vocabulary.
import type { Tokenizer } from './tokenizer.ts';

/** A part of a text, by the indices of its first character and the one after its last. */
export interface TextRange {
  /** Index of its first UTF-16 code unit. */
  readonly start: number;
  /** Index after its last one. */
  readonly end: number;
}

/** A word: letters, digits and marks, with hyphens and apostrophes inside; or an emoji. Punctuation is none. */
const wordPattern = /[\p{L}\p{N}\p{M}]+(?:['’.,-][\p{L}\p{N}\p{M}]+)*|\p{Extended_Pictographic}/gu;

/** Returns the words of a text whose ids have the unknown token, in order. */
export function unknownWords(tokenizer: Tokenizer, text: string): TextRange[] {
  const isUnknown = (part: string) => tokenizer.encode(part).includes(tokenizer.special.unknown);
  return [...text.matchAll(wordPattern)].flatMap(({ 0: word, index }) =>
    isUnknown(word) ? [{ start: index, end: index + word.length }] : [],
  );
}
