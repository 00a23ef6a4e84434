// Inputs that kernels need besides token ids: row lengths, and the index of tokens for the embedding
// gradient.

import { HeddleError } from '../../core/errors.ts';
import type { TensorData } from '../../core/tensor.ts';

/** Any array of numbers. */
type Numbers = { [i: number]: number; readonly length: number };
type Fillable = Numbers & { fill(value: number, from?: number, to?: number): unknown };

/**
 * Fills the index of `ids` by token with a stable counting sort (CSR): the positions of token v, padding
 * included, are occurrences[rowStart[v] .. rowStart[v+1]). The embedding gradient sums in this order, without
 * atomics. `rowStart` is [V+1], `occurrences` as long as `ids`. Throws a HeddleError for an id out of range.
 */
export function fillTokenIndex(rowStart: Fillable, occurrences: Uint32Array, ids: Numbers): void {
  const vocab = rowStart.length - 1;
  if (16 * ids.length < vocab && vocab * ids.length <= 2 ** 32) {
    fillSparseIndex(rowStart, occurrences, ids);
    return;
  }
  for (let v = 0; v <= vocab; v++) rowStart[v] = 0;
  for (let i = 0; i < ids.length; i++) {
    const v = checkedId(ids, i, vocab);
    rowStart[v + 1] = (rowStart[v + 1] as number) + 1;
  }
  for (let v = 1; v <= vocab; v++) rowStart[v] = (rowStart[v] as number) + (rowStart[v - 1] as number);
  // Each start advances while positions are written, and ends as the next token's start.
  for (let i = 0; i < ids.length; i++) {
    const v = ids[i] as number;
    const at = rowStart[v] as number;
    occurrences[at] = i;
    rowStart[v] = at + 1;
  }
  for (let v = vocab; v > 0; v--) rowStart[v] = rowStart[v - 1] as number;
  rowStart[0] = 0;
}

/**
 * `fillTokenIndex` of few tokens of a large vocabulary: sorts the keys id * count + position, which fit into
 * 32 bits, and fills the equal starts between the tokens.
 */
function fillSparseIndex(rowStart: Fillable, occurrences: Uint32Array, ids: Numbers): void {
  const [count, vocab] = [ids.length, rowStart.length - 1];
  for (let i = 0; i < count; i++) occurrences[i] = checkedId(ids, i, vocab) * count + i;
  occurrences.sort();
  let next = 0;
  for (let k = 0; k < count; k++) {
    const key = occurrences[k] as number;
    const v = Math.floor(key / count);
    occurrences[k] = key - v * count;
    if (v >= next) rowStart.fill(k, next, v + 1);
    next = v + 1;
  }
  rowStart.fill(count, next);
}

function checkedId(ids: Numbers, i: number, vocab: number): number {
  const v = ids[i] as number;
  if (v >= 0 && v < vocab) return v;
  throw new HeddleError(
    `embedding: token id ${v} at ${i} is out of range, the vocabulary has ${vocab} tokens`,
  );
}

/**
 * Fills `lengths` [B] with the lengths of the rows of ids [B, length] without the padding at their ends. With
 * `started` the first token is a start token and counts even if it is the padding id, as in MarianMT. Throws
 * a HeddleError with `name`, row and id if padding is inside a row or an id is out of range.
 */
export function fillLengths(
  lengths: TensorData,
  ids: TensorData,
  length: number,
  padId: number,
  vocab: number,
  name: string,
  started = false,
): void {
  const first = started ? 1 : 0;
  for (let b = 0; b < lengths.length; b++) {
    let n = length;
    while (n > first && ids[b * length + n - 1] === padId) n--;
    lengths[b] = n;
    for (let t = 0; t < length; t++) {
      const id = ids[b * length + t] as number;
      if (!(id >= 0 && id < vocab))
        throw new HeddleError(
          `${name}: token id ${id} in row ${b} at ${t} is out of range, the vocabulary has ${vocab} tokens`,
        );
      if (t >= first && t < n && id === padId)
        throw new HeddleError(
          `${name}: row ${b} has padding (id ${padId}) at ${t}, before its end at ${n}; pad at the end only`,
        );
    }
  }
}
