// The words of a text that a model is not sure of: those with a token of low probability.

/** A token of a text with its log-probability. */
export interface ScoredToken {
  readonly token: string;
  readonly logProb: number;
}

/** A token with a lower probability is doubtful. */
const leastSure = 0.2;

/** Maximum number of characters between two tokens in a text; a token that is farther away is not the same one. */
const maxGap = 8;

/** Ranges of the doubtful words of a text, in order. `tokens` are those of the text, the end token last. */
export function doubtfulWords(
  text: string,
  tokens: readonly ScoredToken[],
  least = leastSure,
): (readonly [number, number])[] {
  const words = [...text.matchAll(/[\p{L}\p{N}\p{M}]+(?:['’-][\p{L}\p{N}\p{M}]+)*/gu)].map(
    ({ index, 0: word }) => [index, index + word.length] as const,
  );
  const found = new Set<readonly [number, number]>();
  const lower = text.toLowerCase();
  let at = 0;
  for (const { token, logProb } of tokens) {
    const piece = token.replaceAll('▁', ' ').replaceAll('␣', ' ').trim().toLowerCase();
    const start = piece === '' ? -1 : lower.indexOf(piece, at);
    if (start < 0 || start > at + piece.length + maxGap) continue;
    at = start + piece.length;
    if (logProb >= Math.log(least)) continue;
    const word = words.find(([from, to]) => from < at && to > start);
    if (word) found.add(word);
  }
  return [...found];
}
