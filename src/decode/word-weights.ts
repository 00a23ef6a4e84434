// From tokens to words, for pages that translate: which tokens make up each word of a text, the attention between words,
// and the words that the model is not sure of.

import type { Attention } from './alignment.ts';
import type { Generation } from './text-options.ts';

/** A part of a text: from `start` up to `end`, in UTF-16 units. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A word of a translation that the model is not sure of. */
export interface Doubt {
  /** Index of the word among the words of the translation. */
  readonly word: number;
  /** Its probability: the product of those of its tokens. */
  readonly probability: number;
}

/**
 * When a word is doubtful: its probability is below `base` / √p, where p is the probability of the whole translation, and
 * below `most`.
 */
export interface DoubtLimits {
  readonly base: number;
  readonly most: number;
}

/** Calibrated for the small model: see "The models of the page Translate" in docs/models.md. */
const usualLimits: DoubtLimits = { base: 0.042, most: 0.35 };

/** What is between white space. */
export const wordRanges = (text: string): Range[] =>
  [...text.matchAll(/\S+/g)].map(({ index, 0: word }) => ({ start: index, end: index + word.length }));

/** A token without the marks of spaces. */
const bare = (token: string): string => token.replace(/[▁␣\s]/g, '');

/** For each token the index of its word in a text; -1 for special tokens. Tokens are the text in order. */
export function wordsOfTokens(tokens: readonly string[], text: string): number[] {
  const ends: number[] = [];
  let letters = 0;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    letters += word.length;
    ends.push(letters);
  }
  let at = 0;
  return tokens.map((token) => {
    const own = bare(token);
    if (/^\[(?:start|end|pad|UNK)\]$/.test(token) || /^<\/?s>$/.test(token) || ends.length === 0) return -1;
    const middle = at + Math.max(0.5, own.length / 2);
    at += own.length;
    const found = ends.findIndex((end) => middle <= end);
    return found < 0 ? ends.length - 1 : found;
  });
}

/** Attention of the last layer between words, [target words][source words]: the mean of its heads. */
export function wordWeights(attention: Attention, source: string, target: string): number[][] {
  const { layers, heads, weights } = attention;
  const [S, T] = [attention.source.length, attention.target.length];
  const from = wordsOfTokens(attention.source, source);
  const to = wordsOfTokens(attention.target, target);
  const columns = wordRanges(source).length;
  const rows = wordRanges(target).map(() => new Array<number>(columns).fill(0));
  const counts = rows.map(() => 0);
  for (let t = 0; t < T; t++) {
    const row = rows[to[t] as number];
    if (!row) continue;
    counts[to[t] as number] = (counts[to[t] as number] ?? 0) + 1;
    for (let h = 0; h < heads; h++)
      for (let s = 0; s < S; s++) {
        const column = from[s] as number;
        if (column < 0) continue;
        const weight = weights[(((layers - 1) * heads + h) * T + t) * S + s] as number;
        row[column] = (row[column] as number) + weight / heads;
      }
  }
  return rows.map((row, i) => row.map((weight) => weight / Math.max(1, counts[i] ?? 1)));
}

/** The words of a translation that the model is not sure of. */
export function doubtsOf(
  { text, logProb, logProbs = [], attention }: Generation,
  { base, most }: DoubtLimits = usualLimits,
): Doubt[] {
  const words = wordsOfTokens(attention?.target ?? [], text);
  const limit = Math.min(most, base / Math.exp(logProb / 2));
  const sums = new Map<number, number>();
  for (const [t, word] of words.entries()) {
    // The end token belongs to the last word: a translation that ends too early is doubtful there.
    const at = word < 0 ? Math.max(...words) : word;
    if (at >= 0) sums.set(at, (sums.get(at) ?? 0) + (logProbs[t] ?? 0));
  }
  return [...sums]
    .map(([word, sum]) => ({ word, probability: Math.exp(sum) }))
    .filter(({ probability }) => probability < limit);
}
