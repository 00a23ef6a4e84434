// The gradient of embeddings: of the table, and of trained positions. Only the backward pass loads this file.

import { HeddleError } from '../../../core/errors.ts';
import { dim } from '../../../core/tensor.ts';
import { type GradientsOf, gradient } from '../op-gradient.ts';
import type * as embeddingModule from './embedding.ts';
import { embeddingOp } from './embedding.ts';
import { embeddingBackwardOp, positionBackwardOp } from './embedding-backward.ts';

/** The gradient of each op of the family that has one. */
export const embeddingGradients = {
  embeddingOp: gradient(
    embeddingOp,
    (builder, { table, positions, step, rowStart, occurrences }, _outputs, { out: dy }, attrs) => {
      if (!dy) return {};
      const { rate, site, scale, offset, frozenId } = attrs;
      if (attrs.decode)
        throw new HeddleError('decoding at step.position has no gradient', { area: 'embedding' });
      const tableGradient = () => {
        if (!rowStart || !occurrences)
          throw new Error('embedding: the gradient of the table needs rowStart and occurrences');
        return builder.apply(
          embeddingBackwardOp,
          { dy, rowStart, occurrences, step },
          { rate, site, scale, frozenId },
        ).dtable;
      };
      const dtable = builder.needs(table) ? tableGradient() : undefined;
      if (attrs.positions !== 'learned' || !positions || !builder.needs(positions)) return { table: dtable };
      const sizes = { rate, site, rows: dim(positions, 0), offset };
      return { table: dtable, positions: builder.apply(positionBackwardOp, { dy, step }, sizes).dpositions };
    },
  ),
} satisfies GradientsOf<typeof embeddingModule>;
