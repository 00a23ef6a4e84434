// Word-level vocabularies, as in the Keras English-to-Spanish example: lower case, punctuation apart or stripped, the most frequent
// words, and [UNK] for all others.
import { check } from '../../core/errors.ts';
import type { Rules } from './normalization.ts';
import { byFrequency, countPieces } from './piece-counts.ts';
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
  const rules: Rules = { lowercase, pieces: punctuation, digits };
  const words = byFrequency(countPieces(texts, rules)).slice(0, room);
  // No text has them: brackets are pieces of their own, or deleted.
  const unused = Array.from({ length: fill ? room - words.length : 0 }, (_, i) => `[unused${i}]`);
  return createTokenizer({ kind: 'word', rules, vocab: [...specialTokens, ...words, ...unused] });
}
