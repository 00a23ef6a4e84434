// References of elementwise ops.

import { type OpReference, opReference } from '../op.ts';
import { activationBackwardOp, gatedActivationBackwardOp } from './activation-backward.ts';
import { activate, activationDerivative } from './activation-references.ts';
import { castWeightsOp } from './cast-weights.ts';
import { columnSumOp, normSumsOp } from './column-sum.ts';
import { addColumnsOp, takeColumnsOp } from './columns.ts';
import { dropoutFactor } from './dropout-reference.ts';
import { activationOp, addOp, dropoutOp, logMeanOp } from './elementwise-ops.ts';
import { gatedActivationOp } from './gated-activation.ts';
import { joinColumnsOp } from './join-columns.ts';
import { roundWeightsOp } from './round-weights.ts';
import { takeRowsOp } from './take-rows.ts';
import { zeroRangeOp } from './zero-range.ts';

/** The smallest mean of `logMeanOp`: a smaller one, whose f32 is subnormal or 0, counts as this. */
const smallest = 1e-37;

/** x rounded to a whole number, ties to even. */
function roundEven(x: number): number {
  const down = Math.floor(x);
  return x - down === 0.5 ? down + (down % 2 === 0 ? 0 : 1) : Math.round(x);
}

/** References of the ops of this folder. */
export const elementwiseReferences: readonly OpReference[] = [
  opReference(activationOp, ({ x }, { y }, { kind }) => {
    for (let i = 0; i < y.size; i++) y.set(i, activate(x.at(i), kind));
  }),
  opReference(activationBackwardOp, ({ x, dy }, { dx }, { kind }) => {
    for (let i = 0; i < dx.size; i++) dx.set(i, dy.at(i) * activationDerivative(x.at(i), kind));
  }),
  opReference(addOp, ({ a, b }, { y }) => {
    for (let i = 0; i < y.size; i++) y.set(i, a.at(i) + b.at(i));
  }),
  opReference(castWeightsOp, ({ weights, copies }) => {
    copies.data.set(weights.data.subarray(0, copies.size));
  }),
  opReference(roundWeightsOp, ({ weights, copies }, _outputs, { parts }) => {
    const count = weights.size / parts;
    for (let part = 0; part < parts; part++) {
      const own = weights.data.subarray(part * count, (part + 1) * count);
      const m = 127 / (own.reduce((max, w) => Math.max(max, Math.abs(w)), 0) || 1);
      for (const [i, w] of own.entries()) copies.data[part * count + i] = roundEven(w * m) / m;
    }
  }),
  opReference(columnSumOp, ({ partials }, { sums }, { slices }) => {
    const width = partials.cols / slices;
    for (const [s, sum] of sums.entries())
      for (let r = 0; r < partials.rows; r++)
        for (let c = 0; c < width; c++) sum.add(c, partials.at(r, s * width + c));
  }),
  opReference(normSumsOp, ({ partials }, { sums }, { count, rows, cols, stride }) => {
    for (let n = 0; n < count; n++)
      for (let half = 0; half < 2; half++)
        for (let c = 0; c < cols; c++) {
          let sum = 0;
          for (let r = 0; r < rows; r++) sum += partials.at(n * stride + (2 * r + half) * cols + c);
          sums.set(n, half, c, sum);
        }
  }),
  opReference(addColumnsOp, ({ x, u }, { y }, { first, scale }) => {
    y.data.set(x.data);
    for (let r = 0; r < u.rows; r++) for (let c = 0; c < u.cols; c++) y.add(r, first + c, scale * u.at(r, c));
  }),
  opReference(joinColumnsOp, ({ a, b }, { y }) => {
    for (let r = 0; r < y.rows; r++) {
      y.row(r).set(a.row(r));
      y.row(r).set(b.row(r), a.cols);
    }
  }),
  opReference(takeColumnsOp, ({ x }, { y }, { first, scale }) => {
    for (let r = 0; r < y.rows; r++) for (let c = 0; c < y.cols; c++) y.set(r, c, scale * x.at(r, first + c));
  }),
  opReference(dropoutOp, ({ x, step }, { y }, attrs) => {
    const factor = dropoutFactor(step, attrs);
    for (let i = 0; i < y.size; i++) y.set(i, x.at(i) * factor(i));
  }),
  opReference(gatedActivationOp, ({ x }, { y }, { kind }) => {
    for (let r = 0; r < y.rows; r++)
      for (let c = 0; c < y.cols; c++) y.set(r, c, activate(x.at(r, c), kind) * x.at(r, y.cols + c));
  }),
  opReference(gatedActivationBackwardOp, ({ x, dy }, { dx }, { kind }) => {
    for (let r = 0; r < dy.rows; r++)
      for (let c = 0; c < dy.cols; c++) {
        const [a, b, d] = [x.at(r, c), x.at(r, dy.cols + c), dy.at(r, c)];
        dx.set(r, c, d * b * activationDerivative(a, kind));
        dx.set(r, dy.cols + c, d * activate(a, kind));
      }
  }),
  opReference(logMeanOp, ({ x }, { y }, { count }) => {
    for (let i = 0; i < y.size; i++) y.set(i, Math.log(Math.max(x.at(i) / count, smallest)));
  }),
  opReference(takeRowsOp, ({ x, indices }, { y }, { group, numbers = false }) => {
    const width = numbers ? 1 : (x.size / x.dim(0)) * group;
    for (const [i, row] of indices.data.entries())
      y.data.set(x.data.subarray(row * width, (row + 1) * width), i * width);
  }),
  opReference(zeroRangeOp, ({ x }, { y }, { first, end }) => {
    for (let i = 0; i < y.size; i++) y.set(i, i >= first && i < end ? 0 : x.at(i));
  }),
];
