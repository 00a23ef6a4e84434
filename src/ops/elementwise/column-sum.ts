// Sums over rows: the second stage of gradients whose first stage left one row of partial sums a block.

import { check } from '../../core/errors.ts';
import { matrixOf, show, sizeOf } from '../../core/tensor.ts';
import { expectType } from '../expect.ts';
import { type Builder, defineOp, gridOf, type Value } from '../op.ts';

/** Into how many equal parts each row of sums is cut: 2 for (dgamma, dbeta). */
export type ColumnSumAttrs = { readonly parts: number };

/** The largest `parts`: every part is a binding of its own. */
const mostParts = 2;

/**
 * Inputs partials [.., parts*C], any number of them; outputs for each in turn `parts` tensors [C], the sums over its rows, in order
 * of the rows.
 */
export const columnSumOp = defineOp<ColumnSumAttrs>({
  name: 'column_sum',
  shape(inputs, { parts }) {
    check(inputs.length > 0, 'column_sum: needs at least one input');
    check(parts >= 1 && parts <= mostParts, `column_sum: ${parts} parts, must be 1 to ${mostParts}`);
    return inputs.flatMap((x) => {
      expectType('column_sum', 'partials', x, 'f32');
      const { cols } = matrixOf(x.shape);
      check(cols % parts === 0, () => `column_sum: ${show(x.shape)} does not divide into ${parts} parts`);
      return Array.from({ length: parts }, () => ({ dtype: 'f32' as const, shape: [cols / parts] }));
    });
  },
  launch({ inputs, outputs, attrs: { parts } }) {
    return inputs.map((partials, i) => {
      const { rows, cols } = matrixOf(partials.shape);
      const sums = outputs.slice(i * parts, (i + 1) * parts);
      const bind: Record<string, Value> = { partials };
      for (const [p, v] of sums.entries()) bind[`sums${p}`] = v;
      return {
        shader: 'column-sum',
        entry: `column_sum_${parts}`,
        params: { rows, cols: cols / parts },
        bind,
        grid: gridOf(cols, 64),
        flops: sizeOf(partials.shape),
      };
    });
  },
  reference({ attrs: { parts }, inputs, outputs }) {
    for (const [i, x] of inputs.entries()) {
      const { cols } = matrixOf(x.shape);
      for (const [k, value] of x.data.entries()) {
        const c = k % cols;
        outputs[i * parts + Math.floor(c / (cols / parts))]!.data[c % (cols / parts)]! += value;
      }
    }
  },
});

/** Sums over the rows of partials [.., parts*C]: `parts` tensors [C]. */
export function columnSum(builder: Builder, partials: Value, parts = 1): Value[] {
  return builder.apply(columnSumOp, [partials], { parts });
}
