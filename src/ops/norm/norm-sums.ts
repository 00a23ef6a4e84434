// Column sums of many norms at once: the second stage of their gradients, whose first stages leave partial sums one
// after another in one buffer. One dispatch instead of one for each norm; the rewrite `norm-sums` inserts it.

import { check } from '../../core/errors.ts';
import { show } from '../../core/tensor.ts';
import { attrsOf, defineOp, dim, tensorType } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { shaderFor, vecWidth } from '../work-division.ts';

/**
 * `count` norms of width `cols`, with `rows` rows of partial sums [2·cols] each; a norm's rows start every `stride`
 * elements.
 */
export type NormSumsAttrs = {
  readonly count: number;
  readonly rows: number;
  readonly cols: number;
  readonly stride: number;
};

/** Elements to the next multiple of 64, where slices of parameter buffers start. */
export const padded = (n: number): number => Math.ceil(n / 64) * 64;

/**
 * partials, a buffer of partial sums; sums [count, 2, padded(cols)]: dgamma and dbeta of each norm in the layout of the
 * weights.
 */
export const normSumsOp = defineOp({
  name: 'norm_sums',
  inputs: ['partials'],
  outputs: ['sums'],
  attrs: attrsOf<NormSumsAttrs>(),
  shape({ partials }, { count, rows, cols, stride }) {
    expectType('norm_sums', 'partials', partials, 'f32');
    check(
      dim(partials, 0) >= count * stride && stride >= rows * 2 * cols,
      () => `norm_sums: ${count} norms of ${rows} rows of ${2 * cols} do not fit partials ${show(partials.shape)}`,
    );
    return { sums: tensorType('f32', [count, 2, padded(cols)]) };
  },
  launch({ partials }, { sums }, { count, rows, cols, stride }) {
    const width = stride % 4 === 0 ? vecWidth(cols) : 1;
    return [
      {
        shader: shaderFor('column-sum', width),
        entry: 'norm_sums',
        params: { rows, cols, stride, part: padded(cols) },
        bind: { partials, sums0: sums },
        grid: [Math.ceil((2 * cols) / width / 64), count, 1],
        flops: count * rows * 2 * cols,
      },
    ];
  },
});
