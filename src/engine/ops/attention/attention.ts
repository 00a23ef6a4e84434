// Fused attention: self- and cross-attention as one dispatch forward and two backward, with memory linear in
// the lengths. Scores and probabilities never leave registers or workgroup memory; the backward pass
// recomputes them from the stored logsumexp (Dao et al., 2022, "FlashAttention"). Dropout acts on the
// probabilities, as in PyTorch; its mask is recomputed from its counter.

import { dim, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { type AttentionVariant, attentionVariants, forwardLaunch } from './attention-launch.ts';
import type { AttentionAttrs, AttentionLayout } from './attention-layout.ts';
import { checkLengths, crossLayout, selfLayout } from './attention-layout.ts';

/** Name of the op of self-attention. */
export const selfName = 'self_attention';
/** Name of the op of cross-attention. */
export const crossName = 'cross_attention';

/** Types of the outputs: out [B,Tq,H·W] and lse [B,H,Tq]. */
export const outputTypes = (a: AttentionLayout) => ({
  out: tensorType('f32', [a.batch, a.queries, a.heads * a.width]),
  lse: tensorType('f32', [a.batch, a.heads, a.queries]),
});

/** The kernels of an attention node. */
export const attentionKernels = (
  _inputs: unknown,
  { headWidth }: AttentionAttrs,
  traits: DeviceTraits,
): readonly AttentionVariant[] => attentionVariants(traits, headWidth);

/** The types of the attributes. */
const attentionAttrs = {
  heads: 'number',
  headWidth: 'number',
  causal: 'boolean',
  scale: 'number?',
  dropout: 'number?',
  site: 'number?',
} as const;

/**
 * qkv [B,T,3·H·W], key lengths u32 [B], step, a position bias [H, 2·farthest + 1]
 * (relative-position-bias.ts); out [B,T,H·W] and lse [B,H,T]. Row b sees its first lens[b] keys; if it sees
 * none, out, lse and gradients are zero. The dropout mask depends on the index ((b·H + h)·T + i)·T + j of a
 * probability.
 */
export const selfAttentionOp = defineOp({
  name: selfName,
  inputs: ['qkv', 'lens', 'step', 'bias?'],
  outputs: ['out', 'lse'],
  attrs: attrsOf<AttentionAttrs>(attentionAttrs),
  shape({ qkv, lens, step, bias }, attrs) {
    expectType(selfName, 'qkv', qkv, 'f32');
    const layout = selfLayout(selfName, attrs, qkv.shape, bias);
    checkLengths(selfName, layout, lens);
    expectStep(selfName, step);
    return outputTypes(layout);
  },
  f16Storage: ['qkv', 'out'],
  variants: attentionKernels,
  modelFlops: ({ qkv }, { out }) => 4 * sizeOf(out.shape) * dim(qkv, 1),
  launch: ({ qkv, ...inputs }, outputs, attrs, context) => [
    forwardLaunch(selfLayout(selfName, attrs, qkv.shape, inputs.bias), context, {
      q: qkv,
      kv: qkv,
      ...inputs,
      ...outputs,
    }),
  ],
});

/**
 * q [B,Tq,H·W], kv [B,Tk,2·H·W], key lengths u32 [B], step; out [B,Tq,H·W] and lse [B,H,Tq]. As
 * self_attention, with the keys of another sequence. The dropout mask depends on the index ((b·H + h)·Tq +
 * i)·Tk + j of a probability.
 */
export const crossAttentionOp = defineOp({
  name: crossName,
  inputs: ['q', 'kv', 'lens', 'step'],
  outputs: ['out', 'lse'],
  attrs: attrsOf<AttentionAttrs>(attentionAttrs),
  shape({ q, kv, lens, step }, attrs) {
    const layout = checkedCrossLayout(crossName, q, kv, attrs);
    checkLengths(crossName, layout, lens);
    expectStep(crossName, step);
    return outputTypes(layout);
  },
  f16Storage: ['q', 'kv', 'out'],
  variants: attentionKernels,
  modelFlops: ({ q, kv }) => 4 * sizeOf(q.shape) * dim(kv, 1),
  launch: ({ q, kv, lens, step }, { out, lse }, attrs, context) => [
    forwardLaunch(crossLayout(crossName, attrs, q.shape, kv.shape), context, { q, kv, lens, step, out, lse }),
  ],
});

/** The layout of cross-attention. Throws a HeddleError if q or kv do not fit. */
export function checkedCrossLayout(
  name: string,
  q: TensorType,
  kv: TensorType,
  attrs: AttentionAttrs,
): AttentionLayout {
  expectType(name, 'q', q, 'f32');
  expectType(name, 'kv', kv, 'f32');
  return crossLayout(name, attrs, q.shape, kv.shape);
}

/**
 * Self-attention over qkv [B,T,3·H·W]; returns out [B,T,H·W]. `lens` u32 [B], key lengths; `step` is the
 * graph's step input; `bias`, if given, is added to the scaled scores (`relativePositionBias`).
 *
 * @example
 * const lens = graph.input('lens', 'u32', [2]); // key lengths
 * const attrs = { heads: 4, headWidth: 16, causal: true };
 * const out = selfAttention(graph, graph.input('qkv', 'f32', [2, 9, 192]), lens, step, attrs); // [2, 9, 64]
 */
export const selfAttention = (
  g: Builder,
  qkv: Value,
  lens: Value,
  step: Value,
  attrs: AttentionAttrs,
  bias?: Value,
): Value => applyOp(g, selfAttentionOp, { qkv, lens, step, bias }, attrs).out;

/**
 * Attention of q [B,Tq,H·W] over kv [B,Tk,2·H·W]; returns out [B,Tq,H·W].
 *
 * @example
 * const lens = graph.input('lens', 'u32', [2]); // key lengths
 * const [q, kv] = [graph.input('q', 'f32', [2, 9, 64]), graph.input('kv', 'f32', [2, 7, 128])];
 * const out = crossAttention(graph, q, kv, lens, step, { heads: 4, headWidth: 16 }); // [2, 9, 64]
 */
export const crossAttention = (
  g: Builder,
  q: Value,
  kv: Value,
  lens: Value,
  step: Value,
  attrs: Omit<AttentionAttrs, 'causal'>,
): Value => applyOp(g, crossAttentionOp, { q, kv, lens, step }, { ...attrs, causal: false }).out;
