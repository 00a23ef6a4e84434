// Sentence pairs: fingerprints, and the split into training, dev and test sets.
import { check } from '../../core/errors.ts';
import { checkNames } from '../../core/fields.ts';
import { msg } from '../../core/message.ts';
import { runSteps, type Steps } from '../../core/steps.ts';
import { normalizeText } from './normalize-text.ts';

/** One sentence and its translation. */
export interface Pair {
  /** The sentence to translate. */
  readonly source: string;
  /** Its translation. */
  readonly target: string;
  /** Additional references for evaluation. */
  readonly others?: readonly string[];
}

/** Training, dev and test sets without a common source sentence. */
export interface Split<P extends Pair = Pair> {
  /** Pairs to train on. */
  readonly train: P[];
  /** Pairs for evaluations during the training. */
  readonly dev: P[];
  /** Pairs for the evaluation at the end. */
  readonly test: P[];
}

/** A list of pairs, as an array is. */
export interface PairList extends Iterable<Pair> {
  readonly length: number;
  at(index: number): Pair | undefined;
}

/** Training, dev and test sets that may be packed. */
export type CorpusSplit = { readonly [part in keyof Split]: PairList };

const isTexts = (list: unknown): boolean =>
  Array.isArray(list) && list.every((text) => typeof text === 'string');

/**
 * Throws a HeddleError that names the first invalid pair of a list from a caller; `name`: the list's name in
 * it. `area`: what the error is about, such as the function.
 */
export function checkPairs(
  pairs: readonly Pair[],
  name: string,
  options: { readonly area?: string } = {},
): void {
  check(
    Array.isArray(pairs),
    () => msg`${name} must be a list of { source, target }; readPairs reads a file`,
    options,
  );
  const bad = pairs.findIndex(
    (pair) => !isTexts([pair?.source, pair?.target]) || !isTexts(pair.others ?? []),
  );
  check(
    bad < 0,
    () =>
      msg`${name}[${bad}] must be { source, target }, two texts; its field others must be a list of texts`,
    options,
  );
  const nul = pairs.findIndex((pair) => `${pair.source}${pair.target}${pair.others ?? ''}`.includes('\0'));
  check(nul < 0, () => msg`${name}[${nul}] has a NUL character; remove it`, options);
}

/**
 * Replaces each line break by a space, for output with one text per line; byte-level models can generate line
 * breaks.
 */
export const toSingleLine = (text: string): string => text.replace(/[\n\v\f\r\u0085\u2028\u2029]/g, ' ');

/** Replaces each line break and tab by a space, for a column of TSV. */
export const toColumn = (text: string): string => toSingleLine(text).replaceAll('\t', ' ');

/** Key of a source sentence: normalized and lowercased, so that spacing and case do not matter. */
export const pairKey = (text: string): string => normalizeText(text).toLowerCase();

/**
 * At most `max` items at even distances, in order, starting with the first. Corpora are often sorted, so the
 * first N are not a sample.
 */
export const sampleEvenly = <T>(
  items: { readonly length: number; at(index: number): T | undefined },
  max: number,
): readonly T[] =>
  Array.from({ length: Math.min(max, items.length) }, (_, i) =>
    items.at(Math.floor((i * items.length) / Math.min(max, items.length))),
  ) as T[];

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
export function fingerprint(pairs: readonly Pair[]): Fingerprint {
  const hash = createPairHash();
  hash.add(pairs);
  return hash.value();
}

/** Computes a fingerprint as pairs are added. */
export function createPairHash(): { add(pairs: Iterable<Pair>): void; value(): Fingerprint } {
  let [pairs, hash] = [0, 0];
  return {
    add(more) {
      for (const { source, target } of more) {
        hash = hashText(`${hash}\t${source}\t${target}`);
        pairs++;
      }
    },
    value: () => ({ pairs, hash: hash.toString(16).padStart(8, '0') }),
  };
}

/** Fractions of the source sentences that are held out. */
export interface HeldOut {
  /** Fraction that becomes dev pairs, 0 to 1. */
  readonly dev?: number;
  /** Fraction that becomes test pairs, 0 to 1. */
  readonly test?: number;
}

/**
 * The fractions that are held out of the training pairs: `heldOut` for dev, and `heldOut` for test. The
 * user's dev pairs replace both, the user's test pairs only that for test.
 */
export const heldOutParts = (
  heldOut: number,
  { dev, test }: { readonly dev?: unknown; readonly test?: unknown } = {},
): HeldOut => (dev ? {} : test ? { dev: heldOut } : { dev: heldOut, test: heldOut });

/**
 * Splits pairs by a hash of `pairKey(source)`, so that a sentence is in the same set in every corpus. `dev`
 * and `test` are fractions of the source sentences (default 0); the rest is `train`. Order is kept. Throws a
 * HeddleError for invalid fractions.
 *
 * @example
 * const { train, dev, test } = splitPairs(pairs, { dev: 0.05, test: 0.05 });
 */
export const splitPairs = <P extends Pair>(pairs: readonly P[], parts: HeldOut): Split<P> =>
  runSteps(splitPairsSteps(pairs, parts));

/** Splits pairs in steps, which report progress. See `splitPairs`. */
export function* splitPairsSteps<P extends Pair>(pairs: readonly P[], parts: HeldOut): Steps<Split<P>> {
  checkHeldOut(parts);
  const out: Split<P> = { train: [], dev: [], test: [] };
  for (const [i, pair] of pairs.entries()) {
    if (i % 1024 === 0) yield { task: 'split corpus', done: i, total: pairs.length };
    out[partOf(pair.source, parts)].push(pair);
  }
  return out;
}

/**
 * Splits pairs into train and dev: dev are the `share` of the source sentences with the smallest hashes of
 * `pairKey(source)`, at least one if the share is not 0. A single source sentence is in both. Throws a
 * HeddleError for an invalid share.
 */
export function splitDev<P extends Pair>(pairs: readonly P[], share: number): Split<P> {
  checkHeldOut({ dev: share });
  const keys = pairs.map(({ source }) => hashText(pairKey(source)));
  const sorted = [...new Set(keys)].sort((a, b) => a - b);
  const count = share > 0 ? Math.max(1, Math.round(share * sorted.length)) : 0;
  if (count > 0 && sorted.length === 1) return { train: [...pairs], dev: [...pairs], test: [] };
  const first = sorted[Math.min(count, sorted.length - 1)] ?? 0; // the smallest hash that is not dev
  const part = (isDev: boolean) => pairs.filter((_, i) => (keys[i] as number) < first === isDev);
  return { train: part(false), dev: part(true), test: [] };
}

/** The fields that say how pairs are written in a file. */
export const formatFields = ['format', 'sourceColumn', 'targetColumn', 'tags'];

/** Throws a HeddleError for invalid fractions. */
export function checkHeldOut({ dev = 0, test = 0, ...others }: HeldOut): void {
  checkNames({ area: 'split' }, ['dev', 'test'], Object.keys(others));
  check(
    dev >= 0 && test >= 0 && dev + test < 1,
    msg`dev is ${dev} and test is ${test}; they are fractions of the pairs of at least 0, together below 1`,
    { area: 'split' },
  );
}

/** The set that a source sentence is in, see `splitPairs`. */
function partOf(source: string, { dev = 0, test = 0 }: HeldOut): keyof Split {
  if (dev + test === 0) return 'train';
  const x = hashText(pairKey(source)) / 2 ** 32;
  return x < dev ? 'dev' : x < dev + test ? 'test' : 'train';
}
