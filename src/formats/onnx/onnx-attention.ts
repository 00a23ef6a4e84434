// Attention and its masks as ONNX operators.

import { type Stack, stackSizes } from '../../model/model-config.ts';
import { bucketOf, relativeBuckets } from '../../ops/attention/relative-position-bias.ts';
import { type Builder, floats, parameter } from './onnx-builder.ts';
import { positionsFrom } from './onnx-embedding.ts';
import type { Name } from './onnx-graph.ts';
import { project } from './onnx-layers.ts';

/** Added to the attention scores of masked keys before the softmax. */
const masked = -1e9;

/** Queries, keys and values of self-attention: [B, T, D] -> three of [B, H, T, W]. */
export function selfHeads(b: Builder, layer: string, stack: Stack, x: Name): Name[] {
  const qkv = b.graph.ops('Split', [project(b, `${layer}.self_attn.in_proj_`, x)], 3, { axis: 2 });
  return qkv.map((part) => splitHeads(b, stack, part));
}

/** [B, T, HW] -> [B, H, T, W]. T may be 0. */
export function splitHeads(b: Builder, stack: Stack, x: Name): Name {
  const { graph: g } = b;
  const { heads, headWidth } = stackSizes(b.config, stack);
  const sizes = g.op('Slice', [g.op('Shape', [x]), g.integers(0), g.integers(2)]); // [2]: B, T
  const shape = g.op('Concat', [sizes, g.integers(heads, headWidth)], { axis: 0 });
  return g.op('Transpose', [g.op('Reshape', [x, shape], { allowzero: 1 })], { perm: [0, 2, 1, 3] });
}

/** Attention of all heads: q [B, H, T, W], k and v [B, H, K, W], `mask` added to the scores -> [B, T, HW]. */
export function attention(b: Builder, stack: Stack, q: Name, k: Name, v: Name, mask: Name): Name {
  const { graph: g } = b;
  const { heads, headWidth } = stackSizes(b.config, stack);
  const scaled = b.config.attentionScale ? g.op('Mul', [q, g.scalar(1 / Math.sqrt(headWidth))]) : q;
  const scores = g.op('MatMul', [scaled, g.op('Transpose', [k], { perm: [0, 1, 3, 2] })]);
  const weights = g.op('Softmax', [g.op('Add', [scores, mask])], { axis: 3 });
  const perHead = g.op('Transpose', [g.op('MatMul', [weights, v])], { perm: [0, 2, 1, 3] }); // [B, T, H, W]
  return g.op('Reshape', [perHead, g.integers(0, 0, heads * headWidth)]);
}

/** From attention_mask [B, S]: 0 for its keys, `masked` for padding: [B, 1, 1, S]. */
export function paddingMask({ graph: g }: Builder, mask: Name): Name {
  const padding = g.op('Sub', [g.scalar(1), g.op('Cast', [mask], { to: 1 })]);
  return g.op('Unsqueeze', [g.op('Mul', [padding, g.scalar(masked)]), g.integers(1, 2)]);
}

/** From 1 for hidden keys, else 0 [B, 1, K, 1]: `masked` or 0 [B, 1, 1, K]. */
export const maskOf = ({ graph: g }: Builder, hidden: Name): Name =>
  g.op('Mul', [g.op('Transpose', [hidden], { perm: [0, 1, 3, 2] }), g.scalar(masked)]);

/** 0 for keys up to the query, `masked` for later keys: [1, 1, T, P + T]. `past` and `added` [1] are P and T. */
export function causalMask(b: Builder, past: Name, added: Name): Name {
  const { graph: g } = b;
  const all = positionsFrom(b, g.integers(0), g.op('Add', [past, added]));
  const keys = g.op('Unsqueeze', [all, g.integers(0, 1, 2)]);
  const queries = g.op('Unsqueeze', [positionsFrom(b, past, added), g.integers(0, 1, 3)]);
  return g.op('Where', [g.op('Greater', [keys, queries]), g.scalar(masked), g.scalar(0)]);
}

/** A mask plus the relative position bias of a stack, [.., H, T, P + T]; only the mask if the model has none. */
export function withPositionBias(b: Builder, stack: Stack, mask: Name, past: Name, added: Name): Name {
  const { graph: g, config: c } = b;
  if (c.positions !== 'relative') return mask;
  const bidirectional = stack === 'encoder';
  const { values, shape } = parameter(b, `transformer.${stack}.relative_bias.weight`); // [buckets, H]
  const [buckets = 0, heads = 0] = shape;
  const far = c.relativeMaxDistance;
  const rule = relativeBuckets(buckets, { maxDistance: far, bidirectional });
  const rows = new Float32Array((2 * far + 1) * heads); // by distance from -far to far
  for (let d = -far; d <= far; d++)
    rows.set(values.subarray(bucketOf(rule, d) * heads, (bucketOf(rule, d) + 1) * heads), (d + far) * heads);
  const table = floats(b, 'relative_bias', [2 * far + 1, heads], rows);
  const keys = g.op('Unsqueeze', [positionsFrom(b, g.integers(0), g.op('Add', [past, added])), g.integers(0)]);
  const queries = g.op('Unsqueeze', [positionsFrom(b, past, added), g.integers(1)]);
  const distance = g.op('Max', [g.op('Min', [g.op('Sub', [keys, queries]), g.integers(far)]), g.integers(-far)]);
  const bias = g.op('Gather', [table, g.op('Add', [distance, g.integers(far)])]); // [T, P + T, H]
  return g.op('Add', [mask, g.op('Transpose', [bias], { perm: [2, 0, 1] })]);
}
