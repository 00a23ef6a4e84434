// Segmentation of normalized text into pieces: Unigram (Viterbi) and BPE.
import { createHeap } from '../tokenizers/binary-heap.ts';
import { sequenceLength, type Trie } from './byte-strings.ts';
import type { SentencePieceModel } from './sentencepiece-model.ts';

/** A segment of a text: bytes [from, to) and the id of its piece. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly id: number;
}

/**
 * Unigram segmentation (Kudo, 2018, "Subword Regularization"): the pieces with the maximum sum of scores, by
 * Viterbi. Sums are float32 and compared as in SentencePiece, so that ties break the same way. A character
 * without a piece is the unknown piece.
 */
export function createUnigram(model: SentencePieceModel, trie: Trie): (text: Uint8Array) => Segment[] {
  const { pieces, special } = model;
  const normal = pieces.filter((p) => p.type === 'normal').map((p) => p.score);
  const f32 = Math.fround;
  // As in SentencePiece the maximum starts at the smallest positive float, so it is never negative.
  const maxScore = normal.reduce((a, b) => Math.max(a, b), f32(2 ** -126));
  const minScore = normal.reduce((a, b) => Math.min(a, b), f32(3.4028234663852886e38));
  const unknownScore = f32(minScore - 10);
  const scores = Float64Array.from(pieces, (p) => p.score);
  const isSymbol = Uint8Array.from(pieces, (p) => Number(p.type === 'user-defined'));
  const isUnused = Uint8Array.from(pieces, (p) => Number(p.type === 'unused'));

  return (text) => {
    const n = text.length;
    const best = new Float32Array(n + 1);
    const start = new Int32Array(n + 1).fill(-1);
    const ids = new Int32Array(n + 1);
    const offer = (from: number, to: number, id: number, sum: number) => {
      if (start[to] !== -1 && !(sum > (best[to] as number))) return;
      best[to] = sum;
      start[to] = from;
      ids[to] = id;
    };
    for (let from = 0; from < n; ) {
      const prefixScore = best[from] as number;
      const length = Math.min(sequenceLength(text[from] as number), n - from);
      let single = false;
      for (let at = from, node = 0; at < n; ) {
        node = trie.step(node, text[at++] as number);
        if (node < 0) break;
        const id = trie.valueAt(node);
        if (id < 0 || isUnused[id]) continue;
        offer(
          from,
          at,
          id,
          prefixScore + (isSymbol[id] ? f32((at - from) * maxScore) - 0.1 : (scores[id] as number)),
        );
        single ||= at - from === length;
      }
      if (!single) offer(from, from + length, special.unknown, f32(prefixScore + unknownScore));
      from += length;
    }
    const out: Segment[] = [];
    for (let to = n; to > 0; to = start[to] as number)
      out.push({ from: start[to] as number, to, id: ids[to] as number });
    return out.reverse();
  };
}

/**
 * BPE segmentation (Sennrich et al., 2016): merges neighbours that form a piece, the highest score first, the
 * leftmost on ties. User-defined `symbols` are never merged; what is not a piece at the end is unknown.
 */
export function createBpe(
  { pieces, special }: SentencePieceModel,
  trie: Trie,
  symbols: Trie | undefined,
): (text: Uint8Array) => Segment[] {
  return (text) => {
    // Segment i is text[from[i], to[i]); from = to after it was merged into another. `frozen`: it is a
    // user-defined symbol.
    const [from, to, frozen]: [number[], number[], boolean[]] = [[], [], []];
    for (let at = 0; at < text.length; ) {
      const symbol = symbols?.longest(text, at) ?? 0;
      from.push(at);
      frozen.push(symbol > 0);
      at = symbol > 0 ? at + symbol : Math.min(text.length, at + sequenceLength(text[at] as number));
      to.push(at);
    }
    const n = from.length;
    const next = Int32Array.from({ length: n }, (_, i) => (i + 1 < n ? i + 1 : -1));
    const previous = Int32Array.from({ length: n }, (_, i) => i - 1);
    const queue = createHeap<{ score: number; left: number; right: number; size: number }>((a, b) =>
      a.score !== b.score ? a.score > b.score : a.left < b.left,
    );
    /** Bytes of the left part of each unused piece, which is split again at the end. */
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
      if (sizeOf(left) === 0 || sizeOf(right) === 0 || sizeOf(left) + sizeOf(right) !== size) continue; // stale
      to[left] = to[right] as number;
      to[right] = from[right] as number;
      const after = next[right] as number;
      next[left] = after;
      if (after >= 0) previous[after] = left;
      offer(previous[left] as number, left);
      offer(left, after);
    }
    const out: Segment[] = [];
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
