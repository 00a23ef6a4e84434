// Trains word and character tokenizers: the most frequent words or characters get ids, all others are [UNK].
import { check } from '../../core/errors.ts';
import type { Steps } from '../../core/steps.ts';
import { createPreTokenizer, createTextNormalizer, type TextRules } from './normalization.ts';
import { createTokenizer, specialTokens, type Tokenizer } from './tokenizer.ts';

/** Options of `wordSteps`. */
export interface WordOptions {
  /** Maximum vocabulary size, with the special tokens. */
  readonly size: number;
  /** Whether to lowercase text. Default false. */
  readonly lowercase?: boolean;
  /** `apart` (default): punctuation marks are tokens. `strip`: they are deleted, as in the Keras example. */
  readonly punctuation?: 'apart' | 'strip';
  /** Maximum number of digits of one token if punctuation is `apart`. Default 2, so that numbers are never unknown. */
  readonly digits?: number;
  /** Whether to fill the vocabulary up to `size` with unused tokens. Default false. */
  readonly fill?: boolean;
}

/** The text rules of a word tokenizer. */
export const wordRules = ({
  lowercase = false,
  punctuation = 'apart',
  digits = 2,
}: Partial<WordOptions>): TextRules => ({
  lowercase,
  pieces: punctuation,
  digits,
});

/**
 * Trains a word tokenizer on counted words, in steps: the most frequent words, ties in code-point order. Throws a
 * HeddleError if `size` has no room for words.
 */
export function* wordSteps(counts: Counts, options: WordOptions): Steps<Tokenizer> {
  const { size, fill = false } = options;
  const room = size - specialTokens.length;
  check(room > 0, `words: size is ${size}, it must be above ${specialTokens.length}, the number of special tokens`);
  const rules = wordRules(options);
  const words = byFrequency(yield* pieceSteps(counts, rules)).slice(0, room);
  // They never occur in text: brackets are tokens of their own, or deleted.
  const unused = Array.from({ length: fill ? room - words.length : 0 }, (_, i) => `[unused${i}]`);
  return createTokenizer({ kind: 'word', rules, vocab: [...specialTokens, ...words, ...unused] });
}

/** How often each word or character occurs. */
export type Counts = ReadonlyMap<string, number>;

/** Counts the normalized words of texts, or their characters if the rules do not split text. */
export function createCounter(rules: TextRules): { add(text: string): void; counts(): Map<string, number> } {
  const normalize = createTextNormalizer(rules);
  const counters = new Map<string, { n: number }>();
  return {
    counts: () => new Map(Array.from(counters, ([item, { n }]) => [item, n])),
    add(text) {
      const normal = normalize(text);
      if (normal === '') return;
      for (const item of rules.pieces === 'none' ? normal : normal.split(' ')) {
        const counter = counters.get(item);
        if (counter) counter.n++;
        else counters.set(ownText(item), { n: 1 });
      }
    },
  };
}

/** A copy of a part of a text. Without it, V8 keeps the whole text in memory. */
export const ownText = (part: string): string => (part.length < 13 ? part : ` ${part}`.slice(1));

/** Counts the pieces of words after pre-tokenization. */
export function* pieceSteps(words: Counts, rules: TextRules): Steps<Map<string, number>> {
  const split = createPreTokenizer(rules);
  const pieces = new Map<string, number>();
  let done = 0;
  for (const [word, count] of words) {
    if (done++ % 5000 === 0) yield { task: 'split words', done, of: words.size };
    for (const piece of split(word)) pieces.set(piece, (pieces.get(piece) ?? 0) + count);
  }
  return pieces;
}

/** Keys by descending count, ties in code-point order. */
const byFrequency = (counts: Counts): string[] =>
  [...counts].sort(([a, m], [b, n]) => n - m || compare(a, b)).map(([key]) => key);

const codePoint = (character = ''): number => character.codePointAt(0) ?? -1;

/** Compares strings by code points (JavaScript's own order is by UTF-16 units). */
function compare(a: string, b: string): number {
  const [x, y] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const d = codePoint(x[i]) - codePoint(y[i]);
    if (d !== 0) return d;
  }
  return x.length - y.length;
}

/** The text rules of a character tokenizer. */
export const characterRules = ({ lowercase = false }: { lowercase?: boolean }): TextRules => ({
  lowercase,
  pieces: 'none',
  digits: 1,
});

/**
 * Trains a character tokenizer on counted characters, in steps: all of them, or the most frequent ones up to `size`.
 */
export function* characterSteps(
  counts: Counts,
  options: { size?: number; lowercase?: boolean } = {},
): Steps<Tokenizer> {
  const { size = Number.POSITIVE_INFINITY } = options;
  yield { task: 'train tokenizer', done: 0, of: counts.size };
  const characters = byFrequency(counts).slice(0, Math.max(0, size - specialTokens.length));
  return createTokenizer({ kind: 'char', rules: characterRules(options), vocab: [...specialTokens, ...characters] });
}
