// The gradients of fused attention and of its position bias. Only the backward pass loads this file.

import { HeddleError } from '../../../core/errors.ts';
import { dim } from '../../../core/tensor.ts';
import type { Value } from '../op.ts';
import { type GradientsOf, gradient } from '../op-gradient.ts';
import type * as attentionModule from './attention.ts';
import { crossAttentionOp, selfAttentionOp } from './attention.ts';
import {
  crossAttentionBackwardOp,
  relativePositionBiasBackwardOp,
  selfAttentionBackwardOp,
} from './attention-backward.ts';
import type * as relativePositionBiasModule from './relative-position-bias.ts';
import { relativePositionBiasOp } from './relative-position-bias.ts';

function noLseGradient(name: string, dlse: Value | undefined): void {
  if (dlse)
    throw new HeddleError('the logsumexp, lse, has no gradient; derive losses from out only', { area: name });
}

/** The gradient of each op of the family that has one. */
export const attentionGradients = {
  selfAttentionOp: gradient(
    selfAttentionOp,
    (builder, inputs, { out, lse }, { out: dout, lse: dlse }, attrs) => {
      noLseGradient('self_attention', dlse);
      if (!dout) return {};
      const biasGradient = inputs.bias && builder.needs(inputs.bias) ? true : undefined;
      const backward = { ...attrs, biasGradient };
      const { dqkv, dbias } = builder.apply(selfAttentionBackwardOp, { ...inputs, out, lse, dout }, backward);
      return { qkv: dqkv, bias: dbias };
    },
  ),
  crossAttentionOp: gradient(
    crossAttentionOp,
    (builder, { q, kv, lens, step }, { out, lse }, { out: dout, lse: dlse }, attrs) => {
      noLseGradient('cross_attention', dlse);
      if (!dout) return {};
      const { dq, dkv } = builder.apply(
        crossAttentionBackwardOp,
        { q, kv, out, lse, dout, lens, step },
        attrs,
      );
      return { q: dq, kv: dkv };
    },
  ),
  relativePositionBiasOp: gradient(
    relativePositionBiasOp,
    (builder, { table }, _outputs, { bias: dbias }, attrs) =>
      dbias
        ? {
            table: builder.apply(
              relativePositionBiasBackwardOp,
              { dbias },
              { ...attrs, buckets: dim(table, 0) },
            ).dtable,
          }
        : {},
  ),
} satisfies GradientsOf<typeof attentionModule & typeof relativePositionBiasModule>;
