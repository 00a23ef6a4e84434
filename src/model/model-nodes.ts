// Nodes of the transformer by their place in it: the segments that the backward pass can recompute, and the
// results that fit f16 in pre-norm models.

import { crossAttentionOp, selfAttentionOp } from '../engine/ops/attention/attention.ts';
import { linearOp } from '../engine/ops/matmul/linear.ts';
import { packedLinearOp } from '../engine/ops/matmul/packed-linear.ts';
import { addLayerNormOp, addRmsNormOp, layerNormOp, rmsNormOp } from '../engine/ops/norm/layer-norm.ts';
import type { Node, Value } from '../engine/ops/op.ts';

/** The layer that a node is in: `decoder.1`; undefined outside of layers. */
export const layerOf = ({ stack, layer }: Node): string | undefined =>
  layer === undefined ? undefined : `${stack}.${layer}`;

/**
 * The first half of the feed-forward block that a node is in: `decoder.1.linear1`. Its results are the widest
 * of a layer, and one matrix product makes them again (Korthikanti et al., 2022, "Reducing Activation
 * Recomputation in Large Transformer Models").
 */
export const feedForwardOf = (node: Node): string | undefined =>
  node.sublayer === 'linear1' ? `${layerOf(node)}.linear1` : undefined;

/** The ops that normalize, that multiply with weights, and that compute the heads of an attention. */
const norms = new Set<object>([layerNormOp, rmsNormOp, addLayerNormOp, addRmsNormOp]);
const products = new Set<object>([linearOp, packedLinearOp]);
const heads = new Set<object>([selfAttentionOp, crossAttentionOp]);

/** Whether a node is a part of an attention itself, not of its LoRA adapter or recomputed. */
const isOfAttention = ({ sublayer, part, recomputed }: Node): boolean =>
  (sublayer === 'self_attn' || sublayer === 'multihead_attn') && part === undefined && !recomputed;

/**
 * Whether the magnitude of a result is independent of the residual stream and the hidden layers, which exceed
 * f16 in large pre-norm models. That holds for the outputs of norms of the stream and, with `attention`, for
 * the queries, keys, values and heads computed from them. It does not hold for gradients, which shrink as the
 * stream grows.
 */
export function isBounded(v: Value, attention: boolean): boolean {
  const { node } = v;
  if (!node) return false;
  const { op, inputs, outputs, outputNames } = node;
  // A norm also stores the sum that it normalizes; the norm of embeddings makes the stream.
  if (norms.has(op))
    return (
      outputNames[outputs.indexOf(v)] === 'y' &&
      node.part !== 'src_embed_norm' &&
      node.part !== 'tgt_embed_norm'
    );
  if (!attention || !isOfAttention(node)) return false;
  // The product of the heads is added to the stream.
  return heads.has(op) || (products.has(op) && !heads.has(inputs[0]?.node?.op ?? {}));
}
