// Trains byte-pair encoding (Sennrich et al., 2016, "Neural Machine Translation of Rare Words with Subword
// Units"). The merges equal those of Hugging Face's `tokenizers`: the most frequent pair first, ties by
// smaller ids; ids of characters in code-point order.
import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { Steps } from '../../core/steps.ts';
import { createHeap } from './binary-heap.ts';
import { idsOf, pairOf } from './bpe-merges.ts';
import { createTokenizer, specialTokens, type Tokenizer } from './tokenizer.ts';
import { type Counts, pieceSteps, type VocabularyOptions } from './vocabulary-training.ts';

/** A candidate pair, with its count when it was queued and the pieces that contain it. */
interface Candidate {
  readonly pair: number;
  count: number;
  readonly pieces: number[];
}

/**
 * Trains a BPE tokenizer on counted words, in steps. Throws a HeddleError if `size` has no room for their
 * characters.
 */
export function* bpeSteps(words: Counts, { size, lowercase = false }: VocabularyOptions): Steps<Tokenizer> {
  const counts = yield* pieceSteps(words);
  const characters = new Set<string>();
  for (const piece of counts.keys()) for (const character of piece) characters.add(character);
  const alphabet = [...characters].sort(
    (a, b) => (a.codePointAt(0) as number) - (b.codePointAt(0) as number),
  );
  const vocab = [...specialTokens, ...alphabet];
  check(
    size >= vocab.length,
    msg`size is ${size}, it must be at least ${vocab.length}: ${alphabet.length} characters and ${specialTokens.length} special tokens`,
    { area: 'bpe' },
  );
  const merges = yield* mergeSteps(counts, vocab, size);
  return createTokenizer({ kind: 'bpe', lowercase, vocab, merges });
}

/** Appends merged tokens to `vocab` up to `size`; returns the merges in order. */
export function* mergeSteps(
  counts: ReadonlyMap<string, number>,
  vocab: string[],
  size: number,
): Steps<[string, string][]> {
  const idOf = new Map(vocab.map((token, id) => [token, id]));
  const pieces = [...counts.keys()].map((piece) => Array.from(piece, (char) => idOf.get(char) as number));
  const weights = [...counts.values()];
  const pairCounts = new Map<number, number>();
  let where = new Map<number, number[]>();
  const bump = (a: number, b: number, change: number, piece: number) => {
    const pair = pairOf(a, b);
    pairCounts.set(pair, (pairCounts.get(pair) ?? 0) + change);
    if (change < 0) return;
    const list = where.get(pair);
    if (list === undefined) where.set(pair, [piece]);
    else if (list[list.length - 1] !== piece) list.push(piece);
  };
  for (const [p, ids] of pieces.entries()) {
    if (p % 5000 === 0) yield { task: 'count pairs', done: p, total: pieces.length };
    for (let i = 1; i < ids.length; i++)
      bump(ids[i - 1] as number, ids[i] as number, weights[p] as number, p);
  }

  const queue = createHeap<Candidate>((a, b) => (a.count !== b.count ? a.count > b.count : a.pair < b.pair));
  const enqueue = () => {
    for (const [pair, list] of where) {
      const count = pairCounts.get(pair) as number;
      if (count > 0) queue.push({ pair, count, pieces: list });
    }
    where = new Map();
  };
  enqueue();
  const merges: [string, string][] = [];
  while (vocab.length < size) {
    const top = queue.pop();
    if (top === undefined) break;
    const count = pairCounts.get(top.pair) as number;
    if (top.count !== count) {
      top.count = count; // Other merges consumed some occurrences: queue it again with the present count.
      queue.push(top);
      continue;
    }
    if (count < 1) break;
    yield { task: 'train tokenizer', done: vocab.length, total: size };
    const [a, b] = idsOf(top.pair);
    const [left, right] = [vocab[a] as string, vocab[b] as string];
    merges.push([left, right]);
    const token = left + right;
    let id = idOf.get(token); // Another pair may have produced the same token.
    if (id === undefined) {
      id = vocab.length;
      vocab.push(token);
      idOf.set(token, id);
    }
    for (const p of top.pieces) mergeIn(pieces[p] as number[], a, b, id, weights[p] as number, p, bump);
    enqueue();
  }
  return merges;
}

/**
 * Replaces every pair a b by `id` in one piece, in place, from the left, and updates the counts of
 * neighbouring pairs.
 */
function mergeIn(
  ids: number[],
  a: number,
  b: number,
  id: number,
  weight: number,
  piece: number,
  bump: (a: number, b: number, change: number, piece: number) => void,
): void {
  let write = 0;
  for (let i = 0; i < ids.length; ) {
    if (ids[i] !== a || ids[i + 1] !== b) {
      ids[write++] = ids[i++] as number;
      continue;
    }
    const before = write > 0 ? (ids[write - 1] as number) : -1;
    const after = ids[i + 2] ?? -1;
    if (before >= 0) {
      bump(before, a, -weight, piece);
      bump(before, id, weight, piece);
    }
    if (after >= 0) {
      bump(b, after, -weight, piece);
      bump(id, after, weight, piece);
    }
    ids[write++] = id;
    i += 2;
  }
  ids.length = write;
}
