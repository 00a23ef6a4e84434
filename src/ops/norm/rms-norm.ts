// RMSNorm over the last axis (Zhang and Sennrich, 2019), by itself and fused with the residual connection before it and its
// dropout.

import type { DropoutAttrs } from '../elementwise/elementwise-ops.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { addNormLaunch, addNormTypes, type LayerNormAttrs, normLaunch, normTypes, normVariants } from './layer-norm.ts';

/**
 * x [..,D], gamma [D]; y [..,D] and stats [rows], 1 / sqrt(mean(x²) + eps) of each row. x stays f32: the residual stream
 * of T5 exceeds float16.
 */
export const rmsNormOp = defineOp({
  name: 'rms_norm',
  inputs: ['x', 'gamma'],
  outputs: ['y', 'stats'],
  attrs: attrsOf<LayerNormAttrs>(),
  shape: (inputs) => normTypes('rms_norm', inputs),
  f16Storage: ['y'],
  variants: normVariants,
  launch: ({ x, gamma }, outputs, { eps }, context) => [
    normLaunch({ x, gamma, beta: gamma, ...outputs }, eps, context, true),
  ],
});

/**
 * x [..,D], residual [..,D], gamma [D], step if there is dropout; s = residual + dropout(x), y = RMSNorm of s, and stats
 * [rows]. s may take the memory of either addend.
 */
export const addRmsNormOp = defineOp({
  name: 'add_rms_norm',
  inputs: ['x', 'residual', 'gamma', 'step?'],
  outputs: ['y', 's', 'stats'],
  /** `eps` and the dropout before the residual connection. */
  attrs: attrsOf<LayerNormAttrs & DropoutAttrs>(),
  shape: (inputs, attrs) => addNormTypes('add_rms_norm', inputs, attrs),
  // x and the sum stay f32: those of large T5 models do not fit in f16.
  f16Storage: ['y'],
  inPlace: { s: ['residual', 'x'] },
  variants: normVariants,
  launch: (inputs, outputs, attrs, context) => [
    addNormLaunch({ ...inputs, beta: inputs.gamma, ...outputs }, attrs, context, true),
  ],
});

/** RMSNorm of x [..,D] over its last axis. After an addition the rewrite `residual-norm` makes one kernel of both. */
export const rmsNorm = (builder: Builder, x: Value, gamma: Value, eps: number): Value =>
  builder.apply(rmsNormOp, { x, gamma }, { eps }).y;
