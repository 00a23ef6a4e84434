// References of norms and softmax.

import { dropoutFactor } from '../elementwise/dropout-reference.ts';
import { type OpReference, opReference } from '../op.ts';
import { type ReferenceTensor, softmaxOf, sum } from '../reference-tensor.ts';
import {
  type AddLayerNormAttrs,
  addLayerNormOp,
  addRmsNormOp,
  layerNormOp,
  rmsNormOp,
} from './layer-norm.ts';
import { layerNormBackwardOp, rmsNormBackwardOp, rowsPerBlock } from './layer-norm-backward.ts';
import { type SoftmaxAttrs, softmaxBackwardOp, softmaxOp } from './softmax.ts';

/** Gain and, in layer norm, bias; RMSNorm has no beta. */
interface Affine {
  readonly gamma: ReferenceTensor;
  readonly beta?: ReferenceTensor;
}

/** Layer norm of each row of `s`, or RMSNorm without beta. */
function normalize(
  s: ReferenceTensor,
  { gamma, beta }: Affine,
  eps: number,
  y: ReferenceTensor,
  stats: ReferenceTensor,
): void {
  for (let r = 0; r < s.rows; r++) {
    const mean = beta ? sum(s.cols, (c) => s.at(r, c)) / s.cols : 0;
    const d = (c: number) => s.at(r, c) - mean;
    const variance = sum(s.cols, (c) => d(c) ** 2) / s.cols;
    const rstd = 1 / Math.sqrt(variance + eps);
    for (let c = 0; c < s.cols; c++) y.set(r, c, d(c) * rstd * gamma.at(c));
    if (beta) for (let c = 0; c < s.cols; c++) y.add(r, c, beta.at(c));
    if (beta) stats.set(r, 0, mean);
    stats.set(beta ? 2 * r + 1 : r, rstd);
  }
}

/** The same of s = residual + dropout(x). */
export function addAndNormalize(
  {
    x,
    residual,
    step,
    ...affine
  }: Affine & Record<'x' | 'residual', ReferenceTensor> & { step?: ReferenceTensor },
  { y, s, stats }: Record<'y' | 's' | 'stats', ReferenceTensor>,
  { eps, ...mask }: AddLayerNormAttrs,
): void {
  const factor = dropoutFactor(step, mask);
  for (let i = 0; i < s.size; i++) s.set(i, residual.at(i) + x.at(i) * factor(i));
  normalize(s, affine, eps, y, stats);
}

/** Reference of the gradients of layer norm, or with `rms` of RMSNorm. */
const backward = (op: typeof layerNormBackwardOp, rms: boolean): OpReference =>
  opReference(op, ({ dy, s, stats, gamma, ds, step }, { dsTotal, partials, dx }, attrs) => {
    const D = dy.cols;
    const block = rowsPerBlock(dy.rows);
    const factor = dropoutFactor(step, attrs);
    for (let r = 0; r < dy.rows; r++) {
      const [mean, rstd] = rms ? [0, stats.at(r)] : [stats.at(r, 0), stats.at(r, 1)];
      const g = (c: number) => dy.at(r, c) * gamma.at(c);
      const n = (c: number) => (s.at(r, c) - mean) * rstd;
      const meanG = rms ? 0 : sum(D, (c) => g(c) / D);
      const meanGn = sum(D, (c) => (g(c) * n(c)) / D);
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
function visible(
  x: ReferenceTensor,
  lens: ReferenceTensor | undefined,
  { causal }: SoftmaxAttrs,
  row: number,
): number {
  const length = lens?.at(Math.floor(row / (x.rows / x.dim(0)))) ?? x.cols;
  return Math.min(x.cols, length, causal ? (row % x.dim(-2)) + 1 : x.cols);
}

/** References of the ops of this folder. */
export const normReferences: readonly OpReference[] = [
  opReference(layerNormOp, ({ x, ...affine }, { y, stats }, { eps }) => normalize(x, affine, eps, y, stats)),
  opReference(addLayerNormOp, addAndNormalize),
  opReference(rmsNormOp, ({ x, ...affine }, { y, stats }, { eps }) => normalize(x, affine, eps, y, stats)),
  opReference(addRmsNormOp, addAndNormalize),
  opReference(softmaxOp, ({ x, lens }, { y }, attrs) => {
    for (let r = 0; r < x.rows; r++) {
      const scores = x.row(r).subarray(0, visible(x, lens, attrs, r));
      const { max, total } = softmaxOf(scores);
      for (const [c, s] of scores.entries()) y.set(r, c, Math.exp(s - max) / total);
    }
  }),
  opReference(softmaxBackwardOp, ({ y, dy, lens }, { dx }, attrs) => {
    for (let r = 0; r < y.rows; r++) {
      const n = visible(y, lens, attrs, r);
      const mean = sum(n, (c) => y.at(r, c) * dy.at(r, c));
      for (let c = 0; c < n; c++) dx.set(r, c, y.at(r, c) * (dy.at(r, c) - mean));
    }
  }),
  backward(layerNormBackwardOp, false),
  backward(rmsNormBackwardOp, true),
];
