// A corpus as token ids in flat arrays. Pairs above the length limits are omitted and counted.

import { check } from '../../core/errors.ts';
import { listed, type Message, msg, percentage } from '../../core/message.ts';
import type { TensorData } from '../../core/tensor.ts';
import type { Pair } from '../corpus/pairs.ts';
import type { SpecialIds, Tokenizer } from '../tokenizers/tokenizer.ts';

/** Token ids: 16 bits each if the vocabulary allows it. */
export type TokenIds = Uint16Array | Uint32Array;

/** Rows of ids of different lengths (ragged array): row i is `ids[starts[i] .. starts[i + 1])`. */
export interface RaggedRows {
  readonly ids: TokenIds;
  readonly starts: Uint32Array; // [count + 1]
}

/** A source of vectors in place of token ids. */
export interface VectorRow {
  /** The first vectors [n, width]. */
  readonly data: Float32Array;
  /** Number of vectors, at least n. */
  readonly length: number;
  /** Value of all numbers of the vectors from n on, such as those of silence. */
  readonly fill: number;
}

/** Sources that are vectors in place of token ids, which a guest brings. */
export interface SourceRows {
  /** Numbers in a vector. */
  readonly width: number;
  /** Vectors that the model joins to one position of the encoder. */
  readonly perPosition: number;
  readonly rows: readonly VectorRow[];
  /** Number of positions of the encoder for a source of this length. */
  positionsOf(length: number): number;
  /**
   * Writes the sources of rows into the inputs of a program with a batch of the shape, and their numbers of positions
   * into `srcLens`.
   */
  fill(inputs: Readonly<Record<string, TensorData | undefined>>, shape: SourceShape, rows: Uint32Array): void;
}

/** The source side of a batch shape. */
interface SourceShape {
  readonly batch: number;
  readonly source: number;
}

/** Encoded pairs. Source rows are as the encoder reads them; target rows have no start and end token. */
export interface EncodedCorpus {
  readonly count: number;
  /** Token ids; with `sourceRows` only the lengths of the rows, without ids. */
  readonly source: RaggedRows;
  /** The sources, if they are not token ids. */
  readonly sourceRows?: SourceRows;
  readonly target: RaggedRows;
  /** Index of each row's pair among the pairs that were encoded. */
  readonly pairIndex: Uint32Array; // [count]
  readonly sourceSpecial: SpecialIds;
  readonly targetSpecial: SpecialIds;
  /** Number of pairs omitted because a side is too long, and of pairs that were cut instead. */
  readonly tooLong: number;
  readonly truncated: number;
  /** Number of pairs omitted because a side has no tokens. */
  readonly empty: number;
  /** Number of unknown tokens ([UNK]) of each side. */
  readonly unknown: { readonly source: number; readonly target: number };
  readonly limits: { readonly source: number; readonly target: number };
}

/** Options of `encodePairs`. */
export interface EncodeOptions {
  /** Maximum number of source tokens, with the end token. */
  readonly maxSource: number;
  /** Maximum number of target tokens, with the start token (input) or the end token (labels). */
  readonly maxTarget: number;
  /** Whether to cut a side that is too long instead of omitting the pair. Default false. */
  readonly truncate?: boolean;
}

/** Encodes pairs, in order. Throws a HeddleError for limits below 1. */
export function encodePairs(
  pairs: readonly Pair[],
  source: Tokenizer,
  target: Tokenizer,
  options: EncodeOptions,
): EncodedCorpus {
  const { maxSource, maxTarget, truncate = false } = options;
  check(
    maxSource >= 1 && maxTarget >= 1,
    msg`limits of ${maxSource} and ${maxTarget} positions leave nothing`,
    { area: 'encode' },
  );
  const [sources, targets] = [growing(), growing()];
  const pairIndices: number[] = [];
  const unknown = { source: 0, target: 0 };
  let [tooLong, truncated] = [0, 0];
  let empty = 0;
  for (const [i, pair] of pairs.entries()) {
    const s = source.encode(pair.source);
    const t = target.encode(pair.target);
    if (s.length === 0 || t.length === 0) {
      empty++;
      continue;
    }
    if (s.length + 1 > maxSource || t.length + 1 > maxTarget) {
      if (!truncate || maxSource < 2 || maxTarget < 2) {
        tooLong++;
        continue;
      }
      truncated++;
      s.length = Math.min(s.length, maxSource - 1);
      t.length = Math.min(t.length, maxTarget - 1);
    }
    for (const id of s) if (id === source.special.unknown) unknown.source++;
    for (const id of t) if (id === target.special.unknown) unknown.target++;
    s.push(source.special.end);
    sources.push(s);
    targets.push(t);
    pairIndices.push(i);
  }
  return {
    count: pairIndices.length,
    source: sources.rows(source.size),
    target: targets.rows(target.size),
    pairIndex: Uint32Array.from(pairIndices),
    sourceSpecial: source.special,
    targetSpecial: target.special,
    tooLong,
    truncated,
    empty,
    unknown,
    limits: { source: maxSource, target: maxTarget },
  };
}

/**
 * A corpus with lower limits: rows that are longer are omitted, or cut with `truncate`. Sources that are not token ids
 * keep their lengths.
 */
export function shortened(corpus: EncodedCorpus, options: EncodeOptions): EncodedCorpus {
  const { maxSource, maxTarget, truncate = false } = options;
  const { limits } = corpus;
  if (corpus.sourceRows || (maxSource >= limits.source && maxTarget >= limits.target)) return corpus;
  const idsOf = ({ ids, starts }: RaggedRows, row: number): number[] =>
    Array.from(ids.subarray(starts[row], starts[row + 1]));
  const [sources, targets] = [growing(), growing()];
  const pairIndices: number[] = [];
  let [tooLong, truncated] = [corpus.tooLong, corpus.truncated];
  for (let row = 0; row < corpus.count; row++) {
    const s = idsOf(corpus.source, row);
    const t = idsOf(corpus.target, row);
    if (s.length > maxSource || t.length + 1 > maxTarget) {
      if (!truncate || maxSource < 2 || maxTarget < 2) {
        tooLong++;
        continue;
      }
      truncated++;
      if (s.length > maxSource) s.splice(maxSource - 1, s.length, s.at(-1) as number);
      t.length = Math.min(t.length, maxTarget - 1);
    }
    sources.push(s);
    targets.push(t);
    pairIndices.push(corpus.pairIndex[row] as number);
  }
  return {
    ...corpus,
    count: pairIndices.length,
    source: sources.rows(corpus.source.ids instanceof Uint16Array ? 1 : 2 ** 17),
    target: targets.rows(corpus.target.ids instanceof Uint16Array ? 1 : 2 ** 17),
    pairIndex: Uint32Array.from(pairIndices),
    tooLong,
    truncated,
    limits: { source: maxSource, target: maxTarget },
  };
}

/** Joins at least one corpus, of consecutive pairs and encoded by the same tokenizers. */
export function joinEncoded(parts: readonly EncodedCorpus[]): EncodedCorpus {
  const [first] = parts as [EncodedCorpus];
  const sum = (count: (part: EncodedCorpus) => number) => parts.reduce((n, part) => n + count(part), 0);
  const count = sum((part) => part.count);
  const side = (name: 'source' | 'target'): RaggedRows => {
    const length = sum((part) => part[name].ids.length);
    const ids = first[name].ids instanceof Uint16Array ? new Uint16Array(length) : new Uint32Array(length);
    const starts = new Uint32Array(count + 1);
    let [at, row] = [0, 0];
    for (const { [name]: rows, count: n } of parts) {
      ids.set(rows.ids, at);
      for (let i = 1; i <= n; i++) starts[row + i] = at + (rows.starts[i] as number);
      at += rows.ids.length;
      row += n;
    }
    return { ids, starts };
  };
  const pairIndex = new Uint32Array(count);
  let [row, pairs] = [0, 0];
  for (const part of parts) {
    for (const index of part.pairIndex) pairIndex[row++] = pairs + index;
    pairs += part.count + part.tooLong + part.empty;
  }
  return {
    ...first,
    count,
    source: side('source'),
    target: side('target'),
    pairIndex,
    tooLong: sum((part) => part.tooLong),
    truncated: sum((part) => part.truncated),
    empty: sum((part) => part.empty),
    unknown: { source: sum(({ unknown }) => unknown.source), target: sum(({ unknown }) => unknown.target) },
  };
}

/**
 * Describes the pairs that were omitted or truncated: `12 of 100 pairs skipped: 10 longer than 64 source or
 * 64 target tokens, ...`; undefined if there are none.
 */
export function describeSkipped(corpus: EncodedCorpus): Message | undefined {
  const { count, tooLong, truncated, empty, limits } = corpus;
  if (truncated > 0) {
    const cut = msg`${truncated} of ${count} pairs cut to ${limits.source} source or ${limits.target} target tokens`;
    return empty > 0 ? msg`${cut}; ${empty} without a token on one side left out` : cut;
  }
  const reasons: Message[] = [];
  if (tooLong > 0)
    reasons.push(msg`${tooLong} longer than ${limits.source} source or ${limits.target} target tokens`);
  if (empty > 0) reasons.push(msg`${empty} without a token on one side`);
  if (reasons.length === 0) return undefined;
  return msg`${tooLong + empty} of ${count + tooLong + empty} pairs skipped: ${listed(reasons)}`;
}

/** Fraction of unknown tokens of a side above which the user gets a warning. */
const maxUnknown = 0.02;

/**
 * Describes the unknown tokens of a corpus: `unknown tokens: 0.4 % of the source, 2.1 % of the target`.
 * `tooMany`: whether a side has more than 2 %.
 */
export function describeUnknown(corpus: EncodedCorpus): {
  readonly text: Message;
  readonly tooMany: boolean;
} {
  const { source, target } = unknownShares(corpus);
  return {
    text: msg`unknown tokens: ${percentage(source)} of the source, ${percentage(target)} of the target`,
    tooMany: Math.max(source, target) > maxUnknown,
  };
}

/** Returns the fractions of unknown tokens of both sides, without the end tokens of the source. */
export const unknownShares = ({
  unknown,
  source,
  target,
  count,
  sourceRows,
}: EncodedCorpus): EncodedCorpus['unknown'] => ({
  source: sourceRows ? 0 : unknown.source / (source.ids.length - count),
  target: unknown.target / target.ids.length,
});

/** Length of the source of a row: its number of tokens, or as `sourceRows` counts. */
export const sourceLength = ({ source: { starts } }: EncodedCorpus, row: number): number =>
  (starts[row + 1] as number) - (starts[row] as number);
/** Number of decoder positions of a row: its tokens plus one. */
export const targetLength = ({ target: { starts } }: EncodedCorpus, row: number): number =>
  (starts[row + 1] as number) - (starts[row] as number) + 1;

/** Collects rows in an array that doubles when full. */
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
    /** The rows of ids of a vocabulary of `size` tokens. */
    rows(size: number): RaggedRows {
      const all = ids.subarray(0, used);
      return {
        ids: size <= 2 ** 16 ? Uint16Array.from(all) : Uint32Array.from(all),
        starts: Uint32Array.from(starts),
      };
    },
  };
}
