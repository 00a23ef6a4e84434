// The index of the largest number of each row: the token that greedy decoding takes.

import { matrixOf, sizeOf } from '../tensor.ts';
import { rowShape } from './cross-entropy.ts';
import { expectType, inputAt } from './expect.ts';
import { type Builder, defineOp, gridOf, type Value } from './op.ts';
import { shaderFor, teamOf, teamsFor } from './row-teams.ts';

/** Input x [..,V]; output i32 [..], the lowest index of the largest number of each row. */
export const argmaxOp = defineOp({
  name: 'argmax',
  shape(inputs) {
    const x = inputAt('argmax', inputs, 0, 'x');
    expectType('argmax', 'x', x, 'f32');
    return [{ dtype: 'i32', shape: rowShape(x.shape) }];
  },
  variants: ({ inputs }) => teamsFor(matrixOf(inputs[0]!.shape).cols),
  launch({ inputs, outputs }, { variant, scratch }) {
    const logits = inputs[0]!;
    const { rows, cols } = matrixOf(logits.shape);
    return [
      {
        shader: shaderFor('cross-entropy', matrixOf(logits.shape).cols),
        entry: 'argmax',
        constants: { ...teamOf(variant) },
        params: { rows, cols, smoothing: 0, ignores: 0, ignored: 0 },
        bind: { logits, indices: outputs[0]!, dlogits: scratch('f32', [4]) },
        grid: gridOf(rows, teamOf(variant).ROWS),
        flops: sizeOf(logits.shape),
      },
    ];
  },
  reference({ inputs: [x], outputs: [indices] }) {
    const V = matrixOf(x!.shape).cols;
    for (let row = 0; row < indices!.data.length; row++) {
      const z = x!.data.subarray(row * V, (row + 1) * V);
      indices!.data[row] = z.indexOf(z.reduce((a, b) => Math.max(a, b)));
    }
  },
});

/** The lowest index of the largest number of each row of x [..,V]: i32 [..]. */
export function argmax(builder: Builder, x: Value): Value {
  return builder.apply(argmaxOp, [x], {})[0]!;
}
