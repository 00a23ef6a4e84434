// Fused attention: self- and cross-attention as one dispatch forward and two backward, with memory linear in the
// lengths. Scores and probabilities never leave registers or workgroup memory; the backward pass recomputes them from
// the stored logsumexp (Dao et al., 2022, "FlashAttention"). Dropout acts on the probabilities, as in PyTorch; its mask
// is recomputed from its counter.

import { HeddleError } from '../../core/errors.ts';
import { sizeOf, type TensorType } from '../../core/tensor.ts';
import { attrsOf, type Builder, type DeviceTraits, defineOp, dim, tensorType, type Value } from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { attentionVariants, backwardLaunches, forwardLaunch } from './attention-launch.ts';
import {
  type AttentionAttrs,
  type AttentionLayout,
  checkLengths,
  crossLayout,
  selfLayout,
} from './attention-layout.ts';
import { attentionBackward, attentionForward } from './attention-reference.ts';

const selfName = 'self_attention';
const crossName = 'cross_attention';

/** out [B,Tq,H·W] and lse [B,H,Tq]. */
const outputTypes = (a: AttentionLayout) => ({
  out: tensorType('f32', [a.batch, a.queries, a.heads * a.width]),
  lse: tensorType('f32', [a.batch, a.heads, a.queries]),
});

function noLseGradient(name: string, dlse: Value | undefined): void {
  if (dlse) throw new HeddleError(`${name}: the logsumexp, lse, has no gradient; derive losses from out only`);
}

const variants = (_inputs: unknown, { headWidth }: AttentionAttrs, traits: DeviceTraits) =>
  attentionVariants(traits, headWidth);

/**
 * qkv [B,T,3·H·W], key lengths u32 [B], step, a bias of position [H, 2·farthest + 1] (relative-position-bias.ts); out
 * [B,T,H·W] and lse [B,H,T]. Row b sees its first lens[b] keys; if it sees none, out, lse and gradients are zero. The
 * dropout mask depends on the index ((b·H + h)·T + i)·T + j of a probability.
 */
export const selfAttentionOp = defineOp({
  name: selfName,
  inputs: ['qkv', 'lens', 'step', 'bias?'],
  outputs: ['out', 'lse'],
  attrs: attrsOf<AttentionAttrs>(),
  shape({ qkv, lens, step, bias }, attrs) {
    expectType(selfName, 'qkv', qkv, 'f32');
    const layout = selfLayout(selfName, attrs, qkv.shape, bias);
    checkLengths(selfName, layout, lens);
    expectStep(selfName, step);
    return outputTypes(layout);
  },
  f16Storage: ['qkv', 'out'],
  variants,
  modelFlops: ({ qkv }, { out }) => 4 * sizeOf(out.shape) * dim(qkv, 1),
  launch: ({ qkv, ...inputs }, outputs, attrs, { variant }) => [
    forwardLaunch(selfLayout(selfName, attrs, qkv.shape, inputs.bias), variant, {
      ...{ q: qkv, kv: qkv },
      ...inputs,
      ...outputs,
    }),
  ],
  grad(builder, inputs, { out, lse }, { out: dout, lse: dlse }, attrs) {
    noLseGradient(selfName, dlse);
    if (!dout) return {};
    const backward = { ...attrs, ...(inputs.bias && builder.needs(inputs.bias) && { biasGradient: true }) };
    const { dqkv, dbias } = builder.apply(selfAttentionBackwardOp, { ...inputs, out, lse, dout }, backward);
    return { qkv: dqkv, bias: dbias };
  },
  reference({ qkv, ...inputs }, { out, lse }, attrs) {
    attentionForward(selfLayout(selfName, attrs, qkv.shape), { q: qkv, kv: qkv, ...inputs }, out, lse);
  },
});

/** Inputs as those and the outputs of `selfAttentionOp`, and dout; dqkv [B,T,3·H·W] and, if wanted, dbias. */
export const selfAttentionBackwardOp = defineOp({
  name: `${selfName}_backward`,
  inputs: ['qkv', 'out', 'lse', 'dout', 'lens', 'step', 'bias?'],
  outputs: ['dqkv', 'dbias?'],
  attrs: attrsOf<AttentionAttrs & { readonly biasGradient?: boolean }>(),
  shape({ qkv, lens, step, bias, ...forward }, attrs) {
    const name = `${selfName}_backward`;
    expectType(name, 'qkv', qkv, 'f32');
    const layout = selfLayout(name, attrs, qkv.shape, bias);
    checkBackward(name, layout, forward);
    checkLengths(name, layout, lens);
    expectStep(name, step);
    return { dqkv: tensorType('f32', qkv.shape), dbias: attrs.biasGradient ? bias : undefined };
  },
  f16Storage: ['qkv', 'out', 'dout', 'dqkv'],
  variants,
  modelFlops: ({ qkv, out }) => 8 * sizeOf(out.shape) * dim(qkv, 1),
  launch({ qkv, ...inputs }, { dqkv, dbias }, attrs, { variant, scratch }) {
    const layout = selfLayout(selfName, attrs, qkv.shape, inputs.bias);
    const rowDots = scratch('f32', inputs.lse.shape);
    const distances = dbias && scratch('f32', [layout.batch, layout.heads, 2 * layout.queries - 1]);
    const bind = { ...inputs, q: qkv, kv: qkv, dq: dqkv, dkv: dqkv, dbias, rowDots, distances };
    return backwardLaunches(layout, variant, bind);
  },
  reference({ qkv, out, dout, ...inputs }, { dqkv, dbias }, attrs) {
    const layout = selfLayout(selfName, attrs, qkv.shape);
    attentionBackward(layout, { q: qkv, kv: qkv, ...inputs }, out, dout, dqkv, dqkv, dbias);
  },
});

/**
 * q [B,Tq,H·W], kv [B,Tk,2·H·W], key lengths u32 [B], step; out [B,Tq,H·W] and lse [B,H,Tq]. As self_attention, with
 * the keys of another sequence. The dropout mask depends on the index ((b·H + h)·Tq + i)·Tk + j of a probability.
 */
export const crossAttentionOp = defineOp({
  name: crossName,
  inputs: ['q', 'kv', 'lens', 'step'],
  outputs: ['out', 'lse'],
  attrs: attrsOf<AttentionAttrs>(),
  shape({ q, kv, lens, step }, attrs) {
    const layout = checkedCrossLayout(crossName, q, kv, attrs);
    checkLengths(crossName, layout, lens);
    expectStep(crossName, step);
    return outputTypes(layout);
  },
  f16Storage: ['q', 'kv', 'out'],
  variants,
  modelFlops: ({ q, kv }) => 4 * sizeOf(q.shape) * dim(kv, 1),
  launch: ({ q, kv, lens, step }, { out, lse }, attrs, { variant }) => [
    forwardLaunch(crossLayout(crossName, attrs, q.shape, kv.shape), variant, { q, kv, lens, step, out, lse }),
  ],
  grad(builder, { q, kv, lens, step }, { out, lse }, { out: dout, lse: dlse }, attrs) {
    noLseGradient(crossName, dlse);
    if (!dout) return {};
    const { dq, dkv } = builder.apply(crossAttentionBackwardOp, { q, kv, out, lse, dout, lens, step }, attrs);
    return { q: dq, kv: dkv };
  },
  reference({ q, kv, lens, step }, { out, lse }, attrs) {
    attentionForward(crossLayout(crossName, attrs, q.shape, kv.shape), { q, kv, lens, step }, out, lse);
  },
});

function checkedCrossLayout(name: string, q: TensorType, kv: TensorType, attrs: AttentionAttrs): AttentionLayout {
  expectType(name, 'q', q, 'f32');
  expectType(name, 'kv', kv, 'f32');
  return crossLayout(name, attrs, q.shape, kv.shape);
}

/** Inputs as those and the outputs of `crossAttentionOp`, and dout; dq [B,Tq,H·W] and dkv [B,Tk,2·H·W]. */
export const crossAttentionBackwardOp = defineOp({
  name: `${crossName}_backward`,
  inputs: ['q', 'kv', 'out', 'lse', 'dout', 'lens', 'step'],
  outputs: ['dq', 'dkv'],
  attrs: attrsOf<AttentionAttrs>(),
  shape({ q, kv, lens, step, ...forward }, attrs) {
    const name = `${crossName}_backward`;
    const layout = checkedCrossLayout(name, q, kv, attrs);
    checkBackward(name, layout, forward);
    checkLengths(name, layout, lens);
    expectStep(name, step);
    return { dq: tensorType('f32', q.shape), dkv: tensorType('f32', kv.shape) };
  },
  f16Storage: ['q', 'kv', 'out', 'dout', 'dq', 'dkv'],
  variants,
  modelFlops: ({ q, kv }) => 8 * sizeOf(q.shape) * dim(kv, 1),
  launch(inputs, gradients, attrs, { variant, scratch }) {
    const layout = crossLayout(crossName, attrs, inputs.q.shape, inputs.kv.shape);
    return backwardLaunches(layout, variant, { ...inputs, ...gradients, rowDots: scratch('f32', inputs.lse.shape) });
  },
  reference({ q, kv, out, dout, lens, step }, { dq, dkv }, attrs) {
    const layout = crossLayout(crossName, attrs, q.shape, kv.shape);
    attentionBackward(layout, { q, kv, lens, step }, out, dout, dq, dkv);
  },
});

function checkBackward(
  name: string,
  layout: AttentionLayout,
  { out, lse, dout }: { readonly out: TensorType; readonly lse: TensorType; readonly dout: TensorType },
): void {
  const types = outputTypes(layout);
  expectType(name, 'out', out, 'f32', types.out.shape);
  expectType(name, 'lse', lse, 'f32', types.lse.shape);
  expectType(name, 'dout', dout, 'f32', types.out.shape);
}

/**
 * Self-attention over qkv [B,T,3·H·W]; returns out [B,T,H·W]. `lens` u32 [B], key lengths; `step` is the graph's step
 * input; `bias`, if given, is added to the scaled scores (`relativePositionBias`).
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
): Value => g.apply(selfAttentionOp, { qkv, lens, step, bias }, attrs).out;

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
): Value => g.apply(crossAttentionOp, { q, kv, lens, step }, { ...attrs, causal: false }).out;
