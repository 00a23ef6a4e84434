// Where each token of a batch stands: what lets the gradient of an embedding be summed per token, in order, without atomics.
import { HeddleError } from '../../core/errors.ts';

/** Arrays of numbers that an index is written to and read from. */
type Numbers = { [i: number]: number; readonly length: number };

/**
 * Index of `ids` by token, a stable counting sort into arrays that the caller gives: the places of token v, padding like any other,
 * are occurrences[rowStart[v] .. rowStart[v+1]). `rowStart` is [V+1], `occurrences` as long as `ids`. Throws a HeddleError for an id
 * out of range.
 */
export function fillTokenIndex(rowStart: Numbers, occurrences: Numbers, ids: Numbers): void {
  const vocab = rowStart.length - 1;
  for (let v = 0; v <= vocab; v++) rowStart[v] = 0;
  for (let i = 0; i < ids.length; i++) {
    const v = ids[i] as number;
    if (!(v >= 0 && v < vocab))
      throw new HeddleError(`embedding: token id ${v} at ${i} is out of range, the vocabulary has ${vocab} tokens`);
    rowStart[v + 1] = (rowStart[v + 1] as number) + 1;
  }
  for (let v = 1; v <= vocab; v++) rowStart[v] = (rowStart[v] as number) + (rowStart[v - 1] as number);
  // Each start is moved on while its places are written, and ends as the next token's start.
  for (let i = 0; i < ids.length; i++) {
    const v = ids[i] as number;
    const at = rowStart[v] as number;
    occurrences[at] = i;
    rowStart[v] = at + 1;
  }
  for (let v = vocab; v > 0; v--) rowStart[v] = rowStart[v - 1] as number;
  rowStart[0] = 0;
}
