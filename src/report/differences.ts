// Word differences of a translation and its reference, by their longest common subsequence.

/** A segment of a text, and whether the other text has it too. */
export interface Stretch {
  readonly text: string;
  readonly same: boolean;
}

/** Maximum number of words; longer texts are different as a whole. */
const longest = 200;

/** Splits a text into words with the space after them; punctuation marks are words. */
const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{M}\p{N}]+\s*|[^\p{L}\p{M}\p{N}]\s*/gu) ?? [];

/** Splits both texts into segments that are equal (ignoring case and spaces) or differ. */
export function differences(a: string, b: string): { a: Stretch[]; b: Stretch[] } {
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
      (common[i] as Uint16Array)[j] = ak[i] === bk[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const [sameA, sameB] = [as.map(() => false), bs.map(() => false)];
  for (let i = 0, j = 0; i < as.length && j < bs.length; ) {
    if (ak[i] === bk[j]) {
      sameA[i++] = true;
      sameB[j++] = true;
    } else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return { a: stretches(as, sameA), b: stretches(bs, sameB) };
}

function stretches(words: readonly string[], same: readonly boolean[]): Stretch[] {
  const out: { text: string; same: boolean }[] = [];
  for (const [i, word] of words.entries()) {
    const last = out.at(-1);
    if (last && last.same === same[i]) last.text += word;
    else out.push({ text: word, same: same[i] as boolean });
  }
  return out;
}
