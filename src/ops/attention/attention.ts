// Fused attention: self- and cross-attention as one dispatch forward and two backward, with memory linear in the lengths. Scores
// and probabilities never leave registers or workgroup memory; the backward makes them again from the stored logsumexp
// (Dao et al., 2022, "FlashAttention"). Dropout acts on the probabilities, as in PyTorch, its mask made again from its counter.

import { HeddleError } from '../../core/errors.ts';
import type { TensorType } from '../../core/tensor.ts';
import { expectStep, expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, type Node, type Value } from '../op.ts';
import { readStep } from '../step-scalars.ts';
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
function outputTypes(a: AttentionLayout): TensorType[] {
  return [
    { dtype: 'f32', shape: [a.batch, a.queries, a.heads * a.width] },
    { dtype: 'f32', shape: [a.batch, a.heads, a.queries] },
  ];
}

function noLseGradient(name: string, dlse: Value | undefined): void {
  if (dlse)
    throw new HeddleError(`${name}: the logsumexp, output 1, has no gradient; derive losses from output 0 alone`);
}

/**
 * Inputs qkv [B,T,3·H·W], key lengths u32 [B], step; outputs out [B,T,H·W] and lse [B,H,T]. Row b sees its first lens[b] keys; where
 * it sees none, out, lse and gradients are zero. Element ((b·H + h)·T + i)·T + j is dropped by its number.
 */
export const selfAttentionOp = defineOp<AttentionAttrs>({
  name: selfName,
  shape(inputs, attrs) {
    const qkv = inputAt(selfName, inputs, 0, 'qkv');
    expectType(selfName, 'qkv', qkv, 'f32');
    const layout = selfLayout(selfName, attrs, qkv.shape);
    checkLengths(selfName, layout, inputs[1]);
    expectStep(selfName, inputs[2]);
    return outputTypes(layout);
  },
  half: () => ({ inputs: [0], outputs: [0] }),
  variants: ({ attrs }, traits) => attentionVariants(traits, attrs.headWidth),
  launch(node, { variant }) {
    const [qkv, lens, step] = node.inputs as [Value, Value, Value];
    const [out, lse] = node.outputs as [Value, Value];
    return [forwardLaunch(selfLayoutOf(node), variant, { q: qkv, kv: qkv, lens, step, out, lse })];
  },
  grad(builder, { inputs, outputs, attrs }, [dout, dlse]) {
    noLseGradient(selfName, dlse);
    if (!dout) return [];
    return builder.apply(selfAttentionBackwardOp, [inputs[0]!, ...outputs, dout, inputs[1]!, inputs[2]!], attrs);
  },
  reference({ attrs, inputs: [qkv, lens, step], outputs: [out, lse] }) {
    const layout = selfLayout(selfName, attrs, qkv!.shape);
    const inputs = { q: qkv!.data, kv: qkv!.data, lens: lens!.data, step: readStep(step!.data) };
    attentionForward(layout, inputs, out!.data, lse!.data);
  },
});

const selfLayoutOf = (node: Node<AttentionAttrs>) => selfLayout(node.op.name, node.attrs, node.inputs[0]!.shape);

/** Inputs qkv, out, lse, dout, key lengths, step; output dqkv [B,T,3·H·W]. */
export const selfAttentionBackwardOp = defineOp<AttentionAttrs>({
  name: `${selfName}_backward`,
  shape(inputs, attrs) {
    const name = `${selfName}_backward`;
    const [qkv, out, lse, dout, lens, step] = inputs;
    expectType(name, 'qkv', qkv, 'f32');
    const layout = selfLayout(name, attrs, qkv.shape);
    checkBackward(name, layout, out, lse, dout);
    checkLengths(name, layout, lens);
    expectStep(name, step);
    return [{ dtype: 'f32', shape: qkv.shape }];
  },
  half: () => ({ inputs: [0, 1, 3], outputs: [0] }),
  variants: ({ attrs }, traits) => attentionVariants(traits, attrs.headWidth),
  launch(node, { variant, scratch }) {
    const [qkv, out, lse, dout, lens, step] = node.inputs as [Value, Value, Value, Value, Value, Value];
    const [dqkv] = node.outputs as [Value];
    const rowDots = scratch('f32', lse.shape);
    const bind = { q: qkv, kv: qkv, out, lse, dout, lens, step, dq: dqkv, dkv: dqkv, rowDots };
    return backwardLaunches(selfLayoutOf(node), variant, bind);
  },
  reference({ attrs, inputs: [qkv, out, , dout, lens, step], outputs: [dqkv] }) {
    const layout = selfLayout(selfName, attrs, qkv!.shape);
    const inputs = { q: qkv!.data, kv: qkv!.data, lens: lens!.data, step: readStep(step!.data) };
    attentionBackward(layout, inputs, out!.data, dout!.data, dqkv!.data, dqkv!.data);
  },
});

/**
 * Inputs q [B,Tq,H·W], kv [B,Tk,2·H·W], key lengths u32 [B], step; outputs out [B,Tq,H·W] and lse [B,H,Tq]. As self_attention, with
 * the keys of another sequence; element ((b·H + h)·Tq + i)·Tk + j is dropped by its number.
 */
export const crossAttentionOp = defineOp<AttentionAttrs>({
  name: crossName,
  shape(inputs, attrs) {
    const layout = crossTypes(crossName, inputs, attrs);
    checkLengths(crossName, layout, inputs[2]);
    expectStep(crossName, inputs[3]);
    return outputTypes(layout);
  },
  half: () => ({ inputs: [0, 1], outputs: [0] }),
  variants: ({ attrs }, traits) => attentionVariants(traits, attrs.headWidth),
  launch(node, { variant }) {
    const [q, kv, lens, step] = node.inputs as [Value, Value, Value, Value];
    const [out, lse] = node.outputs as [Value, Value];
    return [forwardLaunch(crossLayoutOf(node), variant, { q, kv, lens, step, out, lse })];
  },
  grad(builder, { inputs, outputs, attrs }, [dout, dlse]) {
    noLseGradient(crossName, dlse);
    if (!dout) return [];
    const [q, kv, lens, step] = inputs as [Value, Value, Value, Value];
    return builder.apply(crossAttentionBackwardOp, [q, kv, ...outputs, dout, lens, step], attrs);
  },
  reference({ attrs, inputs: [q, kv, lens, step], outputs: [out, lse] }) {
    const layout = crossLayout(crossName, attrs, q!.shape, kv!.shape);
    const inputs = { q: q!.data, kv: kv!.data, lens: lens!.data, step: readStep(step!.data) };
    attentionForward(layout, inputs, out!.data, lse!.data);
  },
});

function crossTypes(name: string, inputs: readonly TensorType[], attrs: AttentionAttrs): AttentionLayout {
  const q = inputAt(name, inputs, 0, 'q');
  const kv = inputAt(name, inputs, 1, 'kv');
  expectType(name, 'q', q, 'f32');
  expectType(name, 'kv', kv, 'f32');
  return crossLayout(name, attrs, q.shape, kv.shape);
}

const crossLayoutOf = (node: Node<AttentionAttrs>) =>
  crossLayout(node.op.name, node.attrs, node.inputs[0]!.shape, node.inputs[1]!.shape);

/** Inputs q, kv, out, lse, dout, key lengths, step; outputs dq [B,Tq,H·W] and dkv [B,Tk,2·H·W]. */
export const crossAttentionBackwardOp = defineOp<AttentionAttrs>({
  name: `${crossName}_backward`,
  shape(inputs, attrs) {
    const name = `${crossName}_backward`;
    const layout = crossTypes(name, inputs, attrs);
    const [q, kv, out, lse, dout, lens, step] = inputs;
    checkBackward(name, layout, out, lse, dout);
    checkLengths(name, layout, lens);
    expectStep(name, step);
    return [
      { dtype: 'f32', shape: q!.shape },
      { dtype: 'f32', shape: kv!.shape },
    ];
  },
  half: () => ({ inputs: [0, 1, 2, 4], outputs: [0, 1] }),
  variants: ({ attrs }, traits) => attentionVariants(traits, attrs.headWidth),
  launch(node, { variant, scratch }) {
    const [q, kv, out, lse, dout, lens, step] = node.inputs as [Value, Value, Value, Value, Value, Value, Value];
    const [dq, dkv] = node.outputs as [Value, Value];
    const rowDots = scratch('f32', lse.shape);
    return backwardLaunches(crossLayoutOf(node), variant, { q, kv, out, lse, dout, lens, step, dq, dkv, rowDots });
  },
  reference({ attrs, inputs: [q, kv, out, , dout, lens, step], outputs: [dq, dkv] }) {
    const layout = crossLayout(crossName, attrs, q!.shape, kv!.shape);
    const inputs = { q: q!.data, kv: kv!.data, lens: lens!.data, step: readStep(step!.data) };
    attentionBackward(layout, inputs, out!.data, dout!.data, dq!.data, dkv!.data);
  },
});

function checkBackward(
  name: string,
  a: AttentionLayout,
  out: TensorType | undefined,
  lse: TensorType | undefined,
  dout: TensorType | undefined,
): void {
  const [outType, lseType] = outputTypes(a);
  expectType(name, 'out', out, 'f32', outType!.shape);
  expectType(name, 'lse', lse, 'f32', lseType!.shape);
  expectType(name, 'dout', dout, 'f32', outType!.shape);
}

/** Self-attention over qkv [B,T,3·H·W]; returns out [B,T,H·W]. `keyLens` u32 [B]; `step` is the graph's step input. */
export function selfAttention(g: Builder, qkv: Value, keyLens: Value, step: Value, attrs: AttentionAttrs): Value {
  return g.apply(selfAttentionOp, [qkv, keyLens, step], attrs)[0]!;
}

/** Attention of q [B,Tq,H·W] over kv [B,Tk,2·H·W]; returns out [B,Tq,H·W]. */
export function crossAttention(
  g: Builder,
  q: Value,
  kv: Value,
  keyLens: Value,
  step: Value,
  attrs: Omit<AttentionAttrs, 'causal'>,
): Value {
  return g.apply(crossAttentionOp, [q, kv, keyLens, step], { ...attrs, causal: false } as AttentionAttrs)[0]!;
}
