// Layer norm over the last axis, alone and fused with the residual connection before it (and its dropout).

import { check } from '../../core/errors.ts';
import { matrixOf, sameShape, show, sizeOf, type TensorType } from '../../core/tensor.ts';
import { dropoutMask } from '../dropout-mask.ts';
import { columnSum } from '../elementwise/column-sum.ts';
import { dropout, dropoutFields } from '../elementwise/dropout.ts';
import { expectRate, expectStep, expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, gridOf, type Value } from '../op.ts';
import { shaderFor, teamOf, teamsFor } from '../row-groups.ts';
import { readStep } from '../step-scalars.ts';
import { layerNormBackwardOp } from './layer-norm-backward.ts';

/** `eps` is added to the variance. */
export type LayerNormAttrs = { readonly eps: number };

function checkNorm(op: string, x: TensorType, gamma: TensorType | undefined, beta: TensorType | undefined): void {
  const { cols } = matrixOf(x.shape);
  expectType(op, 'x', x, 'f32');
  expectType(op, 'gamma', gamma, 'f32', [cols], `x is ${show(x.shape)}`);
  expectType(op, 'beta', beta, 'f32', [cols], `x is ${show(x.shape)}`);
}

/** Inputs x [..,D], gamma [D], beta [D]; outputs y [..,D] and stats [rows,2], the mean and 1 / sqrt(variance + eps) of each row. */
export const layerNormOp = defineOp<LayerNormAttrs>({
  name: 'layer_norm',
  shape(inputs) {
    const x = inputAt('layer_norm', inputs, 0, 'x');
    checkNorm('layer_norm', x, inputs[1], inputs[2]);
    return [x, { dtype: 'f32', shape: [matrixOf(x.shape).rows, 2] }];
  },
  half: () => ({ inputs: [0], outputs: [0] }),
  variants: ({ inputs }) => teamsFor(matrixOf(inputs[0]!.shape).cols),
  launch({ inputs, outputs, attrs }, { variant }) {
    const [x, gamma, beta] = inputs as [Value, Value, Value];
    const [y, stats] = outputs as [Value, Value];
    const { rows, cols } = matrixOf(x.shape);
    const constants = { ...teamOf(variant) };
    return [
      {
        shader: shaderFor('layer-norm', cols),
        entry: 'layer_norm',
        constants,
        params: { rows, cols, eps: attrs.eps, ...dropoutFields({ rate: 0, site: 0 }) },
        bind: { x, gamma, beta, y, stats },
        grid: gridOf(rows, constants.ROWS),
        flops: 8 * sizeOf(x.shape),
      },
    ];
  },
  grad(builder, { inputs, outputs }, [dy]) {
    if (!dy) return [];
    const [x, gamma, beta] = inputs as [Value, Value, Value];
    const [dx, partials] = builder.apply(layerNormBackwardOp, [dy, x, outputs[1]!, gamma], {
      residual: false,
      rate: 0,
      site: 0,
    }) as [Value, Value];
    return [dx, ...weightGradients(builder, partials, gamma, beta)];
  },
  reference({ attrs, inputs: [x, gamma, beta], outputs: [y, stats] }) {
    normalize(x!.data, gamma!.data, beta!.data, attrs.eps, y!.data, stats!.data);
  },
});

/** Settings of `addLayerNormOp`: dropout's rate and site beside eps. */
export type AddLayerNormAttrs = { readonly eps: number; readonly rate: number; readonly site: number };

/**
 * Inputs x [..,D], residual [..,D], gamma [D], beta [D], step where rate > 0; outputs y, s = residual + dropout(x) and
 * stats [rows,2]. y = layer norm of s. s may take the memory of either addend.
 */
export const addLayerNormOp = defineOp<AddLayerNormAttrs>({
  name: 'add_layer_norm',
  shape(inputs, { rate }) {
    const x = inputAt('add_layer_norm', inputs, 0, 'x');
    const residual = inputAt('add_layer_norm', inputs, 1, 'residual');
    check(
      sameShape(x.shape, residual.shape),
      () => `add_layer_norm: shapes differ, x ${show(x.shape)} + residual ${show(residual.shape)}`,
    );
    checkNorm('add_layer_norm', x, inputs[2], inputs[3]);
    expectRate('add_layer_norm', rate);
    if (rate > 0) expectStep('add_layer_norm', inputs[4]);
    return [x, x, { dtype: 'f32', shape: [matrixOf(x.shape).rows, 2] }];
  },
  half: () => ({ inputs: [0, 1], outputs: [0, 1] }),
  inPlace: () => [
    [1, 1],
    [0, 1],
  ],
  variants: ({ inputs }) => teamsFor(matrixOf(inputs[0]!.shape).cols),
  launch({ inputs, outputs, attrs }, { variant, shared }) {
    const [x, residual, gamma, beta] = inputs as [Value, Value, Value, Value];
    const [y, s, stats] = outputs as [Value, Value, Value];
    const { rows, cols } = matrixOf(x.shape);
    const team = teamOf(variant);
    const taken = shared(1, 1) ? 1 : shared(0, 1) ? 2 : 0;
    return [
      {
        shader: shaderFor('layer-norm', cols),
        entry: 'add_layer_norm',
        constants: { ...team, SHARED: taken, DROPOUT: attrs.rate > 0 ? 1 : 0 },
        params: { rows, cols, eps: attrs.eps, ...dropoutFields(attrs) },
        // What s has taken over is read through s.
        bind: {
          x: taken === 2 ? gamma : x,
          residual: taken === 1 ? gamma : residual,
          gamma,
          beta,
          y,
          s,
          stats,
          ...(attrs.rate > 0 && { step: inputs[4]! }),
        },
        grid: gridOf(rows, team.ROWS),
        flops: 10 * sizeOf(x.shape),
      },
    ];
  },
  grad(builder, { inputs, outputs, attrs: { rate, site } }, [dy, ds]) {
    const step = rate > 0 ? [inputs[4]!] : [];
    if (!dy) return ds ? [rate > 0 ? dropout(builder, ds, inputs[4]!, { rate, site }) : ds, ds] : [];
    const [dsTotal, partials, dx] = builder.apply(
      layerNormBackwardOp,
      [dy, outputs[1]!, outputs[2]!, inputs[2]!, ...(ds ? [ds] : []), ...step],
      { residual: ds !== undefined, rate, site },
    );
    return [dx ?? dsTotal, dsTotal, ...weightGradients(builder, partials!, inputs[2]!, inputs[3]!)];
  },
  reference({ attrs, inputs: [x, residual, gamma, beta, step], outputs: [y, s, stats] }) {
    const factor = attrs.rate > 0 ? dropoutMask(readStep(step!.data), attrs.site, attrs.rate) : () => 1;
    for (let i = 0; i < s!.data.length; i++) s!.data[i] = residual!.data[i]! + x!.data[i]! * factor(i);
    normalize(s!.data, gamma!.data, beta!.data, attrs.eps, y!.data, stats!.data);
  },
});

/** The gradients of gamma and beta from their partial sums; none where neither is wanted. */
const weightGradients = (builder: Builder, partials: Value, gamma: Value, beta: Value): Value[] =>
  builder.needs(gamma) || builder.needs(beta) ? columnSum(builder, partials, 2) : [];

/** Layer norm of each row of `s`, in float64. */
function normalize(
  s: Float64Array,
  gamma: Float64Array,
  beta: Float64Array,
  eps: number,
  y: Float64Array,
  stats: Float64Array,
): void {
  const D = gamma.length;
  for (let row = 0; row < s.length / D; row++) {
    const values = s.subarray(row * D, (row + 1) * D);
    const mean = values.reduce((a, v) => a + v, 0) / D;
    const variance = values.reduce((a, v) => a + (v - mean) ** 2, 0) / D;
    const rstd = 1 / Math.sqrt(variance + eps);
    for (let c = 0; c < D; c++) y[row * D + c] = (values[c]! - mean) * rstd * gamma[c]! + beta[c]!;
    stats[2 * row] = mean;
    stats[2 * row + 1] = rstd;
  }
}

/** Layer norm of x [..,D] over its last axis. */
export function layerNorm(builder: Builder, x: Value, gamma: Value, beta: Value, eps: number): Value {
  return builder.apply(layerNormOp, [x, gamma, beta], { eps })[0]!;
}

/** y = layer norm of s = residual + dropout(x). `step`, the graph's step input, is needed where rate > 0. */
export function addLayerNorm(
  builder: Builder,
  inputs: { x: Value; residual: Value; gamma: Value; beta: Value; step?: Value },
  { eps, rate = 0, site = 0 }: { eps: number; rate?: number; site?: number },
): { y: Value; s: Value } {
  const { x, residual, gamma, beta, step } = inputs;
  const random = rate > 0 && step ? [step] : [];
  const [y, s] = builder.apply(addLayerNormOp, [x, residual, gamma, beta, ...random], { eps, rate, site });
  return { y: y!, s: s! };
}
