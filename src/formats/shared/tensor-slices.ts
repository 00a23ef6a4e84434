// Where other layouts' tensors lie in a bank of weights: rows of a tensor that PyTorch's names speak of are one piece of it.

import { type Shape, sizeOf } from '../../core/tensor.ts';
import type { Parameter, ParameterList } from '../../model/parameter-layout.ts';

/** Some rows of a stored tensor in the bank. */
export interface StoredRows {
  readonly at: number;
  readonly shape: Shape;
}

/** The parameters of each stored tensor, found once a list: deep models have thousands. */
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

/** The rows from `row` on, `rows` of them or all that one parameter holds, of a tensor by PyTorch's name. */
export function storedRows(p: ParameterList, stored: string, row = 0, rows?: number): StoredRows {
  for (const q of holdersOf(p, stored)) {
    if (row < q.stored.row || row >= q.stored.row + (q.shape[0] as number)) continue;
    const cols = q.shape.slice(1);
    return { at: q.offset + (row - q.stored.row) * sizeOf(cols), shape: [rows ?? (q.shape[0] as number), ...cols] };
  }
  throw new Error(`weights: no parameter holds row ${row} of ${stored}`);
}
