// The gradients of layer norm in one kernel: that of what was normalised, and partial sums of those of gamma and beta.

import { check } from '../../core/errors.ts';
import { matrixOf, sameShape, show, sizeOf } from '../../core/tensor.ts';
import { dropoutMask } from '../dropout-mask.ts';
import { dropoutFields } from '../elementwise/dropout.ts';
import { expectStep, expectType, inputAt } from '../expect.ts';
import { defineOp, gridOf, type Value } from '../op.ts';
import { shaderFor } from '../row-groups.ts';
import { readStep } from '../step-scalars.ts';

/** `residual`: whether ds is among the inputs. `rate`, `site`: of the dropout before the residual connection. */
export type LayerNormBackwardAttrs = { readonly residual: boolean; readonly rate: number; readonly site: number };

/** Threads and rows at a time of a workgroup, by variant. */
const teams: Readonly<Record<string, { THREADS: number; ROWS: number }>> = {
  'team-16': { THREADS: 256, ROWS: 16 },
  'team-1': { THREADS: 16, ROWS: 16 },
};

/** Rows that share a row of partial sums: 16, or more (up to 64) where that would make more than 128 blocks. */
export function rowsPerBlock(rows: number): number {
  let block = 16;
  while (block < 64 && rows > 128 * block) block *= 2;
  return block;
}

/**
 * Inputs dy [..,D], s [..,D], stats [rows,2], gamma [D], then ds [..,D] where `residual`, step where rate > 0. Outputs
 * dsTotal [..,D], the whole gradient of s (ds included); partials [blocks, 2D], whose column sums are dgamma and dbeta; and where
 * rate > 0 dx [..,D] = dropout'(dsTotal).
 */
export const layerNormBackwardOp = defineOp<LayerNormBackwardAttrs>({
  name: 'layer_norm_backward',
  shape(inputs, { residual, rate }) {
    const op = 'layer_norm_backward';
    const dy = inputAt(op, inputs, 0, 'dy');
    const { rows, cols } = matrixOf(dy.shape);
    const s = inputAt(op, inputs, 1, 's');
    check(sameShape(dy.shape, s.shape), () => `${op}: shapes differ, dy ${show(dy.shape)} and s ${show(s.shape)}`);
    expectType(op, 'stats', inputs[2], 'f32', [rows, 2], `dy is ${show(dy.shape)}`);
    expectType(op, 'gamma', inputs[3], 'f32', [cols], `dy is ${show(dy.shape)}`);
    if (residual) expectType(op, 'ds', inputs[4], 'f32', dy.shape, 'as dy');
    if (rate > 0) expectStep(op, inputs[inputs.length - 1]);
    const blocks = Math.ceil(rows / rowsPerBlock(rows));
    const partials = { dtype: 'f32' as const, shape: [blocks, 2 * cols] };
    return rate > 0 ? [dy, partials, dy] : [dy, partials];
  },
  inPlace({ attrs: { residual, rate } }) {
    const pairs: [number, number][] = residual ? [[4, 0]] : [];
    if (rate > 0) pairs.push([0, 2]);
    pairs.push([0, 0]);
    return pairs;
  },
  half: ({ attrs: { residual } }) => ({ inputs: [0, 1, ...(residual ? [4] : [])], outputs: [0, 2] }),
  variants: () => Object.keys(teams),
  launch({ inputs, outputs, attrs }, { variant, shared, scratch }) {
    const [dy, s, stats, gamma] = inputs as [Value, Value, Value, Value];
    const [dsTotal, partials, dx] = outputs as [Value, Value, Value | undefined];
    const { rows, cols } = matrixOf(dy.shape);
    const ds = attrs.residual ? inputs[4]! : undefined;
    const dyIn = shared(0, 0) ? 1 : dx && shared(0, 2) ? 2 : 0;
    const dsIn = !ds ? 0 : shared(4, 0) ? 1 : 3;
    return [
      {
        shader: shaderFor('layer-norm-backward', cols),
        entry: 'layer_norm_backward',
        constants: {
          ...teams[variant]!,
          BLOCK: rowsPerBlock(rows),
          DY_IN: dyIn,
          DS_IN: dsIn,
          DROPOUT: dx ? 1 : 0,
        },
        params: { rows, cols, ...dropoutFields(attrs) },
        bind: {
          dy: dyIn ? gamma : dy,
          ds: dsIn === 3 ? ds! : gamma,
          s,
          stats,
          gamma,
          ds_total: dsTotal,
          dx: dx ?? scratch('f32', [4]),
          partials,
          ...(dx && { step: inputs[inputs.length - 1]! }),
        },
        grid: gridOf(partials.shape[0]!, 1),
        flops: 16 * sizeOf(dy.shape),
      },
    ];
  },
  reference({ attrs, inputs, outputs: [dsTotal, partials, dx] }) {
    const [dy, s, stats, gamma] = inputs;
    const ds = attrs.residual ? inputs[4] : undefined;
    const D = gamma!.data.length;
    const block = rowsPerBlock(dy!.data.length / D);
    const factor =
      attrs.rate > 0 ? dropoutMask(readStep(inputs[inputs.length - 1]!.data), attrs.site, attrs.rate) : undefined;
    for (let row = 0; row < dy!.data.length / D; row++) {
      const [mean, rstd] = [stats!.data[2 * row]!, stats!.data[2 * row + 1]!];
      const at = (c: number) => row * D + c;
      const g = (c: number) => dy!.data[at(c)]! * gamma!.data[c]!;
      const n = (c: number) => (s!.data[at(c)]! - mean) * rstd;
      let meanG = 0;
      let meanGn = 0;
      for (let c = 0; c < D; c++) {
        meanG += g(c) / D;
        meanGn += (g(c) * n(c)) / D;
      }
      const sums = partials!.data.subarray(Math.floor(row / block) * 2 * D);
      for (let c = 0; c < D; c++) {
        const total = rstd * (g(c) - meanG - n(c) * meanGn) + (ds?.data[at(c)] ?? 0);
        dsTotal!.data[at(c)] = total;
        if (dx) dx.data[at(c)] = total * factor!(at(c));
        sums[c]! += dy!.data[at(c)]! * n(c);
        sums[D + c]! += dy!.data[at(c)]!;
      }
    }
  },
});
