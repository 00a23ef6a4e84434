// Word-level vocabularies, as in the Keras English-to-Spanish example: lower case, punctuation apart or stripped, the most frequent
// words, and [UNK] for all others.
import { check } from '../../core/errors.ts';
import { createPreTokenizer, createTextNormalizer, type TextRules } from './normalization.ts';
import { createTokenizer, specialTokens, type Tokenizer } from './tokenizer.ts';

/** What `trainWords` makes. */
export interface WordOptions {
  /** Tokens in all, special ones included; fewer come where the text has fewer words, unless `fill` is set. */
  readonly size: number;
  /** Whether case is dropped; true unless given. */
  readonly lowercase?: boolean;
  /** Punctuation as tokens of its own (`apart`, unless given), or deleted as the Keras example does (`strip`). */
  readonly punctuation?: 'apart' | 'strip';
  /** How many digits at most are one word, where punctuation is apart; 2 unless given, so that numbers are never unknown. */
  readonly digits?: number;
  /** Whether unused tokens make up for missing words, so that a model has the sizes it is to have; false unless given. */
  readonly fill?: boolean;
}

/** A word-level tokenizer with the most frequent words of the texts, ties in code-point order. */
export function trainWords(texts: Iterable<string>, options: WordOptions): Tokenizer {
  const { size, lowercase = true, punctuation = 'apart', digits = 2, fill = false } = options;
  const room = size - specialTokens.length;
  check(room > 0, `words: a vocabulary of ${size} has no room beside the ${specialTokens.length} special tokens`);
  const rules: TextRules = { lowercase, pieces: punctuation, digits };
  const words = byFrequency(countPieces(texts, rules)).slice(0, room);
  // No text has them: brackets are pieces of their own, or deleted.
  const unused = Array.from({ length: fill ? room - words.length : 0 }, (_, i) => `[unused${i}]`);
  return createTokenizer({ kind: 'word', rules, vocab: [...specialTokens, ...words, ...unused] });
}

/** How often each piece occurs in the texts, in order of first occurrence. Words are cut once however often they occur. */
export function countPieces(texts: Iterable<string>, rules: TextRules): Map<string, number> {
  const normalize = createTextNormalizer(rules);
  const cut = createPreTokenizer(rules);
  const words = new Map<string, number>();
  for (const text of texts) {
    const normal = normalize(text);
    if (normal === '') continue;
    for (const word of normal.split(' ')) words.set(word, (words.get(word) ?? 0) + 1);
  }
  const pieces = new Map<string, number>();
  for (const [word, count] of words) for (const piece of cut(word)) pieces.set(piece, (pieces.get(piece) ?? 0) + count);
  return pieces;
}

/** Keys by falling count, ties in code-point order. */
export const byFrequency = (counts: ReadonlyMap<string, number>): string[] =>
  [...counts].sort(([a, m], [b, n]) => n - m || compare(a, b)).map(([key]) => key);

/** Compares strings by code points (JavaScript's own order is by UTF-16 units). */
function compare(a: string, b: string): number {
  const [x, y] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const d = (x[i] as string).codePointAt(0)! - (y[i] as string).codePointAt(0)!;
    if (d !== 0) return d;
  }
  return x.length - y.length;
}

/** A character-level tokenizer; with `size`, of the most frequent characters only. Case is kept unless `lowercase`. */
export function trainCharacters(
  texts: Iterable<string>,
  options: { size?: number; lowercase?: boolean } = {},
): Tokenizer {
  const { size = Number.POSITIVE_INFINITY, lowercase = false } = options;
  const rules: TextRules = { lowercase, pieces: 'none', digits: 1 };
  const normalize = createTextNormalizer(rules);
  const counts = new Map<string, number>();
  for (const text of texts) for (const char of normalize(text)) counts.set(char, (counts.get(char) ?? 0) + 1);
  const characters = byFrequency(counts).slice(0, Math.max(0, size - specialTokens.length));
  return createTokenizer({ kind: 'char', rules, vocab: [...specialTokens, ...characters] });
}
