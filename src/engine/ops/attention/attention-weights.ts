// The attention probabilities, which fused attention never stores: computed on request.

import { sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { gridOf, shaderFor } from '../work-division.ts';
import { type AttentionAttrs, checkLengths, crossLayout, selfLayout } from './attention-layout.ts';

/**
 * Heads, their width and, if not 1/sqrt(W), the factor of the scores. `self`: q and kv are the qkv
 * [B,T,3·H·W] of self-attention, which may be `causal`. `scores`: the scaled scores of the keys j < lens[b]
 * without a causal mask, and 0 for the others, instead of probabilities.
 */
export type AttentionWeightsAttrs = Pick<AttentionAttrs, 'heads' | 'headWidth' | 'scale'> & {
  readonly self?: boolean;
  readonly causal?: boolean;
  readonly scores?: boolean;
};

const name = 'attention_weights';
/** The layout of an `attentionWeightsOp`. */
export const weightsLayout = (
  attrs: AttentionWeightsAttrs,
  q: readonly number[],
  kv: readonly number[],
  bias?: TensorType,
) =>
  attrs.self
    ? selfLayout(name, { ...attrs, causal: attrs.causal ?? false }, q, bias)
    : crossLayout(name, { ...attrs, causal: false }, q, kv);

/**
 * q [B,Tq,H·W], kv [B,Tk,2·H·W], key lengths u32 [B], for self-attention a position bias [H, 2·farthest + 1];
 * p [B,H,Tq,Tk], without dropout, 0 where masked. No gradient.
 */
export const attentionWeightsOp = defineOp({
  name,
  inputs: ['q', 'kv', 'lens', 'bias?'],
  outputs: ['p'],
  attrs: attrsOf<AttentionWeightsAttrs>({
    heads: 'number',
    headWidth: 'number',
    scale: 'number?',
    self: 'boolean?',
    causal: 'boolean?',
    scores: 'boolean?',
  }),
  shape({ q, kv, lens, bias }, attrs) {
    expectType(name, 'q', q, 'f32');
    expectType(name, 'kv', kv, 'f32');
    const a = weightsLayout(attrs, q.shape, kv.shape, bias);
    checkLengths(name, a, lens);
    return { p: tensorType('f32', [a.batch, a.heads, a.queries, a.keys]) };
  },
  launch({ q, kv, lens, bias }, { p }, attrs) {
    const { queries, keys, heads, width, scale, ...a } = weightsLayout(attrs, q.shape, kv.shape, bias);
    const rows = sizeOf(p.shape) / keys;
    return [
      {
        shader: shaderFor('attention-weights', width),
        entry: 'attention_weights',
        constants: { WIDTH: width },
        params: {
          rows,
          queries,
          keys,
          heads,
          scale,
          q_stride: a.qStride,
          kv_stride: a.kvStride,
          k_column: a.kColumn,
          causal: a.causal ? 1 : 0,
          scores: attrs.scores ? 1 : 0,
          biased: bias ? 1 : 0,
          farthest: Math.max(a.farthest, 0),
        },
        bind: { q, kv, lens, bias: bias ?? q, p },
        grid: gridOf(rows, 64),
        flops: 2 * sizeOf(p.shape) * width,
      },
    ];
  },
});

/**
 * Probabilities [B,H,Tq,Tk] with which q [B,Tq,H·W] attends to the keys in kv [B,Tk,2·H·W]; `lens` u32 [B].
 * `bias`, if given, is added to the scaled scores (`relativePositionBias`).
 *
 * @example
 * const lens = graph.input('lens', 'u32', [2]); // key lengths
 * const [q, kv] = [graph.input('q', 'f32', [2, 9, 64]), graph.input('kv', 'f32', [2, 7, 128])];
 * const p = attentionWeights(graph, q, kv, lens, { heads: 4, headWidth: 16 }); // [2, 4, 9, 7]
 */
export const attentionWeights = (
  g: Builder,
  q: Value,
  kv: Value,
  lens: Value,
  attrs: AttentionWeightsAttrs,
  bias?: Value,
): Value => applyOp(g, attentionWeightsOp, { q, kv, lens, bias }, attrs).p;
