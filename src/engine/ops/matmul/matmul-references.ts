// References of matrix products.

import { activate, activationDerivative } from '../elementwise/activation-references.ts';
import { dropoutFactor } from '../elementwise/dropout-reference.ts';
import { type OpReference, opReference, type ReferenceOf } from '../op.ts';
import { linearOp } from './linear.ts';
import { linearBackwardOp } from './linear-backward.ts';
import { matmulOp, productSizes } from './matmul.ts';
import { packedLinearOp } from './packed-linear.ts';
import { packedLinearBackwardOp } from './packed-linear-backward.ts';
import { packedRow } from './packed-weights.ts';

/** Reference of `linearOp`. */
export const linearReference: ReferenceOf<typeof linearOp> = ({ x, w, b, step }, { y, z }, attrs) => {
  const factor = dropoutFactor(step, attrs);
  for (let i = 0; i < x.rows; i++)
    for (let j = 0; j < w.rows; j++) {
      let sum = b?.at(j) ?? 0;
      for (let k = 0; k < x.cols; k++) sum += x.at(i, k) * w.at(j, k);
      y.set(i, j, activate(sum, attrs.activation) * factor(i * w.rows + j));
      z?.set(i, j, sum);
    }
};

/** Reference of `linearBackwardOp`. */
export const linearBackwardReference: ReferenceOf<typeof linearBackwardOp> = (
  { dy, x, w, operand, step },
  { dx, dw, db },
  attrs,
) => {
  for (let r = 0; r < x.rows; r++)
    for (let j = 0; j < w.rows; j++) {
      const d = dy.at(r, j);
      db?.add(j, d);
      for (let i = 0; i < x.cols; i++) {
        dx?.add(r, i, d * w.at(j, i));
        dw?.add(j, i, d * x.at(r, i));
      }
    }
  if (!dx) return;
  const factor = dropoutFactor(step, attrs);
  const { epilogue } = attrs;
  for (let i = 0; i < dx.size; i++) {
    const e = operand?.at(i) ?? 0;
    if (epilogue === 'add') dx.set(i, dx.at(i) * factor(i) + e);
    else dx.set(i, dx.at(i) * activationDerivative(e, epilogue) * factor(i));
  }
};

/** Reference of `packedLinearOp`. */
export const packedLinearReference: ReferenceOf<typeof packedLinearOp> = (
  { x, words, scales, b },
  { y },
  { format },
) => {
  for (let j = 0; j < words.rows; j++) {
    const w = packedRow(format, { words, scales }, j, x.cols);
    for (let i = 0; i < x.rows; i++) {
      let sum = b?.at(j) ?? 0;
      for (const [k, weight] of w.entries()) sum += x.at(i, k) * weight;
      y.set(i, j, sum);
    }
  }
};

/** Reference of `packedLinearBackwardOp`. */
export const packedLinearBackwardReference: ReferenceOf<typeof packedLinearBackwardOp> = (
  { dy, words, scales },
  { dx },
  { format, ins },
) => {
  for (let o = 0; o < words.rows; o++)
    for (const [i, weight] of packedRow(format, { words, scales }, o, ins).entries())
      for (let r = 0; r < dy.rows; r++) dx.add(r, i, dy.at(r, o) * weight);
};

/** References of the ops of this folder. */
export const matmulReferences: readonly OpReference[] = [
  opReference(matmulOp, ({ a, b }, { c }, attrs) => {
    const { m, n, k, batch = 1 } = productSizes(a, b, attrs);
    for (let z = 0; z < batch; z++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let l = 0; l < k; l++)
            sum +=
              (attrs.transA ? a.at(z, l, i) : a.at(z, i, l)) * (attrs.transB ? b.at(z, j, l) : b.at(z, l, j));
          c.set(z, i, j, sum);
        }
  }),
  opReference(linearOp, linearReference),
  opReference(linearBackwardOp, linearBackwardReference),
  opReference(packedLinearOp, packedLinearReference),
  opReference(packedLinearBackwardOp, packedLinearBackwardReference),
];
