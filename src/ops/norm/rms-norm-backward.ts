// The gradients of RMSNorm in one kernel: that of its input, and partial sums of that of gamma.

import { check } from '../../core/errors.ts';
import { matrixOf, sameShape, show, sizeOf } from '../../core/tensor.ts';
import { type DropoutAttrs, dropoutFactor, dropoutFields } from '../dropout-mask.ts';
import { attrsOf, defineOp, dim, gridOf, tensorType } from '../op.ts';
import { expectDropout, expectType } from '../type-checks.ts';
import { rowGroupOf, shaderFor } from '../work-division.ts';
import { rowsPerBlock } from './layer-norm-backward.ts';

/** Threads and rows at a time of a workgroup, by variant. */
const rowGroups = { 'row-group-16': { THREADS: 256, ROWS: 16 }, 'row-group-1': { THREADS: 16, ROWS: 16 } };

/**
 * dy [..,D], the input of the norm s [..,D], stats [rows], gamma [D], the gradient of s from its other readers ds
 * [..,D], step if there is dropout (the one before the residual connection). Outputs: dsTotal [..,D], the whole
 * gradient of s; partials [blocks, D], whose column sums are dgamma; with dropout dx [..,D], the gradient through it.
 */
export const rmsNormBackwardOp = defineOp({
  name: 'rms_norm_backward',
  inputs: ['dy', 's', 'stats', 'gamma', 'ds?', 'step?'],
  outputs: ['dsTotal', 'partials', 'dx?'],
  attrs: attrsOf<DropoutAttrs>(),
  shape({ dy, s, stats, gamma, ds, step }, { rate }) {
    const op = 'rms_norm_backward';
    const { rows, cols } = matrixOf(dy.shape);
    check(sameShape(dy.shape, s.shape), () => `${op}: shapes differ, dy ${show(dy.shape)} and s ${show(s.shape)}`);
    expectType(op, 'stats', stats, 'f32', [rows], `dy is ${show(dy.shape)}`);
    expectType(op, 'gamma', gamma, 'f32', [cols], `dy is ${show(dy.shape)}`);
    if (ds) expectType(op, 'ds', ds, 'f32', dy.shape, 'as dy');
    expectDropout(op, rate, step);
    const blocks = Math.ceil(rows / rowsPerBlock(rows));
    return { dsTotal: dy, partials: tensorType('f32', [blocks, cols]), dx: rate > 0 ? dy : undefined };
  },
  inPlace: { dx: 'dy', dsTotal: ['ds', 'dy'] },
  f16Storage: ['dy', 'dx'],
  variants: () => Object.keys(rowGroups),
  launch({ dy, s, stats, gamma, ds, step }, { dsTotal, partials, dx }, attrs, { variant, shared, scratch }) {
    const { rows, cols } = matrixOf(dy.shape);
    const dyIn = shared('dy', 'dsTotal') ? 1 : shared('dy', 'dx') ? 2 : 0;
    const dsIn = !ds ? 0 : shared('ds', 'dsTotal') ? 1 : 3;
    return [
      {
        shader: shaderFor('rms-norm-backward', cols),
        entry: 'rms_norm_backward',
        constants: {
          ...rowGroupOf(variant, rowGroups),
          BLOCK: rowsPerBlock(rows),
          DY_IN: dyIn,
          DS_IN: dsIn,
          DROPOUT: dx ? 1 : 0,
        },
        params: { rows, cols, ...dropoutFields(attrs) },
        bind: {
          dy: dyIn ? gamma : dy,
          ds: ds && dsIn === 3 ? ds : gamma,
          s,
          stats,
          gamma,
          ds_total: dsTotal,
          dx: dx ?? scratch('f32', [4]),
          partials,
          ...(dx && step && { step }),
        },
        grid: gridOf(dim(partials, 0), 1),
        flops: 12 * sizeOf(dy.shape),
      },
    ];
  },
  reference({ dy, s, stats, gamma, ds, step }, { dsTotal, partials, dx }, attrs) {
    const D = dy.cols;
    const block = rowsPerBlock(dy.rows);
    const factor = dropoutFactor(step, attrs);
    for (let r = 0; r < dy.rows; r++) {
      const rstd = stats.at(r);
      const g = (c: number) => dy.at(r, c) * gamma.at(c);
      const n = (c: number) => s.at(r, c) * rstd;
      let meanGn = 0;
      for (let c = 0; c < D; c++) meanGn += (g(c) * n(c)) / D;
      for (let c = 0; c < D; c++) {
        const total = rstd * (g(c) - n(c) * meanGn) + (ds?.at(r, c) ?? 0);
        dsTotal.set(r, c, total);
        dx?.set(r, c, total * factor(r * D + c));
        partials.add(Math.floor(r / block), c, dy.at(r, c) * n(c));
      }
    }
  },
});
