// Column sums of many norms at once: the second stage of their gradients, whose first stages left partial sums side by side in one
// bank. One dispatch instead of one a norm; the rewrite `norm-sums` puts it there.

import { check } from '../../core/errors.ts';
import { show } from '../../core/tensor.ts';
import { expectType } from '../expect.ts';
import { defineOp, type Value } from '../op.ts';

/** `count` norms of width `cols`, with `rows` rows of partial sums [2·cols] each; a norm's rows start every `stride` elements. */
export type NormSumsAttrs = {
  readonly count: number;
  readonly rows: number;
  readonly cols: number;
  readonly stride: number;
};

/** Elements to the next multiple of 64, where parts of banks start. */
export const padded = (n: number): number => Math.ceil(n / 64) * 64;

/** Input bank of partial sums; output sums [count, 2, padded(cols)]: dgamma and dbeta of each norm as the weights lie. */
export const normSumsOp = defineOp<NormSumsAttrs>({
  name: 'norm_sums',
  shape([bank], { count, rows, cols, stride }) {
    expectType('norm_sums', 'bank', bank, 'f32');
    check(
      (bank.shape[0] ?? 0) >= count * stride && stride >= rows * 2 * cols,
      () => `norm_sums: ${count} norms of ${rows} rows of ${2 * cols} do not fit bank ${show(bank.shape)}`,
    );
    return [{ dtype: 'f32', shape: [count, 2, padded(cols)] }];
  },
  launch({ inputs, outputs, attrs }) {
    const { count, rows, cols, stride } = attrs;
    return [
      {
        shader: 'norm-sums',
        entry: 'norm_sums',
        params: { rows, cols, stride, part: padded(cols) },
        bind: { partials: inputs[0] as Value, sums: outputs[0] as Value },
        grid: [Math.ceil((2 * cols) / 64), count, 1],
        flops: count * rows * 2 * cols,
      },
    ];
  },
  reference({ attrs: { count, rows, cols, stride }, inputs: [bank], outputs: [sums] }) {
    for (let n = 0; n < count; n++)
      for (let c = 0; c < 2 * cols; c++) {
        let sum = 0;
        for (let r = 0; r < rows; r++) sum += bank!.data[n * stride + r * 2 * cols + c]!;
        const part = c < cols ? 0 : 1;
        sums!.data[(2 * n + part) * padded(cols) + (c - part * cols)] = sum;
      }
  },
});
