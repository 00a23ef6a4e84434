// Where other layouts' tensors lie in a bank of weights: rows of a tensor that PyTorch's names speak of are one piece of it.

import type { ParameterList } from '../model/parameters.ts';
import { type Shape, sizeOf } from '../tensor.ts';

/** Some rows of a stored tensor in the bank. */
export interface Piece {
  readonly at: number;
  readonly shape: Shape;
}

/** The rows from `row` on, `rows` of them or all that one parameter holds, of a tensor by PyTorch's name. */
export function pieceOf(p: ParameterList, stored: string, row = 0, rows?: number): Piece {
  for (const q of p.all) {
    if (q.stored.name !== stored || row < q.stored.row || row >= q.stored.row + (q.shape[0] as number)) continue;
    const cols = q.shape.slice(1);
    return { at: q.offset + (row - q.stored.row) * sizeOf(cols), shape: [rows ?? (q.shape[0] as number), ...cols] };
  }
  throw new Error(`weights: no parameter holds row ${row} of ${stored}`);
}
