// Gradients of attention and of its bias of position.

import { HeddleError } from '../../core/errors.ts';
import { dim, type OpGradient, opGradient, type Value } from '../op.ts';
import { crossAttentionOp, selfAttentionOp } from './attention.ts';
import {
  crossAttentionBackwardOp,
  relativePositionBiasBackwardOp,
  selfAttentionBackwardOp,
} from './attention-backward.ts';
import { relativePositionBiasOp } from './relative-position-bias.ts';

function noLseGradient(name: string, dlse: Value | undefined): void {
  if (dlse) throw new HeddleError(`${name}: the logsumexp, lse, has no gradient; derive losses from out only`);
}

/** Gradients of the ops of this folder. */
export const attentionGradients: readonly OpGradient[] = [
  opGradient(selfAttentionOp, (builder, inputs, { out, lse }, { out: dout, lse: dlse }, attrs) => {
    noLseGradient('self_attention', dlse);
    if (!dout) return {};
    const backward = { ...attrs, ...(inputs.bias && builder.needs(inputs.bias) && { biasGradient: true }) };
    const { dqkv, dbias } = builder.apply(selfAttentionBackwardOp, { ...inputs, out, lse, dout }, backward);
    return { qkv: dqkv, bias: dbias };
  }),
  opGradient(crossAttentionOp, (builder, { q, kv, lens, step }, { out, lse }, { out: dout, lse: dlse }, attrs) => {
    noLseGradient('cross_attention', dlse);
    if (!dout) return {};
    const { dq, dkv } = builder.apply(crossAttentionBackwardOp, { q, kv, out, lse, dout, lens, step }, attrs);
    return { q: dq, kv: dkv };
  }),
  opGradient(relativePositionBiasOp, (builder, { table }, _outputs, { bias: dbias }, attrs) =>
    dbias
      ? { table: builder.apply(relativePositionBiasBackwardOp, { dbias }, { ...attrs, buckets: dim(table, 0) }).dtable }
      : {},
  ),
];
