// Layer norm over the last axis (Ba et al., 2016), by itself and fused with the residual connection before it and its
// dropout.

import { check } from '../../core/errors.ts';
import { matrixOf, sameShape, show, sizeOf, type TensorType } from '../../core/tensor.ts';
import { type DropoutAttrs, dropoutFields } from '../dropout-mask.ts';
import {
  attrsOf,
  type Builder,
  defineOp,
  gridOf,
  type Launch,
  type LaunchContext,
  tensorType,
  type Value,
} from '../op.ts';
import { expectDropout, expectType } from '../type-checks.ts';
import { rowGroupOf, rowGroupsFor, shaderFor } from '../work-division.ts';

/** `eps` is added to the variance. */
export type LayerNormAttrs = { readonly eps: number };

/** Types of a norm and of the statistics of its rows. */
function normTypes(op: string, x: TensorType, gamma: TensorType, beta: TensorType) {
  const { rows, cols } = matrixOf(x.shape);
  expectType(op, 'x', x, 'f32');
  expectType(op, 'gamma', gamma, 'f32', [cols], `x is ${show(x.shape)}`);
  expectType(op, 'beta', beta, 'f32', [cols], `x is ${show(x.shape)}`);
  return { y: tensorType('f32', x.shape), stats: tensorType('f32', [rows, 2]) };
}

const variants = ({ x }: { readonly x: TensorType }) => rowGroupsFor(matrixOf(x.shape).cols);

const noDropout: DropoutAttrs = { rate: 0, site: 0 };

/** What both norms launch; `beta` of RMSNorm, which has none, is any other tensor. */
interface NormTensors {
  readonly x: Value;
  readonly gamma: Value;
  readonly beta: Value;
  readonly y: Value;
  readonly stats: Value;
}

/** The dispatch of a norm by itself. `rms`: RMSNorm. */
export const normLaunch = ({ x, ...tensors }: NormTensors, eps: number, context: LaunchContext, rms = false): Launch =>
  dispatch(
    x,
    { x, residual: x, ...tensors, s: context.scratch('f32', [4]) }, // s is not written
    { eps, ...noDropout },
    { ADD: 0, SHARED: 0, ...(rms && { RMS: 1 }) },
    context.variant,
  );

/** The dispatch of a norm of s = residual + dropout(x). */
export function addNormLaunch(
  {
    x,
    residual,
    step,
    ...tensors
  }: NormTensors & { readonly residual: Value; readonly s: Value; readonly step?: Value | undefined },
  attrs: AddLayerNormAttrs,
  { variant, shared }: Pick<LaunchContext<'x' | 'residual', 's'>, 'variant' | 'shared'>,
  rms = false,
): Launch {
  const SHARED = shared('residual', 's') ? 1 : shared('x', 's') ? 2 : 0;
  // The kernel reads an addend whose memory s has taken through s.
  const addends = { x: SHARED === 2 ? tensors.gamma : x, residual: SHARED === 1 ? tensors.gamma : residual };
  const bind = { ...tensors, ...addends, ...(step && { step }) };
  return dispatch(x, bind, attrs, { ADD: 1, SHARED, ...(rms && { RMS: 1 }) }, variant);
}

function dispatch(
  x: Value,
  bind: Launch['bind'],
  { eps, ...mask }: AddLayerNormAttrs,
  constants: { readonly ADD: number; readonly SHARED: number; readonly RMS?: number },
  variant: string,
): Launch {
  const { rows, cols } = matrixOf(x.shape);
  const rowGroup = rowGroupOf(variant);
  return {
    shader: shaderFor('layer-norm', cols),
    entry: 'layer_norm',
    constants: { ...rowGroup, ...constants, DROPOUT: bind.step ? 1 : 0 },
    params: { rows, cols, eps, ...dropoutFields(mask) },
    bind,
    grid: gridOf(rows, rowGroup.ROWS),
    flops: ((constants.RMS ? 5 : 8) + 2 * constants.ADD) * sizeOf(x.shape),
  };
}

/** x [..,D], gamma [D], beta [D]; y [..,D] and stats [rows,2], the mean and 1 / sqrt(variance + eps) of each row. */
export const layerNormOp = defineOp({
  name: 'layer_norm',
  inputs: ['x', 'gamma', 'beta'],
  outputs: ['y', 'stats'],
  attrs: attrsOf<LayerNormAttrs>(),
  shape: ({ x, gamma, beta }) => normTypes('layer_norm', x, gamma, beta),
  f16Storage: ['x', 'y'],
  variants,
  launch: (inputs, outputs, { eps }, context) => [normLaunch({ ...inputs, ...outputs }, eps, context)],
});

/** `eps` and the dropout before the residual connection. */
export type AddLayerNormAttrs = LayerNormAttrs & DropoutAttrs;

/**
 * x [..,D], residual [..,D], gamma [D], beta [D], step if there is dropout; s = residual + dropout(x), y = layer norm
 * of s, and stats [rows,2]. s may take the memory of either addend.
 */
export const addLayerNormOp = defineOp({
  name: 'add_layer_norm',
  inputs: ['x', 'residual', 'gamma', 'beta', 'step?'],
  outputs: ['y', 's', 'stats'],
  attrs: attrsOf<AddLayerNormAttrs>(),
  shape({ x, residual, gamma, beta, step }, { rate }) {
    check(
      sameShape(x.shape, residual.shape),
      () => `add_layer_norm: shapes differ, x ${show(x.shape)} + residual ${show(residual.shape)}`,
    );
    expectDropout('add_layer_norm', rate, step);
    return { ...normTypes('add_layer_norm', x, gamma, beta), s: x };
  },
  f16Storage: ['x', 'residual', 'y', 's'],
  inPlace: { s: ['residual', 'x'] },
  variants,
  launch: (inputs, outputs, attrs, context) => [addNormLaunch({ ...inputs, ...outputs }, attrs, context)],
});

/**
 * Layer norm of x [..,D] over its last axis.
 *
 * @example
 * const y = layerNorm(graph, x, gamma, beta, 1e-5);
 */
export const layerNorm = (builder: Builder, x: Value, gamma: Value, beta: Value, eps: number): Value =>
  builder.apply(layerNormOp, { x, gamma, beta }, { eps }).y;

/**
 * y = layer norm of s = residual + dropout(x). `step`, the graph's step input, is needed if rate > 0.
 *
 * @example
 * const { y, s } = addLayerNorm(graph, { x, residual: w, gamma, beta }, { eps: 1e-5 });
 */
export const addLayerNorm = (
  builder: Builder,
  { step, ...inputs }: { x: Value; residual: Value; gamma: Value; beta: Value; step?: Value },
  { eps, rate = 0, site = 0 }: { eps: number; rate?: number; site?: number },
): { readonly y: Value; readonly s: Value } =>
  builder.apply(addLayerNormOp, { ...inputs, step: rate > 0 ? step : undefined }, { eps, rate, site });
