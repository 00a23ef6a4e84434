// Counting the pieces of a corpus, which is all that a vocabulary is made from.
import { cutter, normalizer, type Rules } from './normalization.ts';

/** How often each piece occurs in the texts, in order of first occurrence. Words are cut once however often they occur. */
export function countPieces(texts: Iterable<string>, rules: Rules): Map<string, number> {
  const normalize = normalizer(rules);
  const cut = cutter(rules);
  const words = new Map<string, number>();
  for (const text of texts) {
    const normal = normalize(text);
    if (normal === '') continue;
    for (const word of normal.split(' ')) words.set(word, (words.get(word) ?? 0) + 1);
  }
  const pieces = new Map<string, number>();
  for (const [word, count] of words) for (const piece of cut(word)) pieces.set(piece, (pieces.get(piece) ?? 0) + count);
  return pieces;
}

/** Keys by falling count, ties in code-point order. */
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
