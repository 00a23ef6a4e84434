// RMSNorm over the last axis (Zhang and Sennrich, 2019), by itself and fused with the residual connection before it and its
// dropout.

import { check } from '../../core/errors.ts';
import { matrixOf, sameShape, show, type TensorType } from '../../core/tensor.ts';
import type { DropoutAttrs } from '../dropout-mask.ts';
import { attrsOf, type Builder, defineOp, tensorType, type Value } from '../op.ts';
import { expectDropout, expectType } from '../type-checks.ts';
import { rowGroupsFor } from '../work-division.ts';
import { addNormLaunch, type LayerNormAttrs, normLaunch } from './layer-norm.ts';

/** Types of a norm and of the statistics of its rows. */
function normTypes(op: string, x: TensorType, gamma: TensorType) {
  const { rows, cols } = matrixOf(x.shape);
  expectType(op, 'x', x, 'f32');
  expectType(op, 'gamma', gamma, 'f32', [cols], `x is ${show(x.shape)}`);
  return { y: tensorType('f32', x.shape), stats: tensorType('f32', [rows]) };
}

const variants = ({ x }: { readonly x: TensorType }) => rowGroupsFor(matrixOf(x.shape).cols);

/**
 * x [..,D], gamma [D]; y [..,D] and stats [rows], 1 / sqrt(mean(x²) + eps) of each row. x stays f32: the residual stream
 * of T5 exceeds float16.
 */
export const rmsNormOp = defineOp({
  name: 'rms_norm',
  inputs: ['x', 'gamma'],
  outputs: ['y', 'stats'],
  attrs: attrsOf<LayerNormAttrs>(),
  shape: ({ x, gamma }) => normTypes('rms_norm', x, gamma),
  f16Storage: ['y'],
  variants,
  launch: ({ x, gamma }, outputs, { eps }, context) => [
    normLaunch({ x, gamma, beta: gamma, ...outputs }, eps, context, true),
  ],
});

/** `eps` and the dropout before the residual connection. */
export type AddRmsNormAttrs = LayerNormAttrs & DropoutAttrs;

/**
 * x [..,D], residual [..,D], gamma [D], step if there is dropout; s = residual + dropout(x), y = RMSNorm of s, and stats
 * [rows]. s may take the memory of either addend.
 */
export const addRmsNormOp = defineOp({
  name: 'add_rms_norm',
  inputs: ['x', 'residual', 'gamma', 'step?'],
  outputs: ['y', 's', 'stats'],
  attrs: attrsOf<AddRmsNormAttrs>(),
  shape({ x, residual, gamma, step }, { rate }) {
    check(
      sameShape(x.shape, residual.shape),
      () => `add_rms_norm: shapes differ, x ${show(x.shape)} + residual ${show(residual.shape)}`,
    );
    expectDropout('add_rms_norm', rate, step);
    return { ...normTypes('add_rms_norm', x, gamma), s: x };
  },
  // x and the sum stay f32: those of large T5 models do not fit in f16.
  f16Storage: ['y'],
  inPlace: { s: ['residual', 'x'] },
  variants,
  launch: (inputs, outputs, attrs, context) => [
    addNormLaunch({ ...inputs, beta: inputs.gamma, ...outputs }, attrs, context, true),
  ],
});

/**
 * RMSNorm of x [..,D] over its last axis. After an addition the rewrite `residual-norm` makes one kernel of both.
 *
 * @example
 * const y = rmsNorm(graph, x, gamma, 1e-6);
 */
export const rmsNorm = (builder: Builder, x: Value, gamma: Value, eps: number): Value =>
  builder.apply(rmsNormOp, { x, gamma }, { eps }).y;
