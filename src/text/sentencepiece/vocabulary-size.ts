// The vocabulary size of a unigram tokenizer by the size of its corpus: small corpora cannot teach a model many pieces.

/** Sizes, after Mozilla's pipeline: up to this number of pairs, this number of pieces. */
export const vocabularySizes: readonly (readonly [maxPairs: number, size: number])[] = [
  [30_000, 1000],
  [200_000, 4000],
  [1_000_000, 8000],
  [3_000_000, 16_000],
  [Number.POSITIVE_INFINITY, 32_000],
];

/** The size for a number of pairs. */
export const vocabularySize = (pairs: number): number =>
  (vocabularySizes.find(([max]) => pairs <= max) as readonly [number, number])[1];
