// Sums over rows: the second stage of gradients whose first stage left one row of partial sums for each block of rows.

import { check } from '../../core/errors.ts';
import { matrixOf, show, sizeOf } from '../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, gridOf, tensorType, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { shaderFor, vecWidth } from '../work-division.ts';

/** Number of equal slices that the columns are divided into: 2 for (dgamma, dbeta). */
export type ColumnSumAttrs = { readonly slices: number };

/** Maximum number of slices: each is a binding of its own. */
const maxSlices = 2;

/** partials [.., slices*C]; `slices` sums [C] over its rows, in order of the rows. */
export const columnSumOp = defineOp({
  name: 'column_sum',
  inputs: ['partials'],
  outputs: ['sums[]'],
  attrs: attrsOf<ColumnSumAttrs>(),
  shape({ partials }, { slices }) {
    check(slices >= 1 && slices <= maxSlices, `column_sum: ${slices} slices, must be 1 to ${maxSlices}`);
    expectType('column_sum', 'partials', partials, 'f32');
    const { cols } = matrixOf(partials.shape);
    check(cols % slices === 0, () => `column_sum: ${show(partials.shape)} does not divide into ${slices} slices`);
    return { sums: Array.from({ length: slices }, () => tensorType('f32', [cols / slices])) };
  },
  launch({ partials }, { sums }, { slices }) {
    const { rows, cols } = matrixOf(partials.shape);
    return [
      {
        shader: shaderFor('column-sum', cols / slices),
        entry: `column_sum_${slices}`,
        params: { rows, cols: cols / slices, stride: 0, part: 0 },
        bind: { partials, ...Object.fromEntries(sums.map((v, s) => [`sums${s}`, v])) },
        grid: gridOf(cols / vecWidth(cols / slices), 64),
        flops: sizeOf(partials.shape),
      },
    ];
  },
});

/**
 * Sums over the rows of partials [.., slices*C]: `slices` tensors [C].
 *
 * @example
 * const [dgamma, dbeta] = columnSum(graph, graph.input('partials', 'f32', [8, 128]), 2); // [64] each
 */
export const columnSum = (builder: Builder, partials: Value, slices = 1): readonly Value[] =>
  builder.apply(columnSumOp, { partials }, { slices }).sums;
