// Lengths of the rows of a batch, which the attention kernels read.

import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { TensorData } from '../../core/tensor.ts';

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
      if (!(id >= 0 && id < vocab) && !(id === -1 && (padId === -1 || t < first)))
        throw new HeddleError(
          msg`token id ${id} in row ${b} at ${t} is out of range, the vocabulary has ${vocab} tokens`,
          { area: name },
        );
      if (t >= first && t < n && id === padId)
        throw new HeddleError(
          msg`row ${b} has padding (id ${padId}) at ${t}, before its end at ${n}; pad at the end only`,
          { area: name },
        );
    }
  }
}
