// The probabilities that the fused attention never stores, on request: what each target token looked at.

import { sizeOf } from '../../core/tensor.ts';
import { expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, gridOf, type Value } from '../op.ts';
import { type AttentionAttrs, checkLengths, crossLayout } from './attention-layout.ts';
import { attentionProbabilities } from './attention-reference.ts';

/** Heads, their width and, if not 1/sqrt(W), the factor of the scores. */
export type AttentionWeightsAttrs = Pick<AttentionAttrs, 'heads' | 'headWidth' | 'scale'>;

const name = 'attention_weights';
const layoutOf = (attrs: AttentionWeightsAttrs, q: readonly number[], kv: readonly number[]) =>
  crossLayout(name, { ...attrs, causal: false }, q, kv);

/** Inputs q [B,Tq,H·W], kv [B,Tk,2·H·W], key lengths u32 [B]; output p [B,H,Tq,Tk], without dropout, 0 where masked. No gradient. */
export const attentionWeightsOp = defineOp<AttentionWeightsAttrs>({
  name,
  shape(inputs, attrs) {
    const q = inputAt(name, inputs, 0, 'q');
    const kv = inputAt(name, inputs, 1, 'kv');
    expectType(name, 'q', q, 'f32');
    expectType(name, 'kv', kv, 'f32');
    const a = layoutOf(attrs, q.shape, kv.shape);
    checkLengths(name, a, inputs[2]);
    return [{ dtype: 'f32', shape: [a.batch, a.heads, a.queries, a.keys] }];
  },
  launch({ attrs, inputs, outputs: [p] }) {
    const [q, kv, lens] = inputs as [Value, Value, Value];
    const { queries, keys, heads, width, scale } = layoutOf(attrs, q.shape, kv.shape);
    const rows = sizeOf(p!.shape) / keys;
    return [
      {
        shader: 'attention-weights',
        entry: 'attention_weights',
        params: { rows, queries, keys, heads, width, scale },
        bind: { q, kv, lens, p: p! },
        grid: gridOf(rows, 64),
        flops: 2 * sizeOf(p!.shape) * width,
      },
    ];
  },
  reference({ attrs, inputs: [q, kv, lens], outputs: [p] }) {
    const inputs = { q: q!.data, kv: kv!.data, lens: lens!.data, step: { seed: 0, step: 0 } };
    attentionProbabilities(layoutOf(attrs, q!.shape, kv!.shape), inputs, p!.data);
  },
});

/** Probabilities [B,H,Tq,Tk] with which q [B,Tq,H·W] looks at the keys in kv [B,Tk,2·H·W]; `keyLens` u32 [B]. */
export function attentionWeights(g: Builder, q: Value, kv: Value, keyLens: Value, attrs: AttentionWeightsAttrs): Value {
  return g.apply(attentionWeightsOp, [q, kv, keyLens], attrs)[0]!;
}
