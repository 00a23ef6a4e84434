// The gradients of layer norm and RMSNorm in one kernel: of the input, and partial sums of those of gamma and
// beta.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, matrixOf, sameShape, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import { type DropoutAttrs, dropoutFields } from '../elementwise/elementwise-ops.ts';
import { attrsOf, defineOp } from '../op.ts';
import { expectDropout, expectType } from '../type-checks.ts';
import { gridOf, rowConstants, rowGroup, rowSubgroups, shaderFor, withSubgroups } from '../work-division.ts';

/** The variants: threads and rows at a time of a workgroup. */
const rowGroups = [rowGroup(256, 16), rowGroup(16, 16)] as const;

/** Rows that share a row of partial sums: 16, or up to 64 if 16 would make more than 128 blocks. */
export function rowsPerBlock(rows: number): number {
  let block = 16;
  while (block < 64 && rows > 128 * block) block *= 2;
  return block;
}

/** The gradients of layer norm, or with `rms` of RMSNorm: an op and the tensors that it can store as f16. */
const backwardOf = (
  op: string,
  rms: boolean,
  f16Storage: readonly ('dy' | 's' | 'ds' | 'dsTotal' | 'dx')[],
) =>
  defineOp({
    name: op,
    inputs: ['dy', 's', 'stats', 'gamma', 'ds?', 'step?'],
    outputs: ['dsTotal', 'partials', 'dx?'],
    attrs: attrsOf<DropoutAttrs>(),
    shape({ dy, s, stats, gamma, ds, step }, { rate }) {
      const { rows, cols } = matrixOf(dy.shape);
      check(
        sameShape(dy.shape, s.shape),
        () => msg`shapes differ, dy ${show(dy.shape)} and s ${show(s.shape)}`,
        { area: op },
      );
      expectType(op, 'stats', stats, 'f32', rms ? [rows] : [rows, 2], `dy is ${show(dy.shape)}`);
      expectType(op, 'gamma', gamma, 'f32', [cols], `dy is ${show(dy.shape)}`);
      if (ds) expectType(op, 'ds', ds, 'f32', dy.shape, 'as dy');
      expectDropout(op, rate, step);
      const blocks = Math.ceil(rows / rowsPerBlock(rows));
      const partials = tensorType('f32', [blocks, rms ? cols : 2 * cols]);
      return { dsTotal: dy, partials, dx: rate > 0 ? dy : undefined };
    },
    inPlace: { dx: 'dy', dsTotal: ['ds', 'dy'] },
    f16Storage,
    variants: (_inputs: unknown, _attrs: unknown, traits: DeviceTraits) =>
      withSubgroups(rowSubgroups(256, 16, traits.subgroupSize), rowGroups, traits),
    launch({ dy, s, stats, gamma, ds, step }, { dsTotal, partials, dx }, attrs, { variant, shared }) {
      const { rows, cols } = matrixOf(dy.shape);
      const dyIn = shared('dy', 'dsTotal') ? 1 : shared('dy', 'dx') ? 2 : 0;
      const dsIn = !ds ? 0 : shared('ds', 'dsTotal') ? 1 : 3;
      return [
        {
          shader: shaderFor('layer-norm-backward', cols, variant),
          entry: 'layer_norm_backward',
          constants: {
            ...rowConstants(variant),
            BLOCK: rowsPerBlock(rows),
            DY_IN: dyIn,
            DS_IN: dsIn,
            DROPOUT: dx ? 1 : 0,
            RMS: rms ? 1 : undefined,
          },
          params: { rows, cols, ...dropoutFields(attrs) },
          bind: {
            dy: dyIn ? undefined : dy,
            ds: dsIn === 3 ? ds : undefined,
            s,
            stats,
            gamma,
            ds_total: dsTotal,
            dx,
            partials,
            step: dx && step,
          },
          grid: gridOf(dim(partials, 0), 1),
          flops: (rms ? 12 : 16) * sizeOf(dy.shape),
        },
      ];
    },
  });

/**
 * dy [..,D], the input of the norm s [..,D], stats [rows,2], gamma [D], the gradient of s from its other
 * readers ds [..,D], step if there is dropout (the one before the residual connection). Outputs: dsTotal
 * [..,D], the whole gradient of s; partials [blocks, 2D], whose column sums are dgamma and dbeta; with
 * dropout dx [..,D], the gradient through it.
 */
export const layerNormBackwardOp = backwardOf('layer_norm_backward', false, [
  'dy',
  's',
  'ds',
  'dsTotal',
  'dx',
]);

/** The same for RMSNorm: stats [rows], and partials [blocks, D], whose column sums are dgamma. */
export const rmsNormBackwardOp = backwardOf('rms_norm_backward', true, ['dy', 'dx']);
