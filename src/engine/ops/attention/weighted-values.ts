// The second half of attention with given weights: sums of values. Fused attention never has its weights in memory;
// an inspection that changes them computes attention in parts.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { sameShape, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { gridOf } from '../work-division.ts';
import { type AttentionAttrs, crossLayout, selfLayout } from './attention-layout.ts';

/** Heads and their width. `self`: kv is the qkv [B,T,3·H·W] of self-attention, else [B,Tk,2·H·W]. */
export type WeightedValuesAttrs = Pick<AttentionAttrs, 'heads' | 'headWidth'> & { readonly self?: boolean };

const name = 'weighted_values';

/** The layout of the values. Throws a HeddleError if the weights do not fit. */
function layoutOf(
  { p, kv }: { readonly p: TensorType; readonly kv: TensorType },
  attrs: WeightedValuesAttrs,
) {
  const { self, ...sizes } = attrs;
  const [batch = 0, , queries = 0] = p.shape;
  const inner = attrs.heads * attrs.headWidth;
  const a = self
    ? selfLayout(name, { ...sizes, causal: false }, kv.shape)
    : crossLayout(name, { ...sizes, causal: false }, [batch, queries, inner], kv.shape);
  const wanted = [a.batch, a.heads, a.queries, a.keys];
  check(
    sameShape(p.shape, wanted),
    () => msg`p is ${show(p.shape)}, kv ${show(kv.shape)} needs ${show(wanted)}`,
    {
      area: name,
    },
  );
  return a;
}

/** p [B,H,Tq,Tk], values in kv [B,Tk,..]; out [B,Tq,H·W], the sums of the values of each head weighted by p. */
export const weightedValuesOp = defineOp({
  name,
  inputs: ['p', 'kv'],
  outputs: ['out'],
  attrs: attrsOf<WeightedValuesAttrs>({ heads: 'number', headWidth: 'number', self: 'boolean?' }),
  shape({ p, kv }, attrs) {
    expectType(name, 'p', p, 'f32');
    expectType(name, 'kv', kv, 'f32');
    const a = layoutOf({ p, kv }, attrs);
    return { out: tensorType('f32', [a.batch, a.queries, a.heads * a.width]) };
  },
  example: (rows, width) => ({
    inputs: { p: tensorType('f32', [1, 2, rows, rows]), kv: tensorType('f32', [1, rows, 2 * width]) },
    attrs: { heads: 2, headWidth: width / 2 },
  }),
  launch({ p, kv }, { out }, attrs) {
    const { queries, keys, heads, width, kvStride, vColumn } = layoutOf({ p, kv }, attrs);
    const count = sizeOf(out.shape);
    return [
      {
        shader: 'weighted-values',
        entry: 'weighted_values',
        params: { count, queries, keys, heads, width, kv_stride: kvStride, v_column: vColumn },
        bind: { p, kv, out },
        grid: gridOf(count, 64),
        flops: 2 * count * keys,
      },
    ];
  },
  reference({ p, kv }, { out }, attrs) {
    const { batch, queries, keys, heads, width, vColumn } = layoutOf({ p: f32Of(p), kv: f32Of(kv) }, attrs);
    for (let b = 0; b < batch; b++)
      for (let i = 0; i < queries; i++)
        for (let h = 0; h < heads; h++)
          for (let w = 0; w < width; w++)
            for (let j = 0; j < keys; j++)
              out.add(
                b * queries + i,
                h * width + w,
                p.at((b * heads + h) * queries + i, j) * kv.at(b * keys + j, vColumn + h * width + w),
              );
  },
});

const f32Of = ({ shape }: Pick<TensorType, 'shape'>): TensorType => tensorType('f32', shape);

/**
 * Sums of the values in kv, weighted by p [B,H,Tq,Tk]: [B,Tq,H·W].
 *
 * @example
 * const [p, kv] = [graph.input('p', 'f32', [2, 4, 9, 7]), graph.input('kv', 'f32', [2, 7, 128])];
 * const out = weightedValues(graph, p, kv, { heads: 4, headWidth: 16 }); // [2, 9, 64]
 */
export const weightedValues = (builder: Builder, p: Value, kv: Value, attrs: WeightedValuesAttrs): Value =>
  applyOp(builder, weightedValuesOp, { p, kv }, attrs).out;
