// The probabilities of cross-attention as a tensor, for alignments. The model's own attention never makes it.

import { type AttentionAttrs, checkLengths, crossLayout } from './attention-layout.ts';
import { attentionProbabilities } from './attention-reference.ts';
import { expectType, inputAt } from './expect.ts';
import { type Builder, defineOp, gridOf, type Value } from './op.ts';

type WeightsAttrs = Omit<AttentionAttrs, 'causal' | 'dropout' | 'site'>;

const name = 'attention_weights';

/**
 * Inputs q [B,Tq,H·W], kv [B,Tk,2·H·W], key lengths u32 [B]; output p [B,H,Tq,Tk], each row summing to 1 over its first lens[b]
 * columns, 0 in the others and where a row sees nothing.
 */
export const attentionWeightsOp = defineOp<AttentionAttrs>({
  name,
  shape(inputs, attrs) {
    const q = inputAt(name, inputs, 0, 'q');
    const kv = inputAt(name, inputs, 1, 'kv');
    expectType(name, 'q', q, 'f32');
    expectType(name, 'kv', kv, 'f32');
    const a = crossLayout(name, attrs, q.shape, kv.shape);
    checkLengths(name, a, inputs[2]);
    return [{ dtype: 'f32', shape: [a.batch, a.heads, a.queries, a.keys] }];
  },
  launch({ attrs, inputs, outputs: [p] }) {
    const [q, kv, lens] = inputs as [Value, Value, Value];
    const { batch, heads, queries, keys, width, scale } = crossLayout(name, attrs, q.shape, kv.shape);
    return [
      {
        shader: 'attention-weights',
        entry: name,
        params: { batch, heads, queries, keys, width, scale },
        bind: { q, kv, lens, p: p! },
        grid: gridOf(batch * heads * queries, 64),
        flops: 2 * batch * heads * queries * keys * width,
      },
    ];
  },
  reference({ attrs, inputs: [q, kv, lens], outputs: [p] }) {
    const layout = crossLayout(name, attrs, q!.shape, kv!.shape);
    const inputs = { q: q!.data, kv: kv!.data, lens: lens!.data, step: { seed: 0, step: 0 } };
    attentionProbabilities(layout, inputs, p!.data);
  },
});

/** The probabilities with which q [B,Tq,H·W] attends to kv [B,Tk,2·H·W]: [B,H,Tq,Tk]. */
export function attentionWeights(g: Builder, q: Value, kv: Value, lens: Value, attrs: WeightsAttrs): Value {
  return g.apply(attentionWeightsOp, [q, kv, lens], { ...attrs, causal: false } as AttentionAttrs)[0]!;
}
