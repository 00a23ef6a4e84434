// Differences of two texts, word by word.

/** A segment of a text, and whether the other text has it too. */
export interface TextSegment {
  /** Its text. */
  readonly text: string;
  /** Whether both texts have it. */
  readonly same: boolean;
}

/** Maximum number of words to compare. */
const longest = 200;

/** Splits a text into words with the spaces after them; a punctuation mark is a word. */
const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{M}\p{N}]+\s*|[^\p{L}\p{M}\p{N}]\s*/gu) ?? [];

/**
 * Splits two texts into segments of words that both have (the longest common subsequence, ignoring case and
 * spaces) and words that only one has. Texts of more than 200 words are one segment each.
 *
 * @example
 * wordDifferences('a cat sat', 'a dog sat').a; // [{ text: 'a ', same: true }, { text: 'cat ', same: false }, ...]
 */
export function wordDifferences(a: string, b: string): { a: TextSegment[]; b: TextSegment[] } {
  const [as, bs] = [wordsOf(a), wordsOf(b)];
  if (as.length > longest || bs.length > longest)
    return { a: [{ text: a, same: a === b }], b: [{ text: b, same: a === b }] };
  const keys = (words: readonly string[]) => words.map((word) => word.trim().toLowerCase());
  const [ak, bk] = [keys(as), keys(bs)];
  // common[i][j]: length of the longest common subsequence of the words from i and from j on.
  const common = Array.from({ length: as.length + 1 }, () => new Uint16Array(bs.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = as.length - 1; i >= 0; i--)
    for (let j = bs.length - 1; j >= 0; j--)
      (common[i] as Uint16Array)[j] =
        ak[i] === bk[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const [sameA, sameB] = [as.map(() => false), bs.map(() => false)];
  for (let i = 0, j = 0; i < as.length && j < bs.length; ) {
    if (ak[i] === bk[j]) {
      sameA[i++] = true;
      sameB[j++] = true;
    } else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return { a: segments(as, sameA), b: segments(bs, sameB) };
}

function segments(words: readonly string[], same: readonly boolean[]): TextSegment[] {
  const out: { text: string; same: boolean }[] = [];
  for (const [i, word] of words.entries()) {
    const last = out.at(-1);
    if (last && last.same === same[i]) last.text += word;
    else out.push({ text: word, same: same[i] as boolean });
  }
  return out;
}
