// References of embeddings.

import { dropoutFactor } from '../elementwise/dropout-reference.ts';
import { packedRow } from '../matmul/packed-weights.ts';
import { type OpReference, opReference } from '../op.ts';
import { readStep } from '../step-scalars.ts';
import { embeddingOp } from './embedding.ts';
import { embeddingBackwardOp, positionBackwardOp } from './embedding-backward.ts';
import { packedEmbeddingOp } from './packed-embedding.ts';
import { tokenPositionsOp } from './token-positions.ts';

/** References of the ops of this folder. */
export const embeddingReferences: readonly OpReference[] = [
  opReference(embeddingOp, ({ ids, table, positions, positionIds, step }, { out }, attrs) => {
    const first = attrs.offset + (attrs.decode && step ? readStep(step.data).position : 0);
    const factor = dropoutFactor(step, attrs);
    for (let r = 0; r < out.rows; r++)
      for (let c = 0; c < out.cols; c++) {
        const place = positionIds?.at(r) ?? (r % out.dim(1)) + first;
        const own = ids.at(r) < 0 ? 0 : table.at(ids.at(r), c);
        const x = own * attrs.scale + (positions?.at(place, c) ?? 0);
        out.set(r, c, x * factor(r * out.cols + c));
      }
  }),
  opReference(embeddingBackwardOp, ({ dy, rowStart, occurrences, step, base }, { dtable }, attrs) => {
    const factor = dropoutFactor(step, attrs);
    for (let v = 0; v < dtable.rows; v++)
      for (let c = 0; c < dtable.cols; c++) {
        let sum = 0;
        for (let k = rowStart.at(v); k < rowStart.at(v + 1) && v !== attrs.frozenId; k++) {
          const row = occurrences.at(k);
          sum += dy.at(row, c) * factor(row * dy.cols + c);
        }
        dtable.set(v, c, (base?.at(v, c) ?? 0) + sum * attrs.scale);
      }
  }),
  opReference(positionBackwardOp, ({ dy, step }, { dpositions }, attrs) => {
    const factor = dropoutFactor(step, attrs);
    for (let r = 0; r < dy.rows; r++)
      for (let c = 0; c < dy.cols; c++)
        dpositions.add((r % dy.dim(1)) + attrs.offset, c, dy.at(r, c) * factor(r * dy.cols + c));
  }),
  opReference(
    packedEmbeddingOp,
    ({ ids, words, scales, positions, positionIds, step }, { out }, { format, scale, offset }) => {
      const first = offset + (step ? readStep(step.data).position : 0);
      for (let r = 0; r < out.rows; r++) {
        const id = ids.at(r);
        const place = positionIds?.at(r) ?? (r % out.dim(1)) + first;
        const row = id < 0 ? undefined : packedRow(format, { words, scales }, id, out.cols);
        for (let c = 0; c < out.cols; c++)
          out.set(r, c, (row?.[c] ?? 0) * scale + (positions?.at(place, c) ?? 0));
      }
    },
  ),
  opReference(tokenPositionsOp, ({ ids, step }, { positionIds }, { padId }) => {
    const at = step && readStep(step.data).position;
    for (let b = 0; b < ids.rows; b++) {
      let place = padId;
      for (let t = 0; t < ids.cols; t++) {
        const counts = ids.at(b, t) !== padId;
        if (counts) place++;
        if (at === undefined || at === t)
          positionIds.set(b, at === undefined ? t : 0, counts ? place : padId);
      }
    }
  }),
];
