// Takes rows of a tensor in any order: the unfinished sentences of a batch.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { gridOf } from '../work-division.ts';

/**
 * x [N·group,..] of any 32-bit type, indices u32 [n], each below N; group i of y [n·group,..] is group
 * indices[i] of x.
 */
export const takeRowsOp = defineOp({
  name: 'take_rows',
  inputs: ['x', 'indices'],
  outputs: ['y'],
  /**
   * `group`: number of consecutive rows of x that are taken together, as one. `numbers`: the numbers of x are the
   * rows; y is [n].
   */
  attrs: attrsOf<{ readonly group: number; readonly numbers?: boolean }>({
    group: 'number',
    numbers: 'boolean?',
  }),
  shape({ x, indices }, { group, numbers = false }) {
    const [rows = 0, ...rest] = numbers ? [sizeOf(x.shape)] : x.shape;
    expectType('take_rows', 'indices', indices, 'u32', [dim(indices, 0)]);
    check(
      x.dtype !== 'f16' && group >= 1 && rows > 0 && rows % group === 0,
      () => msg`x is ${x.dtype} ${show(x.shape)}, must be of 32 bits and of whole groups of ${group} rows`,
      { area: 'take_rows' },
    );
    return { y: tensorType(x.dtype, [dim(indices, 0) * group, ...rest]) };
  },
  launch({ x, indices }, { y }, { group, numbers = false }) {
    const rows_in = (numbers ? sizeOf(x.shape) : dim(x, 0)) / group;
    const params = { rows: dim(indices, 0), width: sizeOf(x.shape) / rows_in, rows_in };
    const grid = gridOf(sizeOf(y.shape), 256);
    return [{ shader: 'take-rows', entry: 'take_rows', params, bind: { x, indices, y }, grid }];
  },
});

/**
 * Groups indices u32 [n] of the rows of x [N·group,..]: [n·group,..]. Not differentiable: for decoding.
 *
 * @example
 * const rows = takeRows(graph, x, graph.input('indices', 'u32', [3]));
 */
export const takeRows = (builder: Builder, x: Value, indices: Value, group = 1): Value =>
  applyOp(builder, takeRowsOp, { x, indices }, { group }).y;

/**
 * Numbers indices u32 [n] of x of any shape, in row-major order: [n]. Not differentiable: for decoding.
 *
 * @example
 * const some = takeNumbers(graph, logits, graph.input('indices', 'u32', [3]));
 */
export const takeNumbers = (builder: Builder, x: Value, indices: Value): Value =>
  applyOp(builder, takeRowsOp, { x, indices }, { group: 1, numbers: true }).y;
