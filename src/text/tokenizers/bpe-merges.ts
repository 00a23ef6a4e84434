// Applies BPE merges to a piece of text: the lowest rank first, the leftmost on ties (Sennrich et al., 2016).
import { createHeap } from './binary-heap.ts';

/** Maximum number of tokens, and of merges, in a file: ten times the largest published vocabularies. */
export const maxTokens = 2 ** 21;

/** A pair of token ids as one number; keeps the order of pairs. */
export const pairOf = (a: number, b: number): number => a * maxTokens + b;

/** The ids of a pair. */
export const idsOf = (pair: number): [number, number] => [Math.floor(pair / maxTokens), pair % maxTokens];

/** Merges by pair of ids: rank (lowest first) and id of the result. */
export type MergeTable = ReadonlyMap<number, { readonly rank: number; readonly id: number }>;

/** Maximum number of characters of a piece for which a scan of all pairs is faster than a heap. */
const maxScanned = 24;

/** Applies all possible merges to the ids of a piece's characters. */
export const applyMerges = (characters: readonly number[], table: MergeTable): number[] =>
  characters.length <= maxScanned ? scanMerges([...characters], table) : heapMerges(characters, table);

/** O(n^2): each merge scans the list of the merges of all adjacent pairs for the lowest rank. */
function scanMerges(ids: number[], table: MergeTable): number[] {
  const mergeAt = (at: number) => table.get(pairOf(ids[at] as number, ids[at + 1] as number));
  const merges = Array.from({ length: Math.max(0, ids.length - 1) }, (_, at) => mergeAt(at));
  for (;;) {
    let [best, rank] = [-1, Number.POSITIVE_INFINITY];
    for (let at = 0; at < merges.length; at++) {
      const merge = merges[at];
      if (merge !== undefined && merge.rank < rank) [best, rank] = [at, merge.rank];
    }
    if (best < 0) return ids;
    ids[best] = (merges[best] as { id: number }).id;
    ids.splice(best + 1, 1);
    merges.splice(best, 1);
    if (best > 0) merges[best - 1] = mergeAt(best - 1);
    if (best < merges.length) merges[best] = mergeAt(best);
  }
}

/** O(n log n): a heap of candidates over a linked list. */
function heapMerges(characters: readonly number[], table: MergeTable): number[] {
  const n = characters.length;
  const ids = [...characters];
  const next = Int32Array.from({ length: n }, (_, i) => i + 1);
  const previous = Int32Array.from({ length: n }, (_, i) => i - 1);
  const queue = createHeap<{ rank: number; at: number; pair: number; id: number }>((a, b) =>
    a.rank !== b.rank ? a.rank < b.rank : a.at < b.at,
  );
  const pairAt = (at: number): number => {
    const right = next[at] as number;
    return right < n ? pairOf(ids[at] as number, ids[right] as number) : -1;
  };
  const offer = (at: number) => {
    const pair = pairAt(at);
    const merge = table.get(pair);
    if (merge !== undefined) queue.push({ rank: merge.rank, at, pair, id: merge.id });
  };
  for (let i = 0; i < n; i++) offer(i);
  for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
    const { at } = top;
    if (ids[at] === -1 || pairAt(at) !== top.pair) continue; // stale: merged since it was queued
    const gone = next[at] as number;
    const after = next[gone] as number;
    ids[at] = top.id;
    ids[gone] = -1;
    next[at] = after;
    if (after < n) previous[after] = at;
    if ((previous[at] as number) >= 0) offer(previous[at] as number);
    offer(at);
  }
  return ids.filter((id) => id !== -1);
}
