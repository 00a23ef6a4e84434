// Gradients of norms and softmax.

import { columnSum } from '../elementwise/column-sum.ts';
import { dropout } from '../elementwise/dropout.ts';
import { type Builder, type OpGradient, opGradient, type Value } from '../op.ts';
import { addLayerNormOp, layerNormOp } from './layer-norm.ts';
import { layerNormBackwardOp, rmsNormBackwardOp } from './layer-norm-backward.ts';
import { addRmsNormOp, rmsNormOp } from './rms-norm.ts';
import { softmaxBackwardOp, softmaxOp } from './softmax.ts';

const noDropout = { rate: 0, site: 0 };

/** The gradients of gamma and beta from their partial sums; none if neither is needed. */
function weightGradients(builder: Builder, partials: Value, gamma: Value, beta: Value) {
  if (!builder.needs(gamma) && !builder.needs(beta)) return {};
  const [dgamma, dbeta] = columnSum(builder, partials, 2);
  return { gamma: dgamma, beta: dbeta };
}

/** The gradient of gamma from its partial sums; undefined if it is not needed. */
const gammaGradient = (builder: Builder, partials: Value, gamma: Value): Value | undefined =>
  builder.needs(gamma) ? columnSum(builder, partials, 1)[0] : undefined;

/** Gradients of the ops of this folder. */
export const normGradients: readonly OpGradient[] = [
  opGradient(layerNormOp, (builder, { x, gamma, beta }, { stats }, { y: dy }) => {
    if (!dy) return {};
    const { dsTotal, partials } = builder.apply(layerNormBackwardOp, { dy, s: x, stats, gamma }, noDropout);
    return { x: dsTotal, ...weightGradients(builder, partials, gamma, beta) };
  }),
  opGradient(addLayerNormOp, (builder, { gamma, beta, step }, { s, stats }, { y: dy, s: ds }, { rate, site }) => {
    const mask = { rate, site };
    if (!dy) return ds ? { x: step ? dropout(builder, ds, step, mask) : ds, residual: ds } : {};
    const { dsTotal, partials, dx } = builder.apply(layerNormBackwardOp, { dy, s, stats, gamma, ds, step }, mask);
    return { x: dx ?? dsTotal, residual: dsTotal, ...weightGradients(builder, partials, gamma, beta) };
  }),
  opGradient(rmsNormOp, (builder, { x, gamma }, { stats }, { y: dy }) => {
    if (!dy) return {};
    const { dsTotal, partials } = builder.apply(rmsNormBackwardOp, { dy, s: x, stats, gamma }, noDropout);
    return { x: dsTotal, gamma: gammaGradient(builder, partials, gamma) };
  }),
  opGradient(addRmsNormOp, (builder, { gamma, step }, { s, stats }, { y: dy, s: ds }, { rate, site }) => {
    const mask = { rate, site };
    if (!dy) return ds ? { x: step ? dropout(builder, ds, step, mask) : ds, residual: ds } : {};
    const { dsTotal, partials, dx } = builder.apply(rmsNormBackwardOp, { dy, s, stats, gamma, ds, step }, mask);
    return { x: dx ?? dsTotal, residual: dsTotal, gamma: gammaGradient(builder, partials, gamma) };
  }),
  opGradient(softmaxOp, (builder, { lens }, { y }, { y: dy }, attrs) => ({
    x: dy && builder.apply(softmaxBackwardOp, { y, dy, lens }, attrs).dx,
  })),
];
