// What every program that reads a batch needs beside its ids: true lengths, and where each token stands.

import { HeddleError } from '../errors.ts';
import type { TensorData } from '../tensor.ts';

/**
 * True lengths of the rows of ids [B, length] into `lengths` [B]: what stands before the padding at the end. Throws a HeddleError
 * where padding stands inside a row or an id is out of range, naming `name`, the row and the id.
 */
export function fillLengths(
  lengths: TensorData,
  ids: TensorData,
  length: number,
  padId: number,
  vocab: number,
  name: string,
): void {
  for (let b = 0; b < lengths.length; b++) {
    let n = length;
    while (n > 0 && ids[b * length + n - 1] === padId) n--;
    lengths[b] = n;
    for (let t = 0; t < length; t++) {
      const id = ids[b * length + t] as number;
      if (!(id >= 0 && id < vocab))
        throw new HeddleError(
          `${name}: token id ${id} in row ${b} at ${t} is out of range, the vocabulary has ${vocab} tokens`,
        );
      if (t < n && id === padId)
        throw new HeddleError(
          `${name}: row ${b} has padding (id ${padId}) at ${t}, before its end at ${n}; pad at the end only`,
        );
    }
  }
}

/**
 * Index of ids by token for the gradient of an embedding, a stable counting sort: the places of token v are
 * occurrences[rowStart[v] .. rowStart[v+1]). `rowStart` is [V+1], `occurrences` as long as `ids`.
 */
export function fillIndex(rowStart: TensorData, occurrences: TensorData, ids: TensorData): void {
  rowStart.fill(0);
  for (let i = 0; i < ids.length; i++) {
    const v = (ids[i] as number) + 1;
    rowStart[v] = (rowStart[v] as number) + 1;
  }
  for (let v = 1; v < rowStart.length; v++) rowStart[v] = (rowStart[v] as number) + (rowStart[v - 1] as number);
  // Each start is moved on while its places are written, and ends as the next token's start.
  for (let i = 0; i < ids.length; i++) {
    const v = ids[i] as number;
    const at = rowStart[v] as number;
    occurrences[at] = i;
    rowStart[v] = at + 1;
  }
  rowStart.copyWithin(1, 0, rowStart.length - 1);
  rowStart[0] = 0;
}
