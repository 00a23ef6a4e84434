// Encoded corpora with given lengths, for tests of buckets and batches.
import { type EncodedCorpus, encodePairs } from '../../src/text/batches/encoded-corpus.ts';
import { trainWords } from './tokenizers.ts';

const names = Array.from(
  { length: 50 },
  (_, i) => `w${String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26))}`,
);
const words = trainWords(names, { size: 100 });

/**
 * A corpus whose rows have these source and target positions (with the end token, at least 2), of varied
 * tokens.
 */
export function corpusOf(lengths: readonly (readonly [number, number])[]): EncodedCorpus {
  let next = 0;
  const text = (n: number) => Array.from({ length: n }, () => names[next++ % names.length]).join(' ');
  const pairs = lengths.map(([s, t]) => ({ source: text(s - 1), target: text(t - 1) }));
  return encodePairs(pairs, words, words, { maxSource: 5000, maxTarget: 5000 });
}

/** Tokens of the vocabularies of `corpusOf`. */
export const corpusVocab = words.size;
