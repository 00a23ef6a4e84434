// True lengths of padded rows of ids, checked: ids in range, padding at the end alone, or at the start where a model starts with it.

import { HeddleError } from '../../core/errors.ts';
import type { TensorData } from '../../core/tensor.ts';

/**
 * True lengths of the rows of ids [B, length] into `lengths` [B]: what stands before the padding at the end. Throws a HeddleError
 * where padding stands inside a row or an id is out of range, naming `name`, the row and the id. With `started` each row begins with a
 * start token, which counts even where it is padding itself, as MarianMT's is.
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
