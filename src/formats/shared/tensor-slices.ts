// Rows of PyTorch's tensors in the parameter buffer: one parameter may hold only some rows of a stored tensor, such as
// q_proj of in_proj.

import { type Shape, sizeOf } from '../../core/tensor.ts';
import type { Parameter, ParameterList } from '../../model/parameter-layout.ts';

/** Rows of a stored tensor in the parameter buffer. */
export interface StoredRows {
  /** Offset of the first element. */
  readonly at: number;
  readonly shape: Shape;
}

/** Cache: the parameters of each stored tensor, by parameter list. */
const indexes = new WeakMap<ParameterList, Map<string, Parameter[]>>();

function holdersOf(p: ParameterList, stored: string): readonly Parameter[] {
  let index = indexes.get(p);
  if (!index) {
    index = new Map();
    for (const q of p.all) {
      const list = index.get(q.stored.name);
      if (list) list.push(q);
      else index.set(q.stored.name, [q]);
    }
    indexes.set(p, index);
  }
  return index.get(stored) ?? [];
}

/** `rows` rows (default: all rows of the parameter) from `row` on of the tensor with PyTorch's name `stored`. */
export function storedRows(p: ParameterList, stored: string, row = 0, rows?: number): StoredRows {
  for (const q of holdersOf(p, stored)) {
    if (row < q.stored.row || row >= q.stored.row + (q.shape[0] as number)) continue;
    const cols = q.shape.slice(1);
    return { at: q.offset + (row - q.stored.row) * sizeOf(cols), shape: [rows ?? (q.shape[0] as number), ...cols] };
  }
  throw new Error(`weights: no parameter holds row ${row} of ${stored}`);
}
