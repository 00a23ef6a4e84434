// Sentence pairs: text normalization, fingerprints, and the split into training, dev and test sets.
import { check } from '../../core/errors.ts';
import { runSteps, type Steps } from '../../core/steps.ts';

/** One sentence and its translation. */
export interface Pair {
  readonly source: string;
  readonly target: string;
  /** Additional references for evaluation. */
  readonly others?: readonly string[];
}

/** Training, dev and test sets without a common source sentence. */
export interface Split<P extends Pair = Pair> {
  readonly train: P[];
  readonly dev: P[];
  readonly test: P[];
}

/**
 * Throws a HeddleError that names the first pair without the texts `source` and `target`; `name` is the name of the
 * list in it.
 */
export function checkPairs(pairs: readonly Pair[], name: string): void {
  check(Array.isArray(pairs), () => `${name} must be a list of { source, target }`);
  const bad = pairs.findIndex((pair) => typeof pair?.source !== 'string' || typeof pair.target !== 'string');
  check(bad < 0, () => `${name}[${bad}] must be { source, target }, two texts`);
}

/** Unicode whitespace and the byte-order mark. */
const blanks = /[\p{White_Space}\u{feff}]+/gu;
/** Zero-width space and direction marks. */
const invisible = /[\u{200b}\u{200e}\u{200f}\u{61c}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu;

/** Normalizes text: NFC, every run of whitespace as one space, trimmed, without direction marks. */
export const normalizeText = (text: string): string =>
  text.normalize('NFC').replace(invisible, '').replace(blanks, ' ').trim();

/**
 * Replaces each line break by a space, for output with one text per line; byte-level models can generate line breaks.
 */
export const toSingleLine = (text: string): string => text.replace(/[\n\v\f\r\u0085\u2028\u2029]/g, ' ');

/** Key of a source sentence: normalized and lowercased, so that spacing and case do not make a different sentence. */
export const pairKey = (text: string): string => normalizeText(text).toLowerCase();

/**
 * At most `max` items at even distances, in order, starting with the first. Corpora are often sorted, so the first N
 * are not a sample.
 */
export function sampleEvenly<T>(items: readonly T[], max: number): readonly T[] {
  if (items.length <= max) return items;
  return Array.from({ length: max }, (_, i) => items[Math.floor((i * items.length) / max)] as T);
}

/** A 32-bit hash of a text: FNV-1a over its UTF-16 units with MurmurHash3's finalizer. */
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

/** Fingerprint of a corpus: number of pairs and a hash of them in order, 8 hexadecimal digits. */
export interface Fingerprint {
  readonly pairs: number;
  readonly hash: string;
}

/** Computes the fingerprint of a corpus. It detects changed files; it is not cryptographic. */
export const fingerprint = (pairs: readonly Pair[]): Fingerprint => runSteps(fingerprintSteps(pairs));

/** `fingerprint` in steps. */
export function* fingerprintSteps(pairs: readonly Pair[]): Steps<Fingerprint> {
  let hash = 0;
  for (const [i, { source, target }] of pairs.entries()) {
    if (i % 1000 === 0) yield { task: 'hash', done: i, of: pairs.length };
    hash = hashText(`${hash}\t${source}\t${target}`);
  }
  return { pairs: pairs.length, hash: hash.toString(16).padStart(8, '0') };
}

/**
 * Splits pairs by a hash of `pairKey(source)`, so that a sentence is in the same set in every corpus. `dev` and `test`
 * are fractions of the source sentences (default 0); the rest is `train`. Order is kept. Throws a HeddleError for
 * invalid fractions.
 *
 * @example
 * const { train, dev, test } = splitPairs(pairs, { dev: 0.05, test: 0.05 });
 */
export const splitPairs = <P extends Pair>(pairs: readonly P[], parts: { dev?: number; test?: number }): Split<P> =>
  runSteps(splitSteps(pairs, parts));

/** `splitPairs` in steps. */
export function* splitSteps<P extends Pair>(
  pairs: readonly P[],
  parts: { dev?: number; test?: number },
): Steps<Split<P>> {
  const { dev = 0, test = 0 } = parts;
  check(
    dev >= 0 && test >= 0 && dev + test < 1,
    `split: dev is ${dev} and test is ${test}; they are fractions of the pairs of at least 0, together below 1`,
  );
  const out: Split<P> = { train: [], dev: [], test: [] };
  for (const [i, pair] of pairs.entries()) {
    if (i % 1000 === 0) yield { task: 'split', done: i, of: pairs.length };
    const x = hashText(pairKey(pair.source)) / 2 ** 32;
    (x < dev ? out.dev : x < dev + test ? out.test : out.train).push(pair);
  }
  return out;
}
