// Layer norm (Ba et al., 2016) and RMSNorm (Zhang and Sennrich, 2019) over the last axis, by themselves and
// fused with the residual connection before them and its dropout.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { matrixOf, sameShape, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import { type DropoutAttrs, dropoutFields } from '../elementwise/elementwise-ops.ts';
import {
  applyOp,
  attrsOf,
  type Builder,
  defineOp,
  type Launch,
  type LaunchContext,
  type Value,
} from '../op.ts';
import { expectDropout, expectOptions, expectType } from '../type-checks.ts';
import { gridOf, type RowGroup, rowConstants, rowReductionsFor, shaderFor } from '../work-division.ts';

/** `eps` is added to the variance. */
export type LayerNormAttrs = { readonly eps: number };

/** `eps` and the dropout before the residual connection. */
export type AddLayerNormAttrs = LayerNormAttrs & DropoutAttrs;

type NormAttrs = LayerNormAttrs & Partial<DropoutAttrs>;

/** Inputs of a norm of x or, with `residual`, of s = residual + dropout(x); RMSNorm has no beta. */
interface NormInputs<T> {
  readonly x: T;
  readonly residual?: T;
  readonly gamma: T;
  readonly beta?: T;
  readonly step?: T;
}

/** Types of a norm, of s, and of the statistics of the rows: [rows,2], or [rows] without beta. */
function normTypes(
  op: string,
  { x, residual = x, gamma, beta, step }: NormInputs<TensorType>,
  { rate = 0 }: NormAttrs,
) {
  const { rows, cols } = matrixOf(x.shape);
  const sides = `x ${show(x.shape)} + residual ${show(residual.shape)}`;
  check(sameShape(x.shape, residual.shape), msg`shapes differ, ${sides}`, { area: op });
  expectDropout(op, rate, step);
  expectType(op, 'x', x, 'f32');
  expectType(op, 'gamma', gamma, 'f32', [cols], `x is ${show(x.shape)}`);
  if (beta) expectType(op, 'beta', beta, 'f32', [cols], `x is ${show(x.shape)}`);
  return { y: tensorType('f32', x.shape), s: x, stats: tensorType('f32', beta ? [rows, 2] : [rows]) };
}

/** The variants of all norms. */
const variants = ({ x }: { readonly x: TensorType }, _attrs: unknown, traits: DeviceTraits) =>
  rowReductionsFor(matrixOf(x.shape).cols, traits);

/** The dispatch of a norm. */
function launch(
  { x, residual, gamma, beta, step }: NormInputs<Value>,
  { y, s, stats }: { readonly y: Value; readonly s?: Value; readonly stats: Value },
  { eps, rate = 0, site = 0 }: NormAttrs,
  { variant, shared }: LaunchContext<string, string, RowGroup>,
): Launch[] {
  const { rows, cols } = matrixOf(x.shape);
  const IN_PLACE_OF = !residual ? 0 : shared('residual', 's') ? 1 : shared('x', 's') ? 2 : 0;
  return [
    {
      shader: shaderFor('layer-norm', cols, variant),
      entry: 'layer_norm',
      constants: {
        ...rowConstants(variant),
        ADD: residual ? 1 : 0,
        IN_PLACE_OF,
        DROPOUT: step ? 1 : 0,
        RMS: beta ? undefined : 1,
      },
      params: { rows, cols, eps, ...dropoutFields({ rate, site }) },
      bind: {
        gamma,
        beta,
        y,
        s,
        stats,
        // If s has taken the memory of an addend, the kernel reads the addend through s.
        x: IN_PLACE_OF === 2 ? undefined : x,
        residual: IN_PLACE_OF === 1 ? undefined : residual,
        step,
      },
      grid: gridOf(rows, variant.rows),
      flops: ((beta ? 8 : 5) + (residual ? 2 : 0)) * sizeOf(x.shape),
    },
  ];
}

/**
 * x [..,D], gamma [D], beta [D]; y [..,D] and stats [rows,2], the mean and 1 / sqrt(variance + eps) of each
 * row.
 */
export const layerNormOp = defineOp({
  name: 'layer_norm',
  inputs: ['x', 'gamma', 'beta'],
  outputs: ['y', 'stats'],
  attrs: attrsOf<LayerNormAttrs>({ eps: 'number' }),
  shape: (inputs, attrs) => normTypes('layer_norm', inputs, attrs),
  f16Storage: ['x', 'y'],
  variants,
  launch,
});

/**
 * x [..,D], residual [..,D], gamma [D], beta [D], step if there is dropout; s = residual + dropout(x), y =
 * layer norm of s, and stats [rows,2]. s may take the memory of either addend.
 */
export const addLayerNormOp = defineOp({
  name: 'add_layer_norm',
  inputs: ['x', 'residual', 'gamma', 'beta', 'step?'],
  outputs: ['y', 's', 'stats'],
  attrs: attrsOf<AddLayerNormAttrs>({ eps: 'number', rate: 'number', site: 'number' }),
  shape: (inputs, attrs) => normTypes('add_layer_norm', inputs, attrs),
  f16Storage: ['x', 'residual', 'y', 's'],
  inPlace: { s: ['residual', 'x'] },
  variants,
  launch,
});

/**
 * x [..,D], gamma [D]; y [..,D] and stats [rows], 1 / sqrt(mean(x²) + eps) of each row. x stays f32: the
 * residual stream of T5 exceeds float16.
 */
export const rmsNormOp = defineOp({
  name: 'rms_norm',
  inputs: ['x', 'gamma'],
  outputs: ['y', 'stats'],
  attrs: attrsOf<LayerNormAttrs>({ eps: 'number' }),
  shape: (inputs, attrs) => normTypes('rms_norm', inputs, attrs),
  f16Storage: ['y'],
  variants,
  launch,
});

/**
 * x [..,D], residual [..,D], gamma [D], step if there is dropout; s = residual + dropout(x), y = RMSNorm of
 * s, and stats [rows]. s may take the memory of either addend.
 */
export const addRmsNormOp = defineOp({
  name: 'add_rms_norm',
  inputs: ['x', 'residual', 'gamma', 'step?'],
  outputs: ['y', 's', 'stats'],
  attrs: attrsOf<AddLayerNormAttrs>({ eps: 'number', rate: 'number', site: 'number' }),
  shape: (inputs, attrs) => normTypes('add_rms_norm', inputs, attrs),
  // x and the sum stay f32: those of large T5 models do not fit in f16.
  f16Storage: ['y'],
  inPlace: { s: ['residual', 'x'] },
  variants,
  launch,
});

/**
 * Layer norm of x [..,D] over its last axis.
 *
 * @example
 * const y = layerNorm(graph, x, gamma, beta, 1e-5);
 */
export const layerNorm = (builder: Builder, x: Value, gamma: Value, beta: Value, eps: number): Value =>
  applyOp(builder, layerNormOp, { x, gamma, beta }, { eps }).y;

/**
 * y = layer norm of s = residual + dropout(x). `step`, the graph's step input, is needed if rate > 0.
 *
 * @example
 * const { y, s } = addLayerNorm(graph, { x, residual: w, gamma, beta }, { eps: 1e-5 });
 */
export const addLayerNorm = (
  builder: Builder,
  inputs: { x: Value; residual: Value; gamma: Value; beta: Value; step?: Value },
  options: { eps: number; rate?: number; site?: number },
): { readonly y: Value; readonly s: Value } => {
  expectOptions('add_layer_norm', options, ['eps', 'rate', 'site']);
  const attrs = { rate: 0, site: 0, ...options };
  return applyOp(
    builder,
    addLayerNormOp,
    { ...inputs, step: attrs.rate > 0 ? inputs.step : undefined },
    attrs,
  );
};

/**
 * RMSNorm of x [..,D] over its last axis. After an addition the rewrite `residual-norm` makes one kernel of
 * both.
 */
export const rmsNorm = (builder: Builder, x: Value, gamma: Value, eps: number): Value =>
  applyOp(builder, rmsNormOp, { x, gamma }, { eps }).y;
