// Training of word and character vocabularies: the most frequent words or characters; all others are [UNK].
import { check } from '../../core/errors.ts';
import { runSteps, type Steps } from '../../core/steps.ts';
import { createPreTokenizer, createTextNormalizer, type TextRules } from './normalization.ts';
import { createTokenizer, specialTokens, type Tokenizer } from './tokenizer.ts';

/** Options of `trainWords`. */
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

/**
 * Trains a word tokenizer: the most frequent words, ties in code-point order. Throws a HeddleError if `size` has no
 * room for words.
 *
 * @example
 * const tokenizer = trainWords(pairs.map((pair) => pair.target), { size: 15_000 });
 * tokenizer.encode('I am here.');
 */
export const trainWords = (texts: Iterable<string>, options: WordOptions): Tokenizer =>
  runSteps(wordSteps(texts, options));

/** `trainWords` in steps. */
export function* wordSteps(texts: Iterable<string>, options: WordOptions): Steps<Tokenizer> {
  const { size, lowercase = false, punctuation = 'apart', digits = 2, fill = false } = options;
  const room = size - specialTokens.length;
  check(room > 0, `words: size is ${size}, it must be above ${specialTokens.length}, the number of special tokens`);
  const rules: TextRules = { lowercase, pieces: punctuation, digits };
  const words = byFrequency(yield* countingSteps(texts, rules)).slice(0, room);
  // They never occur in text: brackets are tokens of their own, or deleted.
  const unused = Array.from({ length: fill ? room - words.length : 0 }, (_, i) => `[unused${i}]`);
  return createTokenizer({ kind: 'word', rules, vocab: [...specialTokens, ...words, ...unused] });
}

/**
 * Counts the pieces of texts after normalization and pre-tokenization, in order of first occurrence. Each word is split
 * once.
 */
export function* countingSteps(texts: Iterable<string>, rules: TextRules): Steps<Map<string, number>> {
  const normalize = createTextNormalizer(rules);
  const split = createPreTokenizer(rules);
  const words = new Map<string, number>();
  for (const [i, text] of numbered(texts)) {
    if (i % 500 === 0) yield { task: 'count', done: i, of: lengthOf(texts) };
    const normal = normalize(text);
    if (normal === '') continue;
    for (const word of normal.split(' ')) words.set(word, (words.get(word) ?? 0) + 1);
  }
  const pieces = new Map<string, number>();
  for (const [i, [word, count]] of numbered(words)) {
    if (i % 5000 === 0) yield { task: 'split words', done: i, of: words.size };
    for (const piece of split(word)) pieces.set(piece, (pieces.get(piece) ?? 0) + count);
  }
  return pieces;
}

/** Items with their numbers, from 0. */
export function* numbered<T>(items: Iterable<T>): Generator<[number, T], void, void> {
  let i = 0;
  for (const item of items) yield [i++, item];
}

const lengthOf = (texts: Iterable<string>): number => (Array.isArray(texts) ? texts.length : 0);

/** Keys by descending count, ties in code-point order. */
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

/**
 * Trains a character tokenizer: all characters of the texts, or the most frequent ones if `size` is given. `lowercase`
 * defaults to false.
 *
 * @example
 * const tokenizer = trainCharacters(['abc', 'def']);
 */
export const trainCharacters = (
  texts: Iterable<string>,
  options: { size?: number; lowercase?: boolean } = {},
): Tokenizer => runSteps(characterSteps(texts, options));

/** `trainCharacters` in steps. */
export function* characterSteps(
  texts: Iterable<string>,
  options: { size?: number; lowercase?: boolean } = {},
): Steps<Tokenizer> {
  const { size = Number.POSITIVE_INFINITY, lowercase = false } = options;
  const rules: TextRules = { lowercase, pieces: 'none', digits: 1 };
  const normalize = createTextNormalizer(rules);
  const counts = new Map<string, number>();
  for (const [i, text] of numbered(texts)) {
    if (i % 500 === 0) yield { task: 'count', done: i, of: lengthOf(texts) };
    for (const char of normalize(text)) counts.set(char, (counts.get(char) ?? 0) + 1);
  }
  const characters = byFrequency(counts).slice(0, Math.max(0, size - specialTokens.length));
  return createTokenizer({ kind: 'char', rules, vocab: [...specialTokens, ...characters] });
}
