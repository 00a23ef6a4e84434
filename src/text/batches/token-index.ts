// The index of the tokens of a batch by their ids, which the gradient of the embedding reads.

import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';

/** Any array of numbers. */
type Numbers = { [i: number]: number; readonly length: number };
type Fillable = Numbers & { fill(value: number, from?: number, to?: number): unknown };

/**
 * Fills the index of `ids` by token with a stable counting sort (CSR): the positions of token v, padding
 * included, but not those of no token (-1), are occurrences[rowStart[v] .. rowStart[v+1]). The embedding gradient
 * sums in this order, without atomics. `rowStart` is [V+1], `occurrences` as long as `ids`. Throws a HeddleError for
 * an id out of range.
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
    if (v < 0) continue;
    rowStart[v + 1] = (rowStart[v + 1] as number) + 1;
  }
  for (let v = 1; v <= vocab; v++) rowStart[v] = (rowStart[v] as number) + (rowStart[v - 1] as number);
  // Each start advances while positions are written, and ends as the next token's start.
  for (let i = 0; i < ids.length; i++) {
    const v = ids[i] as number;
    if (v < 0) continue;
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
  let known = 0;
  for (let i = 0; i < count; i++) {
    const v = checkedId(ids, i, vocab);
    if (v >= 0) occurrences[known++] = v * count + i;
  }
  occurrences.subarray(0, known).sort();
  let next = 0;
  for (let k = 0; k < known; k++) {
    const key = occurrences[k] as number;
    const v = Math.floor(key / count);
    occurrences[k] = key - v * count;
    if (v >= next) rowStart.fill(k, next, v + 1);
    next = v + 1;
  }
  rowStart.fill(known, next);
}

function checkedId(ids: Numbers, i: number, vocab: number): number {
  const v = ids[i] as number;
  if (v >= -1 && v < vocab) return v;
  throw new HeddleError(msg`token id ${v} at ${i} is out of range, the vocabulary has ${vocab} tokens`, {
    area: 'embedding',
  });
}
