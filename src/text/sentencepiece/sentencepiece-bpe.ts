// Cutting text by a BPE model: neighbours are merged as long as they make a piece, the piece with the highest score first, and among
// equal ones the leftmost (Sennrich et al., 2016). Unlike heddle's own merges these are known by the pieces they make, not by pairs.
import { createHeap } from '../tokenizers/binary-heap.ts';
import type { SentencePieceModel } from './sentencepiece-model.ts';
import type { Trie } from './trie.ts';
import type { Cut } from './unigram.ts';
import { claimedLength } from './utf8.ts';

/** A function that cuts normalised UTF-8. User-defined `symbols` are never merged; what is no piece in the end is unknown. */
export function createBpe(
  { pieces, special }: SentencePieceModel,
  trie: Trie,
  symbols: Trie | undefined,
): (text: Uint8Array) => Cut[] {
  return (text) => {
    // Symbol i is text[from[i], to[i]); where it has been merged into another, from = to.
    const [from, to, frozen]: [number[], number[], boolean[]] = [[], [], []];
    for (let at = 0; at < text.length; ) {
      const symbol = symbols?.longest(text, at) ?? 0;
      from.push(at);
      frozen.push(symbol > 0);
      at = symbol > 0 ? at + symbol : Math.min(text.length, at + claimedLength(text[at] as number));
      to.push(at);
    }
    const n = from.length;
    const next = Int32Array.from({ length: n }, (_, i) => (i + 1 < n ? i + 1 : -1));
    const previous = Int32Array.from({ length: n }, (_, i) => i - 1);
    const queue = createHeap<{ score: number; left: number; right: number; size: number }>((a, b) =>
      a.score !== b.score ? a.score > b.score : a.left < b.left,
    );
    /** How an unused piece was made, to be taken apart again: bytes of its left half. */
    const halves = new Map<number, number>();
    const offer = (left: number, right: number) => {
      if (left < 0 || right < 0 || frozen[left] || frozen[right]) return;
      const id = trie.find(text, from[left] as number, to[right] as number);
      if (id < 0) return;
      const { score, type } = pieces[id] as (typeof pieces)[number];
      queue.push({ score, left, right, size: (to[right] as number) - (from[left] as number) });
      if (type === 'unused') halves.set(id, (to[left] as number) - (from[left] as number));
    };
    for (let i = 1; i < n; i++) offer(i - 1, i);
    const sizeOf = (i: number): number => (to[i] as number) - (from[i] as number);
    for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
      const { left, right, size } = top;
      if (sizeOf(left) === 0 || sizeOf(right) === 0 || sizeOf(left) + sizeOf(right) !== size) continue; // merged away
      to[left] = to[right] as number;
      to[right] = from[right] as number;
      const after = next[right] as number;
      next[left] = after;
      if (after >= 0) previous[after] = left;
      offer(previous[left] as number, left);
      offer(left, after);
    }
    const out: Cut[] = [];
    const emit = (a: number, b: number): void => {
      const id = trie.find(text, a, b);
      const half = id >= 0 && pieces[id]?.type === 'unused' ? halves.get(id) : undefined;
      if (half !== undefined) {
        emit(a, a + half);
        emit(a + half, b);
      } else out.push({ from: a, to: b, id: id >= 0 ? id : special.unknown });
    };
    for (let i = n > 0 ? 0 : -1; i >= 0; i = next[i] as number) emit(from[i] as number, to[i] as number);
    return out;
  };
}
