// References of norms and softmax.

import { dropoutFactor } from '../elementwise/dropout-reference.ts';
import { type OpReference, opReference } from '../op.ts';
import type { ReferenceTensor } from '../reference-tensor.ts';
import { addLayerNormOp, layerNormOp } from './layer-norm.ts';
import { layerNormBackwardOp, rmsNormBackwardOp, rowsPerBlock } from './layer-norm-backward.ts';
import { addRmsNormOp, rmsNormOp } from './rms-norm.ts';
import { type SoftmaxAttrs, softmaxBackwardOp, softmaxOp } from './softmax.ts';

/** Layer norm of each row of `s`. */
function layerNormalize(
  s: ReferenceTensor,
  gamma: ReferenceTensor,
  beta: ReferenceTensor,
  eps: number,
  y: ReferenceTensor,
  stats: ReferenceTensor,
): void {
  for (let r = 0; r < s.rows; r++) {
    const mean = s.row(r).reduce((a, v) => a + v, 0) / s.cols;
    const variance = s.row(r).reduce((a, v) => a + (v - mean) ** 2, 0) / s.cols;
    const rstd = 1 / Math.sqrt(variance + eps);
    for (let c = 0; c < s.cols; c++) y.set(r, c, (s.at(r, c) - mean) * rstd * gamma.at(c) + beta.at(c));
    stats.set(r, 0, mean);
    stats.set(r, 1, rstd);
  }
}

/** RMSNorm of each row of `s`. */
function rmsNormalize(
  s: ReferenceTensor,
  gamma: ReferenceTensor,
  eps: number,
  y: ReferenceTensor,
  stats: ReferenceTensor,
): void {
  for (let r = 0; r < s.rows; r++) {
    const meanSquare = s.row(r).reduce((a, v) => a + v * v, 0) / s.cols;
    const rstd = 1 / Math.sqrt(meanSquare + eps);
    for (let c = 0; c < s.cols; c++) y.set(r, c, s.at(r, c) * rstd * gamma.at(c));
    stats.set(r, rstd);
  }
}

/** Of the gradients of layer norm, or with `rms` of RMSNorm. */
const backward = (op: typeof layerNormBackwardOp, rms: boolean): OpReference =>
  opReference(op, ({ dy, s, stats, gamma, ds, step }, { dsTotal, partials, dx }, attrs) => {
    const D = dy.cols;
    const block = rowsPerBlock(dy.rows);
    const factor = dropoutFactor(step, attrs);
    for (let r = 0; r < dy.rows; r++) {
      const [mean, rstd] = rms ? [0, stats.at(r)] : [stats.at(r, 0), stats.at(r, 1)];
      const g = (c: number) => dy.at(r, c) * gamma.at(c);
      const n = (c: number) => (s.at(r, c) - mean) * rstd;
      let meanG = 0;
      let meanGn = 0;
      for (let c = 0; c < D; c++) {
        if (!rms) meanG += g(c) / D;
        meanGn += (g(c) * n(c)) / D;
      }
      for (let c = 0; c < D; c++) {
        const total = rstd * (g(c) - meanG - n(c) * meanGn) + (ds?.at(r, c) ?? 0);
        dsTotal.set(r, c, total);
        dx?.set(r, c, total * factor(r * D + c));
        partials.add(Math.floor(r / block), c, dy.at(r, c) * n(c));
        if (!rms) partials.add(Math.floor(r / block), D + c, dy.at(r, c));
      }
    }
  });

/** Number of columns of x that row `row` sees. */
function visible(x: ReferenceTensor, lens: ReferenceTensor | undefined, { causal }: SoftmaxAttrs, row: number): number {
  const length = lens?.at(Math.floor(row / (x.rows / x.dim(0)))) ?? x.cols;
  return Math.min(x.cols, length, causal ? (row % x.dim(-2)) + 1 : x.cols);
}

/** References of the ops of this folder. */
export const normReferences: readonly OpReference[] = [
  opReference(layerNormOp, ({ x, gamma, beta }, { y, stats }, { eps }) => {
    layerNormalize(x, gamma, beta, eps, y, stats);
  }),
  opReference(addLayerNormOp, ({ x, residual, gamma, beta, step }, { y, s, stats }, { eps, ...mask }) => {
    const factor = dropoutFactor(step, mask);
    for (let i = 0; i < s.size; i++) s.set(i, residual.at(i) + x.at(i) * factor(i));
    layerNormalize(s, gamma, beta, eps, y, stats);
  }),
  opReference(rmsNormOp, ({ x, gamma }, { y, stats }, { eps }) => {
    rmsNormalize(x, gamma, eps, y, stats);
  }),
  opReference(addRmsNormOp, ({ x, residual, gamma, step }, { y, s, stats }, { eps, ...mask }) => {
    const factor = dropoutFactor(step, mask);
    for (let i = 0; i < s.size; i++) s.set(i, residual.at(i) + x.at(i) * factor(i));
    rmsNormalize(s, gamma, eps, y, stats);
  }),
  opReference(softmaxOp, ({ x, lens }, { y }, attrs) => {
    for (let r = 0; r < x.rows; r++) {
      const scores = Array.from(x.row(r).subarray(0, visible(x, lens, attrs, r)));
      const max = Math.max(...scores);
      const total = scores.reduce((sum, s) => sum + Math.exp(s - max), 0);
      for (const [c, s] of scores.entries()) y.set(r, c, Math.exp(s - max) / total);
    }
  }),
  opReference(softmaxBackwardOp, ({ y, dy, lens }, { dx }, attrs) => {
    for (let r = 0; r < y.rows; r++) {
      const n = visible(y, lens, attrs, r);
      let sum = 0;
      for (let c = 0; c < n; c++) sum += y.at(r, c) * dy.at(r, c);
      for (let c = 0; c < n; c++) dx.set(r, c, y.at(r, c) * (dy.at(r, c) - sum));
    }
  }),
  backward(layerNormBackwardOp, false),
  backward(rmsNormBackwardOp, true),
];
