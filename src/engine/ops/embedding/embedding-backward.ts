// Gradients of the embedding tables: of tokens, by the occurrences of each id; of positions, by sums over the
// batch.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import type { DropoutAttrs } from '../elementwise/elementwise-ops.ts';
import { attrsOf, defineOp, type TensorTypes } from '../op.ts';
import { expectDropout, expectType } from '../type-checks.ts';
import { rowGroupsFor } from '../work-division.ts';
import { embeddingLaunch, noId } from './embedding.ts';

/**
 * dy [B,T,D], rowStart [V+1], occurrences [B*T], step if there is dropout, a gradient `base` [V,D] to add to;
 * dtable [V,D], which may take the memory of base. Sums are over the occurrences in their order, so the same
 * batch gives the same bits.
 */
export const embeddingBackwardOp = defineOp({
  name: 'embedding_backward',
  inputs: ['dy', 'rowStart', 'occurrences', 'step?', 'base?'],
  outputs: ['dtable'],
  /** Factor of the table's rows, id of a row without a gradient, and the dropout of the embedding. */
  attrs: attrsOf<DropoutAttrs & { readonly scale: number; readonly frozenId?: number }>(),
  shape({ dy, rowStart, occurrences, step, base }, { rate }) {
    const op = 'embedding_backward';
    const shape = [sizeOf(rowStart.shape) - 1, dim(dy, -1)];
    expectType(op, 'occurrences', occurrences, 'u32', [sizeOf(dy.shape) / dim(dy, -1)], 'rows of dy');
    expectDropout(op, rate, step);
    if (base) expectType(op, 'base', base, 'f32', shape, 'V of rowStart, D of dy');
    return { dtable: tensorType('f32', shape) };
  },
  inPlace: { dtable: 'base' },
  f16Storage: ['dy'],
  variants: ({ dy }: TensorTypes<'dy'>) => rowGroupsFor(dim(dy, -1)),
  // Every token occurs about equally often, at positions far apart.
  sample({ rowStart, occurrences }) {
    const [rows, count] = [sizeOf(rowStart.shape) - 1, sizeOf(occurrences.shape)];
    return { rowStart: (v) => Math.floor((v * count) / rows), occurrences: (k) => (k * 7919) % count };
  },
  launch({ dy, rowStart, occurrences, step, base }, { dtable }, attrs, { shared, variant }) {
    const [rows = 0, width = 0] = dtable.shape;
    const length = sizeOf(occurrences.shape);
    const sizes = {
      batch: 1,
      length,
      width,
      rows,
      scale: attrs.scale,
      offset: 0,
      frozen: attrs.frozenId ?? noId,
    };
    const bind = { dy, row_start: rowStart, occurrences, dtable, step };
    const inPlace = shared('base', 'dtable');
    if (base && !inPlace)
      return [embeddingLaunch('embedding_backward_onto', rows, attrs, sizes, {}, { ...bind, base }, variant)];
    const constants = { IN_PLACE: inPlace ? 1 : 0 };
    const launch = embeddingLaunch('embedding_backward', length, attrs, sizes, constants, bind, variant);
    return [inPlace ? launch : { ...launch, clear: [dtable] }];
  },
});

/**
 * dy [B,T,D], step if there is dropout; dpositions [rows,D], the sum over the batch, zero in rows of no
 * position.
 */
export const positionBackwardOp = defineOp({
  name: 'position_backward',
  inputs: ['dy', 'step?'],
  outputs: ['dpositions'],
  /** `rows` of the table; `offset`: the row of position 0; the dropout of the embedding. */
  attrs: attrsOf<DropoutAttrs & { readonly rows: number; readonly offset: number }>(),
  shape({ dy, step }, { rows, rate }) {
    check(dy.shape.length === 3, () => msg`dy is ${show(dy.shape)}, must be [B,T,D]`, {
      area: 'position_backward',
    });
    expectDropout('position_backward', rate, step);
    return { dpositions: tensorType('f32', [rows, dim(dy, 2)]) };
  },
  f16Storage: ['dy'],
  variants: ({ dy }: TensorTypes<'dy'>) => rowGroupsFor(dim(dy, -1)),
  launch({ dy, step }, { dpositions }, attrs, { variant }) {
    const [batch = 0, length = 0, width = 0] = dy.shape;
    const sizes = { batch, length, width, rows: attrs.rows, scale: 1, offset: attrs.offset, frozen: noId };
    const bind = { dy, dtable: dpositions, step };
    return [embeddingLaunch('position_backward', attrs.rows, attrs, sizes, {}, bind, variant)];
  },
});
