// Multi-head attention (section 3.2.2 of the paper): the blocks of self-attention and cross-attention, their heads over
// whole sequences, and T5's bias of positions. Decoding computes the heads from its cache instead.

import { crossAttention, selfAttention } from '../engine/ops/attention/attention.ts';
import { relativePositionBias } from '../engine/ops/attention/relative-position-bias.ts';
import { joinColumns } from '../engine/ops/elementwise/join-columns.ts';
import type { Value } from '../engine/ops/op.ts';
import { type Stack, stackSizes } from './model-config.ts';
import { positionKind } from './positions.ts';
import type { Scope, Sublayer, Transformer } from './scope.ts';

/**
 * Multi-head self-attention (section 3.2.2): [B, T, D] -> [B, T, D]. `attend` computes the heads: qkv [B, T,
 * 3HW] -> [B, T, HW].
 */
export const selfAttentionBlock =
  (layer: Scope, attend: (qkv: Value) => Value): Sublayer =>
  (x, input) =>
    layer.sublayer('self_attn', (attn) => {
      const qkv = layer.config.normQueriesOnly ? separateQueries(attn, x, input) : attn.linear('in_proj', x);
      return attn.linear('out_proj', attend(qkv));
    });

/**
 * The heads of self-attention, causal in the decoder: qkv [B, T, 3HW] -> [B, T, HW]. `bias`: that of
 * `positionBias`.
 */
export function selfAttentionHeads(
  m: Transformer,
  stack: Stack,
  qkv: Value,
  lengths: Value,
  bias?: Value,
): Value {
  const options = { ...attentionOptions(m, stack), causal: stack === 'decoder' };
  const fused = () => selfAttention(m.graph, qkv, lengths, m.step, options, bias);
  return m.points?.heads({ q: qkv, kv: qkv, lens: lengths, bias }, options, fused) ?? fused();
}

/** The heads of cross-attention: q [B, T, HW], keys and values [B, S, 2HW] -> [B, T, HW]. */
export function crossAttentionHeads(m: Transformer, q: Value, kv: Value, lengths: Value): Value {
  const options = attentionOptions(m, 'decoder');
  const fused = () => crossAttention(m.graph, q, kv, lengths, m.step, options);
  return m.points?.heads({ q, kv, lens: lengths }, { ...options, causal: false }, fused) ?? fused();
}

/**
 * Multi-head cross-attention of a decoder layer: [B, T, D] -> [B, T, D]. `attend` computes the heads: q [B,
 * T, HW] -> [B, T, HW].
 */
export const crossAttentionBlock = (layer: Scope, x: Value, attend: (q: Value) => Value): Value =>
  layer.sublayer('multihead_attn', (attn) => attn.linear('out_proj', attend(attn.linear('q_proj', x))));

/** Keys and values of the cross-attention of a decoder layer: memory [B, S, D] -> [B, S, 2HW]. */
export const crossKeysValues = (layer: Scope, memory: Value): Value =>
  layer.sublayer('multihead_attn', (attn) => attn.linear('kv_proj', memory));

/** Queries of x, and keys and values of `input`, in the layout of one product: [B, T, D] -> [B, T, 3HW]. */
const separateQueries = (attention: Scope, x: Value, input: Value): Value =>
  joinColumns(attention.graph, attention.linear('q_proj', x), attention.linear('kv_proj', input));

/**
 * Options of an attention op: heads, head width and scale of a stack, and in training the dropout of the
 * attention weights.
 */
export function attentionOptions(m: Transformer, stack: Stack) {
  const { heads, headWidth } = stackSizes(m.config, stack);
  const scale = m.config.attentionScale ? undefined : 1;
  const dropout = m.config.dropout.attention;
  if (!m.training || dropout === 0) return { heads, headWidth, scale };
  return { heads, headWidth, scale, dropout, site: m.nextSite() };
}

/**
 * The bias of the self-attention scores of all layers of a stack by distance [H, distances] (Raffel et al.,
 * 2020, T5); undefined if positions are not relative.
 */
export function positionBias(scope: Scope, stack: Stack): Value | undefined {
  const { relativeMaxDistance: maxDistance } = scope.config;
  if (!positionKind(scope.config).isRelative) return undefined;
  const table = scope.weight('relative_bias.weight'); // [buckets, H]
  return relativePositionBias(scope.graph, table, {
    maxDistance,
    bidirectional: stack === 'encoder',
  });
}
