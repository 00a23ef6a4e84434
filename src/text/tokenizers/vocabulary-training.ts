// Trains word and character tokenizers: the most frequent words or characters get ids, all others are [UNK].
import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { Steps } from '../../core/steps.ts';
import { createTextNormalizer, splitWord, type TokenizerKind } from './normalization.ts';
import { createTokenizer, specialTokens, type Tokenizer } from './tokenizer.ts';

/** Options of a vocabulary to train. */
export interface VocabularyOptions {
  /** Maximum vocabulary size, with special tokens and characters. */
  readonly size: number;
  /** Whether to lowercase text. Default false. */
  readonly lowercase?: boolean;
  /** Words: whether to fill the vocabulary up to `size` with unused tokens. Default false. */
  readonly fill?: boolean;
}

/**
 * Trains a word tokenizer on counted words, in steps: the most frequent words, ties in code-point order.
 * Throws a HeddleError if `size` has no room for words.
 */
export function* wordSteps(counts: Counts, options: VocabularyOptions): Steps<Tokenizer> {
  const { size, lowercase = false, fill = false } = options;
  const room = size - specialTokens.length;
  check(
    room > 0,
    msg`size is ${size}, it must be above ${specialTokens.length}, the number of special tokens`,
    { area: 'words' },
  );
  const words = byFrequency(yield* pieceSteps(counts)).slice(0, room);
  // They never occur in text, since brackets are separate tokens.
  const unused = Array.from({ length: fill ? room - words.length : 0 }, (_, i) => `[unused${i}]`);
  return createTokenizer({ kind: 'word', lowercase, vocab: [...specialTokens, ...words, ...unused] });
}

/** How often each word or character occurs. */
export type Counts = ReadonlyMap<string, number>;

/** Counts parts of texts. */
export interface TextCounter {
  /** Counts the parts of a text. */
  add(text: string): void;
  /** The counts so far. */
  counts(): Map<string, number>;
}

/** Counts the normalized words of texts, or their characters for a character tokenizer. */
export function createCounter(kind: TokenizerKind, lowercase = false): TextCounter {
  const normalize = createTextNormalizer(lowercase);
  const counters = new Map<string, { n: number }>();
  return {
    counts: (): Map<string, number> => new Map(Array.from(counters, ([item, { n }]) => [item, n])),
    add(text: string): void {
      const normal = normalize(text);
      if (normal === '') return;
      for (const item of kind === 'char' ? normal : normal.split(' ')) {
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
export function* pieceSteps(words: Counts): Steps<Map<string, number>> {
  const pieces = new Map<string, number>();
  let done = 0;
  for (const [word, count] of words) {
    if (done++ % 5000 === 0) yield { task: 'split words', done, total: words.size };
    for (const piece of splitWord(word)) pieces.set(piece, (pieces.get(piece) ?? 0) + count);
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

/** Trains a character tokenizer on counted characters, in steps: the most frequent ones, up to `size`. */
export function* characterSteps(
  counts: Counts,
  { size, lowercase = false }: VocabularyOptions,
): Steps<Tokenizer> {
  yield { task: 'train tokenizer', done: 0, total: counts.size };
  const characters = byFrequency(counts).slice(0, Math.max(0, size - specialTokens.length));
  return createTokenizer({ kind: 'char', lowercase, vocab: [...specialTokens, ...characters] });
}
