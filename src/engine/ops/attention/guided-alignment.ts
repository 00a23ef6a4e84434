// Guided alignment (Chen et al., 2016, "Guided Alignment Training for Topic-Aware Neural Machine Translation"): the
// cross-entropy between given word alignments and the probabilities of one head of cross-attention, as a loss
// beside that of the tokens. Only trainings with alignments load this file, so the op has its gradient.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { type TensorType, tensorType } from '../../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { gridOf } from '../work-division.ts';
import { checkedCrossLayout } from './attention.ts';
import { type AttentionAttrs, type AttentionLayout, checkLengths } from './attention-layout.ts';

/** Heads as in cross-attention, the head that is guided, and the weight of its loss. */
export type GuidedAlignmentAttrs = Pick<AttentionAttrs, 'heads' | 'headWidth' | 'scale'> & {
  readonly head: number;
  readonly weight: number;
};

/** Words of 32 bits for one bit of each of `keys` keys. */
export const wordsOfLinks = (keys: number): number => Math.ceil(keys / 32);

function layoutOf(op: string, q: TensorType, kv: TensorType, attrs: GuidedAlignmentAttrs): AttentionLayout {
  const { head, heads } = attrs;
  check(
    Number.isInteger(head) && head >= 0 && head < heads,
    () => msg`head is ${head}, must be one of the ${heads} heads, from 0`,
    { area: op },
  );
  return checkedCrossLayout(op, q, kv, { ...attrs, causal: false });
}

/** Fields of Params in shaders/attention/guided-alignment.wgsl. */
const paramsOf = (a: AttentionLayout, { head, weight }: GuidedAlignmentAttrs) => ({
  batch: a.batch,
  queries: a.queries,
  keys: a.keys,
  width: a.width,
  inner: a.heads * a.width,
  first: head * a.width,
  words: wordsOfLinks(a.keys),
  scale: a.scale,
  weight,
});

/** q, kv and dscores [B,Tq,Tk] of `guidedAlignmentOp`; dq as q and dkv as kv, 0 outside of the head. */
export const guidedAlignmentBackwardOp = defineOp({
  name: 'guided_alignment_backward',
  inputs: ['q', 'kv', 'dscores'],
  outputs: ['dq', 'dkv'],
  attrs: attrsOf<GuidedAlignmentAttrs>(),
  shape({ q, kv, dscores }, attrs) {
    const name = 'guided_alignment_backward';
    const a = layoutOf(name, q, kv, attrs);
    expectType(name, 'dscores', dscores, 'f32', [a.batch, a.queries, a.keys], 'one for each query and key');
    return { dq: tensorType('f32', q.shape), dkv: tensorType('f32', kv.shape) };
  },
  f16Storage: ['q', 'kv'],
  launch({ q, kv, dscores }, { dq, dkv }, attrs) {
    const a = layoutOf('guided_alignment_backward', q, kv, attrs);
    const common = { shader: 'guided-alignment', params: paramsOf(a, attrs) };
    const products = 2 * a.batch * a.queries * a.keys * a.width;
    const [queries, keys] = [a.batch * a.queries * a.qStride, a.batch * a.keys * a.kvStride];
    return [
      {
        ...common,
        entry: 'guided_alignment_dq',
        bind: { kv, slopes: dscores, dq },
        grid: gridOf(queries, 64),
        flops: products,
      },
      {
        ...common,
        entry: 'guided_alignment_dkv',
        bind: { q, slopes: dscores, dkv },
        grid: gridOf(keys, 64),
        flops: products,
      },
    ];
  },
});

/**
 * q [B,Tq,H·W], kv [B,Tk,2·H·W], key lengths u32 [B], links u32 [B,Tq,ceil(Tk / 32)]: bit j % 32 of word j / 32 says
 * whether query i is aligned to key j; step. With p the probabilities of the head (without dropout) and y the links
 * of a query, each 1 / n of its n links to keys j < lens[b]: loss [B,Tq] = -weight · sum_j y_j log p_j, 0 without
 * links; dscores [B,Tq,Tk] = its gradient by q·k, times step.tokenWeight.
 */
export const guidedAlignmentOp = defineOp({
  name: 'guided_alignment',
  inputs: ['q', 'kv', 'lens', 'links', 'step'],
  outputs: ['loss', 'dscores'],
  attrs: attrsOf<GuidedAlignmentAttrs>(),
  shape({ q, kv, lens, links, step }, attrs) {
    const name = 'guided_alignment';
    const a = layoutOf(name, q, kv, attrs);
    checkLengths(name, a, lens);
    expectType(name, 'links', links, 'u32', [a.batch, a.queries, wordsOfLinks(a.keys)], 'a bit for each key');
    expectStep(name, step);
    return {
      loss: tensorType('f32', [a.batch, a.queries]),
      dscores: tensorType('f32', [a.batch, a.queries, a.keys]),
    };
  },
  f16Storage: ['q', 'kv'],
  sample: ({ kv }) => ({ lens: () => kv.shape[1] ?? 0, links: () => 0b101 }),
  launch({ q, kv, lens, links, step }, { loss, dscores }, attrs) {
    const a = layoutOf('guided_alignment', q, kv, attrs);
    const rows = a.batch * a.queries;
    return [
      {
        shader: 'guided-alignment',
        entry: 'guided_alignment',
        params: paramsOf(a, attrs),
        bind: { q, kv, lens, links, step, loss, dscores },
        grid: gridOf(rows, 64),
        flops: 2 * rows * a.keys * a.width,
      },
    ];
  },
  grad: (builder, { q, kv }, { dscores }, dOutputs, attrs) => {
    if (dOutputs.loss || dOutputs.dscores)
      throw new Error('guided_alignment: is a root of the loss, its outputs have no gradient');
    const { dq, dkv } = builder.apply(guidedAlignmentBackwardOp, { q, kv, dscores }, attrs);
    return { q: dq, kv: dkv };
  },
});

/**
 * The loss of guided alignment [B,Tq]; `gradients` walks from it too, as another root. q [B,Tq,H·W], kv [B,Tk,2·H·W],
 * `lens` u32 [B], `links` u32 [B,Tq,ceil(Tk / 32)], `step`: the graph's input.
 */
export const guidedAlignment = (
  builder: Builder,
  inputs: {
    readonly q: Value;
    readonly kv: Value;
    readonly lens: Value;
    readonly links: Value;
    readonly step: Value;
  },
  attrs: GuidedAlignmentAttrs,
): Value => builder.apply(guidedAlignmentOp, inputs, attrs).loss;
