// Position ids that count only tokens that are not padding, as in fairseq and M2M100.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { gridOf } from '../work-division.ts';

/** `padId`: the token that is not counted. */
export type TokenPositionsAttrs = { readonly padId: number };

/**
 * ids i32 [B,T]; positionIds u32 [B,T]: padId + k for the k-th token of a row that is not padding, from 1,
 * and padId for padding. With step, ids are the tokens of a decoder so far and positionIds is [B,1], that of
 * the token at step.position.
 */
export const tokenPositionsOp = defineOp({
  name: 'token_positions',
  inputs: ['ids', 'step?'],
  outputs: ['positionIds'],
  attrs: attrsOf<TokenPositionsAttrs>(),
  shape({ ids, step }) {
    expectType('token_positions', 'ids', ids, 'i32');
    check(ids.shape.length === 2, () => msg`ids are ${show(ids.shape)}, must be [B,T]`, {
      area: 'token_positions',
    });
    if (step) expectStep('token_positions', step);
    return { positionIds: tensorType('u32', [dim(ids, 0), step ? 1 : dim(ids, 1)]) };
  },
  launch: ({ ids, step }, { positionIds }, { padId }) => [
    {
      shader: 'token-positions',
      entry: 'token_positions',
      constants: { DECODE: step ? 1 : 0 },
      params: { rows: dim(ids, 0), length: dim(ids, 1), pad: padId },
      bind: { ids, position_ids: positionIds, step },
      grid: gridOf(sizeOf(positionIds.shape), 64),
      flops: sizeOf(ids.shape),
    },
  ],
});

/** Position ids u32 [B,T] of ids i32 [B,T]; with `step`, [B,1] for the token at step.position. */
export const tokenPositions = (
  builder: Builder,
  ids: Value,
  attrs: TokenPositionsAttrs,
  step?: Value,
): Value => builder.apply(tokenPositionsOp, { ids, step }, attrs).positionIds;
