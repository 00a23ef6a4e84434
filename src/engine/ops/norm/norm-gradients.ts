// The gradients of norms and of softmax. Only the backward pass loads this file.

import { columnSum } from '../elementwise/column-sum.ts';
import { type DropoutAttrs, dropout } from '../elementwise/elementwise-ops.ts';
import type { Builder, Value } from '../op.ts';
import { type GradientsOf, gradient } from '../op-gradient.ts';
import type * as layerNormModule from './layer-norm.ts';
import { addLayerNormOp, addRmsNormOp, type LayerNormAttrs, layerNormOp, rmsNormOp } from './layer-norm.ts';
import { layerNormBackwardOp, rmsNormBackwardOp } from './layer-norm-backward.ts';
import type * as softmaxModule from './softmax.ts';
import { softmaxBackwardOp, softmaxOp } from './softmax.ts';

/** The inputs of a norm that its gradient reads; RMSNorm has no beta. */
interface NormInputs {
  readonly x: Value;
  readonly gamma: Value;
  readonly beta?: Value;
  readonly step?: Value;
}

/** The gradients of a norm of s = x, or of s = residual + dropout(x). */
function gradientsOfNorm(
  builder: Builder,
  backward: typeof layerNormBackwardOp,
  { x, gamma, beta, step }: NormInputs,
  { s = x, stats }: { readonly s?: Value; readonly stats: Value },
  { y: dy, s: ds }: { readonly y?: Value; readonly s?: Value },
  { rate = 0, site = 0 }: Partial<DropoutAttrs> & LayerNormAttrs,
): Record<string, Value | undefined> {
  const mask = { rate, site };
  if (!dy) return { x: ds && step ? dropout(builder, ds, step, mask) : ds, residual: ds };
  const { dsTotal, partials, dx } = builder.apply(backward, { dy, s, stats, gamma, ds, step }, mask);
  const needsWeights = builder.needs(gamma) || (beta && builder.needs(beta));
  const [dgamma, dbeta] = needsWeights ? columnSum(builder, partials, beta ? 2 : 1) : [];
  return { x: dx ?? dsTotal, residual: dsTotal, gamma: dgamma, beta: dbeta };
}

/** The gradient of each op of the family that has one. */
export const normGradients = {
  layerNormOp: gradient(layerNormOp, (builder, ...rest) =>
    gradientsOfNorm(builder, layerNormBackwardOp, ...rest),
  ),
  addLayerNormOp: gradient(addLayerNormOp, (builder, ...rest) =>
    gradientsOfNorm(builder, layerNormBackwardOp, ...rest),
  ),
  rmsNormOp: gradient(rmsNormOp, (builder, ...rest) => gradientsOfNorm(builder, rmsNormBackwardOp, ...rest)),
  addRmsNormOp: gradient(addRmsNormOp, (builder, ...rest) =>
    gradientsOfNorm(builder, rmsNormBackwardOp, ...rest),
  ),
  softmaxOp: gradient(softmaxOp, (builder, { lens }, { y }, { y: dy }, attrs) => ({
    x: dy && builder.apply(softmaxBackwardOp, { y, dy, lens }, attrs).dx,
  })),
} satisfies GradientsOf<typeof layerNormModule & typeof softmaxModule, 'softmaxBackwardOp'>;
