// The words of a text that its tokens belong to, by their characters.

import { SPACE_MARK } from './normalization.ts';
import type { Tokenizer } from './tokenizer.ts';

/** The words of a text, between ASCII spaces as in fast_align: a no-break space does not end a word. */
export const wordsOf = (text: string): string[] => text.split(/[ \t\n\v\f\r]+/).filter((word) => word !== '');

const withoutSpaces = (text: string): string => text.replaceAll(SPACE_MARK, ' ').replace(/\s+/gu, '');

/**
 * The word of each token, by the characters that are not spaces: the tokens of a text have the same ones as its words,
 * except for characters that its tokenizer changes, such as unknown ones. `pieces`: the texts of the tokens.
 */
export function wordsOfTokens(pieces: readonly string[], words: readonly string[]): number[] {
  const ends: number[] = [];
  for (const word of words) ends.push((ends.at(-1) ?? 0) + withoutSpaces(word).length);
  const total = pieces.reduce((n, piece) => n + withoutSpaces(piece).length, 0);
  const scale = total === 0 ? 1 : (ends.at(-1) ?? 0) / total;
  let at = 0;
  return pieces.map((piece) => {
    const { length } = withoutSpaces(piece);
    const middle = (at + length / 2) * scale;
    at += length;
    const word = ends.findIndex((end) => middle < end);
    return word < 0 ? Math.max(0, words.length - 1) : word;
  });
}

/** The text that each token adds to those before it. */
export function addedTexts(tokenizer: Tokenizer, ids: readonly number[]): string[] {
  let before = 0;
  return ids.map((_, i) => {
    const text = withoutSpaces(tokenizer.decode(ids.slice(0, i + 1)));
    const added = text.slice(before);
    before = Math.max(before, text.length);
    return added;
  });
}

/** The texts of the tokens `ids` of a text: its pieces if the tokenizer has them, which unknown tokens have too. */
export const textsOfTokens = (tokenizer: Tokenizer, text: string, ids: readonly number[]): string[] =>
  (tokenizer.pieces?.(text) ?? addedTexts(tokenizer, ids)).slice(0, ids.length);
