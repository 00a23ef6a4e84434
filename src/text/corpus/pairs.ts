// Sentence pairs, and their split into training, development and test parts by the source side alone.
import { check } from '../../core/errors.ts';

/** One sentence and its translation. */
export interface Pair {
  readonly source: string;
  readonly target: string;
  /** Further references to judge a translation by, beside the target. */
  readonly others?: readonly string[];
}

/** Three parts with no source sentence in common. */
export interface Split<P extends Pair = Pair> {
  readonly train: P[];
  readonly dev: P[];
  readonly test: P[];
}

/** Everything that a reader sees as a space, the byte-order mark, and the invisible direction marks. */
const blanks = /[\p{White_Space}\u{feff}]+/gu;
const marks = /[\u{200b}\u{200e}\u{200f}\u{61c}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu;

/** Text in NFC with every run of spaces (no-break and narrow ones too) as one space, none at the ends, no direction marks. */
export const normalizeText = (text: string): string =>
  text.normalize('NFC').replace(marks, '').replace(blanks, ' ').trim();

/** What makes two source sentences the same one: tidy and in lower case, so that other spacing or case is not another sentence. */
export const pairKey = (text: string): string => normalizeText(text).toLowerCase();

/** At most so many of some items, evenly from the first on and in their order: files are often sorted, by length for one. */
export function sampleEvenly<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)] as T);
}

/** A 32-bit hash of a text (FNV-1a over its UTF-16 units, then MurmurHash3's avalanche). */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    h = Math.imul(h ^ (unit & 0xff), 0x01000193);
    h = Math.imul(h ^ (unit >>> 8), 0x01000193);
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** What tells pairs from others: how many there are, and a hash of all of them in their order, 8 hexadecimal digits. */
export interface Fingerprint {
  readonly pairs: number;
  readonly hash: string;
}

/** The fingerprint of pairs; it finds files that have changed, not forged ones. */
export function fingerprint(pairs: readonly Pair[]): Fingerprint {
  let hash = 0;
  for (const { source, target } of pairs) hash = hashText(`${hash}\t${source}\t${target}`);
  return { pairs: pairs.length, hash: hash.toString(16).padStart(8, '0') };
}

/**
 * Splits pairs by a hash of `pairKey(source)`: `dev` and `test` are the fractions of all source sentences that go there, the rest
 * is `train`. A sentence is always on the same side, whatever else the corpus holds; order is kept within each part.
 */
export function splitPairs<P extends Pair>(pairs: readonly P[], parts: { dev?: number; test?: number }): Split<P> {
  const { dev = 0, test = 0 } = parts;
  check(
    dev >= 0 && test >= 0 && dev + test < 1,
    `split: dev ${dev} and test ${test} are fractions of the pairs; both must be at least 0, together less than 1`,
  );
  const out: Split<P> = { train: [], dev: [], test: [] };
  for (const pair of pairs) {
    const x = hashText(pairKey(pair.source)) / 2 ** 32;
    (x < dev ? out.dev : x < dev + test ? out.test : out.train).push(pair);
  }
  return out;
}

/** The text with a space for each line break, which models of bytes can write. */
export const toSingleLine = (text: string): string => text.replace(/[\n\v\f\r\u0085\u2028\u2029]/g, ' ');
