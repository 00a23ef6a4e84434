// How a vocabulary is made, in small: byte pair encoding (Sennrich et al., 2016) of a few words, one merge at a time. For
// the page Learn; src/text/tokenizers/bpe-training.ts is the one of the library.

/** A merge: the two pieces, and how often they were neighbours. */
export interface Merge {
  readonly left: string;
  readonly right: string;
  readonly count: number;
}

/** The letters of a word; the first one has the space before it. */
const lettersOf = (word: string): string[] => [...word].map((letter, i) => (i === 0 ? `␣${letter}` : letter));

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{M}]+|[^\s\p{L}\p{M}]/gu) ?? [];

/** A list of pieces with each neighbouring pair of a merge joined. */
function merged(pieces: readonly string[], { left, right }: Pick<Merge, 'left' | 'right'>): string[] {
  const out: string[] = [];
  for (let i = 0; i < pieces.length; i++) {
    if (pieces[i] === left && pieces[i + 1] === right) out.push(left + (pieces[++i] as string));
    else out.push(pieces[i] as string);
  }
  return out;
}

/** The merges of a text: each joins the most frequent pair of neighbours; at most `count`, and no pair that is there once. */
export function mergesOf(text: string, count: number): Merge[] {
  const words = new Map<string, { pieces: string[]; count: number }>();
  for (const word of wordsOf(text)) {
    const known = words.get(word);
    if (known) known.count++;
    else words.set(word, { pieces: lettersOf(word), count: 1 });
  }
  const merges: Merge[] = [];
  while (merges.length < count) {
    const pairs = new Map<string, Merge>();
    for (const { pieces, count: times } of words.values())
      for (const [i, right] of pieces.slice(1).entries()) {
        const left = pieces[i] as string;
        const key = `${left} ${right}`;
        pairs.set(key, { left, right, count: (pairs.get(key)?.count ?? 0) + times });
      }
    const best = [...pairs.values()].reduce<Merge | undefined>(
      (most, pair) => (most && most.count >= pair.count ? most : pair),
      undefined,
    );
    if (!best || best.count < 2) break;
    merges.push(best);
    for (const word of words.values()) word.pieces = merged(word.pieces, best);
  }
  return merges;
}

/** The pieces of a text under some merges. */
export const piecesOf = (text: string, merges: readonly Merge[]): string[] =>
  wordsOf(text).flatMap((word) =>
    merges.reduce<string[]>((pieces, merge) => merged(pieces, merge), lettersOf(word)),
  );
