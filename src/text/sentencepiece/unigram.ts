// Cutting text by a Unigram model: the pieces with the largest sum of scores (Viterbi; Kudo, 2018, "Subword regularization"). Sums
// are kept in float32 and compared as SentencePiece does it, so that equal sums fall the same way.
import type { SentencePieceModel } from './sentencepiece-model.ts';
import type { Trie } from './trie.ts';
import { claimedLength } from './utf8.ts';

/** A piece of a text: bytes [from, to) of it, and its id. */
export interface Cut {
  readonly from: number;
  readonly to: number;
  readonly id: number;
}

/** A function that cuts normalised UTF-8; each character that no piece begins with is the unknown piece. */
export function createUnigram(model: SentencePieceModel, trie: Trie): (text: Uint8Array) => Cut[] {
  const { pieces, special } = model;
  const normal = pieces.filter((p) => p.type === 'normal').map((p) => p.score);
  const f32 = Math.fround;
  // As in SentencePiece the greatest starts at the least positive float, so it is never below 0.
  const greatest = normal.reduce((a, b) => Math.max(a, b), f32(2 ** -126));
  const least = normal.reduce((a, b) => Math.min(a, b), f32(3.4028234663852886e38));
  const unknownScore = f32(least - 10);
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
      const till = best[from] as number;
      const length = Math.min(claimedLength(text[from] as number), n - from);
      let single = false;
      for (let at = from, node = 0; at < n; ) {
        node = trie.step(node, text[at++] as number);
        if (node < 0) break;
        const id = trie.valueAt(node);
        if (id < 0 || isUnused[id]) continue;
        offer(from, at, id, till + (isSymbol[id] ? f32((at - from) * greatest) - 0.1 : (scores[id] as number)));
        single ||= at - from === length;
      }
      if (!single) offer(from, from + length, special.unknown, f32(till + unknownScore));
      from += length;
    }
    const out: Cut[] = [];
    for (let to = n; to > 0; to = start[to] as number)
      out.push({ from: start[to] as number, to, id: ids[to] as number });
    return out.reverse();
  };
}
