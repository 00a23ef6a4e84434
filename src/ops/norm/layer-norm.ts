// Layer norm over the last axis (Ba et al., 2016), by itself and fused with the residual connection before it and its
// dropout.

import { check } from '../../core/errors.ts';
import { matrixOf, sameShape, show, sizeOf, type TensorType, tensorType } from '../../core/tensor.ts';
import { type DropoutAttrs, dropoutFields } from '../elementwise/elementwise-ops.ts';
import { attrsOf, type Builder, defineOp, type Launch, type LaunchContext, type Value } from '../op.ts';
import { expectDropout, expectType } from '../type-checks.ts';
import { gridOf, rowGroupOf, rowGroupsFor, shaderFor } from '../work-division.ts';

/** `eps` is added to the variance. */
export type LayerNormAttrs = { readonly eps: number };

/** Inputs of a norm by name; RMSNorm has no beta. */
type NormInputs = { readonly x: TensorType; readonly gamma: TensorType; readonly beta?: TensorType };

/** Types of a norm and of the statistics of its rows: [rows,2], or [rows] without beta. */
export function normTypes(op: string, { x, gamma, beta }: NormInputs) {
  const { rows, cols } = matrixOf(x.shape);
  expectType(op, 'x', x, 'f32');
  expectType(op, 'gamma', gamma, 'f32', [cols], `x is ${show(x.shape)}`);
  if (beta) expectType(op, 'beta', beta, 'f32', [cols], `x is ${show(x.shape)}`);
  return { y: tensorType('f32', x.shape), stats: tensorType('f32', beta ? [rows, 2] : [rows]) };
}

/** Types of a norm of s = residual + dropout(x). */
export function addNormTypes(
  op: string,
  { residual, step, ...norm }: NormInputs & { readonly residual: TensorType; readonly step?: TensorType },
  { rate }: DropoutAttrs,
) {
  const sides = `x ${show(norm.x.shape)} + residual ${show(residual.shape)}`;
  check(sameShape(norm.x.shape, residual.shape), `${op}: shapes differ, ${sides}`);
  expectDropout(op, rate, step);
  return { ...normTypes(op, norm), s: norm.x };
}

/** The variants of all norms. */
export const normVariants = ({ x }: { readonly x: TensorType }) => rowGroupsFor(matrixOf(x.shape).cols);

const noDropout: DropoutAttrs = { rate: 0, site: 0 };

/** Tensors of a launch of a norm. RMSNorm binds any tensor as `beta`, which it does not read. */
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
  // If s has taken the memory of an addend, the kernel reads the addend through s.
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
  shape: (inputs) => normTypes('layer_norm', inputs),
  f16Storage: ['x', 'y'],
  variants: normVariants,
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
  shape: (inputs, attrs) => addNormTypes('add_layer_norm', inputs, attrs),
  f16Storage: ['x', 'residual', 'y', 's'],
  inPlace: { s: ['residual', 'x'] },
  variants: normVariants,
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
