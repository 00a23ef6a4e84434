// Sums over rows: the second stage of gradients whose first stage computes a row of partial sums for each
// block of rows.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { alignedSize, dim, matrixOf, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { gridOf, shaderFor, vecWidth } from '../work-division.ts';

/** Maximum number of slices: each is a binding of its own. */
const maxSlices = 2;

/** partials [.., slices*C]; `slices` sums [C] over its rows, in order of the rows. */
export const columnSumOp = defineOp({
  name: 'column_sum',
  inputs: ['partials'],
  outputs: ['sums[]'],
  /** Number of equal slices that the columns are divided into: 2 for (dgamma, dbeta). */
  attrs: attrsOf<{ readonly slices: number }>({ slices: 'number' }),
  shape({ partials }, { slices }) {
    check(slices >= 1 && slices <= maxSlices, msg`${slices} slices, must be 1 to ${maxSlices}`, {
      area: 'column_sum',
    });
    expectType('column_sum', 'partials', partials, 'f32');
    const { cols } = matrixOf(partials.shape);
    check(cols % slices === 0, () => msg`${show(partials.shape)} does not divide into ${slices} slices`, {
      area: 'column_sum',
    });
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
  applyOp(builder, columnSumOp, { partials }, { slices }).sums;

/**
 * Column sums of the partial sums of many norms in one dispatch; the rewrite `norm-sums` inserts it.
 * partials, a buffer in which those of each norm follow one another; sums [count, 2, alignedSize(cols)]: dgamma
 * and dbeta of each norm in the layout of the weights.
 */
export const normSumsOp = defineOp({
  name: 'norm_sums',
  inputs: ['partials'],
  outputs: ['sums'],
  /**
   * `count` norms of width `cols`, each with `rows` partial sums [2·cols]; `stride`: elements from norm to
   * norm.
   */
  attrs: attrsOf<{
    readonly count: number;
    readonly rows: number;
    readonly cols: number;
    readonly stride: number;
  }>(),
  shape({ partials }, { count, rows, cols, stride }) {
    expectType('norm_sums', 'partials', partials, 'f32');
    check(
      dim(partials, 0) >= count * stride && stride >= rows * 2 * cols,
      () => msg`${count} norms of ${rows} rows of ${2 * cols} do not fit partials ${show(partials.shape)}`,
      { area: 'norm_sums' },
    );
    return { sums: tensorType('f32', [count, 2, alignedSize(cols)]) };
  },
  launch({ partials }, { sums }, { count, rows, cols, stride }) {
    const width = stride % 4 === 0 ? vecWidth(cols) : 1;
    return [
      {
        shader: shaderFor('column-sum', width),
        entry: 'norm_sums',
        params: { rows, cols, stride, part: alignedSize(cols) },
        bind: { partials, sums0: sums },
        grid: [Math.ceil((2 * cols) / width / 64), count, 1],
        flops: count * rows * 2 * cols,
      },
    ];
  },
});
