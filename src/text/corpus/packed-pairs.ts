// Lists of pairs in chunks. A large corpus is packed as UTF-8 text, in memory that threads share: millions of
// pairs without strings and objects.
import type { Pair, PairList } from './pairs.ts';

/** Consecutive pairs: an array, or UTF-8 lines of source, tab, target. */
export type PairChunk = readonly Pair[] | { readonly bytes: Uint8Array; readonly length: number };

/** A list of pairs in chunks. */
interface PackedPairs extends PairList {
  readonly chunks: readonly PairChunk[];
}

/** Number of pairs in a chunk of an array. */
const chunkPairs = 1000;

/** Packs pairs without tabs and line breaks; `shared`: in memory that threads share. */
export function packPairs(pairs: readonly Pair[], shared: boolean): PairChunk {
  const bytes = new TextEncoder().encode(
    pairs.map(({ source, target }) => `${source}\t${target}\n`).join(''),
  );
  const { length } = pairs;
  if (!shared) return { bytes, length };
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return { bytes: copy, length };
}

/** The pairs of a chunk. */
export function pairsIn(chunk: PairChunk): readonly Pair[] {
  if (!('bytes' in chunk)) return chunk;
  const lines = new TextDecoder('utf-8', { ignoreBOM: true }).decode(chunk.bytes).split('\n');
  lines.length = chunk.length;
  return lines.map((line) => {
    const tab = line.indexOf('\t');
    return { source: line.slice(0, tab), target: line.slice(tab + 1) };
  });
}

/** The chunks of a list. */
export const chunksOf = (list: PairList): readonly PairChunk[] =>
  'chunks' in list
    ? (list as PackedPairs).chunks
    : Array.from({ length: Math.ceil(list.length / chunkPairs) }, (_, i) =>
        (list as readonly Pair[]).slice(i * chunkPairs, (i + 1) * chunkPairs),
      );

/** The list of the pairs in some chunks. */
export function packedPairs(given: readonly PairChunk[]): PairList {
  const chunks = given.filter(({ length }) => length > 0);
  let length = 0;
  const starts = chunks.map((chunk) => {
    length += chunk.length;
    return length - chunk.length;
  });
  // The chunk that was read last: readers go forward.
  let [current, pairs]: [number, readonly Pair[]] = [-1, []];
  const list: PackedPairs = {
    chunks,
    length,
    at(index) {
      if (!(index >= 0 && index < length)) return undefined;
      let i = current >= 0 && (starts[current] as number) <= index ? current : 0;
      while (i + 1 < chunks.length && (starts[i + 1] as number) <= index) i++;
      if (i !== current) [current, pairs] = [i, pairsIn(chunks[i] as PairChunk)];
      return pairs[index - (starts[i] as number)];
    },
    *[Symbol.iterator]() {
      for (const chunk of chunks) yield* pairsIn(chunk);
    },
  };
  return list;
}
