// Some rows of a tensor, in any order: what remains of a batch when its other sentences are done.

import { check } from '../../core/errors.ts';
import { show, sizeOf } from '../../core/tensor.ts';
import { expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, gridOf, type Value } from '../op.ts';

/** `group`: rows of x that are taken together, as one. */
export type TakeRowsAttrs = { readonly group: number };

/** Inputs x [N·group,..] of any 32-bit type and picks u32 [n], each below N; output y [n·group,..], y's i-th group x's picks[i]-th. */
export const takeRowsOp = defineOp<TakeRowsAttrs>({
  name: 'take_rows',
  shape(inputs, { group }) {
    const x = inputAt('take_rows', inputs, 0, 'x');
    const picks = inputAt('take_rows', inputs, 1, 'picks');
    const [rows = 0, ...rest] = x.shape;
    expectType('take_rows', 'picks', picks, 'u32', [picks.shape[0] ?? 0]);
    check(
      x.dtype !== 'f16' && group >= 1 && rows > 0 && rows % group === 0,
      () => `take_rows: x is ${x.dtype} ${show(x.shape)}, must be of 32 bits and of whole groups of ${group} rows`,
    );
    return [{ dtype: x.dtype, shape: [picks.shape[0]! * group, ...rest] }];
  },
  launch({ attrs: { group }, inputs, outputs: [y] }) {
    const [x, picks] = inputs as [Value, Value];
    const rows_in = x.shape[0]! / group;
    const params = { rows: picks.shape[0]!, width: sizeOf(x.shape) / rows_in, rows_in };
    return [
      {
        shader: 'take-rows',
        entry: 'take_rows',
        params,
        bind: { x, picks, y: y! },
        grid: gridOf(sizeOf(y!.shape), 256),
      },
    ];
  },
  reference({ attrs: { group }, inputs: [x, picks], outputs: [y] }) {
    const width = (x!.data.length / x!.shape[0]!) * group;
    for (const [i, row] of picks!.data.entries())
      y!.data.set(x!.data.subarray(row * width, (row + 1) * width), i * width);
  },
});

/** Groups picks u32 [n] of the rows of x [N·group,..]: [n·group,..]. Not differentiable: for decoding. */
export function takeRows(g: Builder, x: Value, picks: Value, group = 1): Value {
  return g.apply(takeRowsOp, [x, picks], { group })[0]!;
}
