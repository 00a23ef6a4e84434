// A corpus as token ids, flat in two arrays, ready to be cut into batches. Pairs over the length limit are left out and counted.
import { check } from '../../core/errors.ts';
import type { Pair } from '../corpus/pairs.ts';
import type { SpecialIds, Tokenizer } from '../tokenizers/tokenizer.ts';

/** Rows of ids of different lengths: row i is `ids[starts[i] .. starts[i + 1])`. */
export interface RaggedRows {
  readonly ids: Int32Array;
  readonly starts: Uint32Array; // [count + 1]
}

/** Encoded pairs. Source rows are as the encoder reads them; target rows have neither start nor end, but a place is kept for one. */
export interface EncodedCorpus {
  readonly count: number;
  readonly source: RaggedRows;
  readonly target: RaggedRows;
  /** Where each row's pair stands in the pairs that were given. */
  readonly pairIndex: Uint32Array; // [count]
  readonly sourceSpecial: SpecialIds;
  readonly targetSpecial: SpecialIds;
  /** Pairs left out because a side has more positions than allowed. */
  readonly tooLong: number;
  /** Pairs left out because a side has no token at all. */
  readonly empty: number;
  readonly limits: { readonly source: number; readonly target: number };
}

/** How pairs are encoded. */
export interface EncodeOptions {
  /** Positions a source may have, its end token included. */
  readonly maxSource: number;
  /** Positions a target may have, its start token (or, at the output, its end token) included. */
  readonly maxTarget: number;
  /** Whether a source ends with the end token; true unless given. */
  readonly sourceEnd?: boolean;
}

/** Encodes pairs, in order. */
export function encodePairs(
  pairs: readonly Pair[],
  source: Tokenizer,
  target: Tokenizer,
  options: EncodeOptions,
): EncodedCorpus {
  const { maxSource, maxTarget, sourceEnd = true } = options;
  check(maxSource >= 1 && maxTarget >= 1, `encode: limits of ${maxSource} and ${maxTarget} positions leave nothing`);
  const [sources, targets] = [growing(), growing()];
  const origin: number[] = [];
  let tooLong = 0;
  let empty = 0;
  for (const [i, pair] of pairs.entries()) {
    const s = source.encode(pair.source);
    const t = target.encode(pair.target);
    if (s.length === 0 || t.length === 0) {
      empty++;
      continue;
    }
    if (sourceEnd) s.push(source.special.end);
    if (s.length > maxSource || t.length + 1 > maxTarget) {
      tooLong++;
      continue;
    }
    sources.push(s);
    targets.push(t);
    origin.push(i);
  }
  return {
    count: origin.length,
    source: sources.rows(),
    target: targets.rows(),
    pairIndex: Uint32Array.from(origin),
    sourceSpecial: source.special,
    targetSpecial: target.special,
    tooLong,
    empty,
    limits: { source: maxSource, target: maxTarget },
  };
}

/** One line on the pairs that were left out, or nothing: `12 of 100 pairs left out: 10 longer than 64 source or 64 target tokens, ...`. */
export function describeLeftOut({ count, tooLong, empty, limits }: EncodedCorpus): string {
  const reasons = [
    ...(tooLong > 0 ? [`${tooLong} longer than ${limits.source} source or ${limits.target} target tokens`] : []),
    ...(empty > 0 ? [`${empty} without a token on one side`] : []),
  ];
  if (reasons.length === 0) return '';
  return `${tooLong + empty} of ${count + tooLong + empty} pairs left out: ${reasons.join(', ')}`;
}

/** Positions of a row as the encoder (`source`) or the decoder (`target`, one more than its tokens) sees it. */
export const sourceLength = ({ source: { starts } }: EncodedCorpus, row: number): number =>
  (starts[row + 1] as number) - (starts[row] as number);
/** See `sourceLength`. */
export const targetLength = ({ target: { starts } }: EncodedCorpus, row: number): number =>
  (starts[row + 1] as number) - (starts[row] as number) + 1;

/** Rows being collected in an array that doubles when full. */
function growing() {
  let ids = new Int32Array(1024);
  let used = 0;
  const starts = [0];
  return {
    push(row: readonly number[]) {
      if (used + row.length > ids.length) {
        const larger = new Int32Array(Math.max(2 * ids.length, used + row.length));
        larger.set(ids);
        ids = larger;
      }
      ids.set(row, used);
      used += row.length;
      starts.push(used);
    },
    rows: (): RaggedRows => ({ ids: ids.slice(0, used), starts: Uint32Array.from(starts) }),
  };
}
