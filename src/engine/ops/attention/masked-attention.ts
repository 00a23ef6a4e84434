// Attention with any mask, as a composition of other ops: what the fused ops do not have. An additive mask, a causal
// offset, grouped heads (fewer heads of keys than of queries), a soft cap, values of another width; and rotary
// positions.

import { check, checkTypes } from '../../../core/errors.ts';
import { listed, msg } from '../../../core/message.ts';
import { dim, show } from '../../../core/tensor.ts';
import { takeColumns } from '../elementwise/columns.ts';
import { add } from '../elementwise/elementwise-ops.ts';
import { joinColumns } from '../elementwise/join-columns.ts';
import { multiply, softcap } from '../elementwise/products.ts';
import { matmul } from '../matmul/matmul.ts';
import { softmax } from '../norm/softmax.ts';
import { type Builder, checkBuilder, type Value } from '../op.ts';
import { checkObject } from '../option-checks.ts';
import { expectOptions } from '../type-checks.ts';

/** Settings of `maskedAttention`. */
export interface MaskedAttentionOptions {
  /** Scale of q·k. [1/sqrt(W)] */
  readonly scale?: number;
  /** Bound of the scaled scores, cap·tanh(scores / cap), before the mask is added. [none] */
  readonly softcap?: number;
}

/**
 * Attention of q [B,H,R,W] over k [B,H,Tk,W] and v [B,H,Tk,V], with a mask f32 [B,H,R,Tk] that is added to the scores;
 * returns out [B,H,R,V]. With grouped heads H is the number of heads of the keys, and a head's rows R are those of its
 * G heads of queries, one head after the other: [B,H·G,Tq,W] is [B,H,G·Tq,W] in memory. `attentionMask` makes masks:
 * causal with an offset, and key lengths. Every row needs a key that it sees: a row of -1e30 attends to all alike.
 *
 * @example
 * const [q, k, v] = ['q', 'k', 'v'].map((name) => graph.input(name, 'f32', [2, 4, 8, 16]));
 * const mask = graph.input('mask', 'f32', [2, 4, 8, 8]);
 * const out = maskedAttention(graph, q, k, v, mask, { softcap: 50 }); // [2, 4, 8, 16]
 */
export function maskedAttention(
  g: Builder,
  q: Value,
  k: Value,
  v: Value,
  mask: Value | undefined,
  options: MaskedAttentionOptions = {},
): Value {
  checkBuilder('maskedAttention', g);
  checkTypes('maskedAttention', 'an object', { q, k, v });
  expectOptions('maskedAttention', options, ['scale', 'softcap']);
  const { scale = 1 / Math.sqrt(dim(q, -1)), softcap: cap } = options;
  check(
    [q, k, v].every(({ shape }) => shape.length === 4 && shape[0] === q.shape[0] && shape[1] === q.shape[1]),
    () => msg`q, k and v must be [B,H,T,W] with one B and H: ${listed([q, k, v].map((x) => show(x.shape)))}`,
    { area: 'maskedAttention' },
  );
  const scaled = takeColumns(g, q, { first: 0, count: dim(q, -1), scale });
  let scores = matmul(g, scaled, k, { transB: true, batched: true }); // [B,H,R,Tk]
  if (cap !== undefined) scores = softcap(g, scores, cap);
  if (mask !== undefined) scores = add(g, scores, mask);
  return matmul(g, softmax(g, scores), v, { batched: true });
}

/** Sizes of a mask, and which keys a query sees. */
export interface AttentionMaskOptions {
  readonly batch: number;
  /** Heads of the keys, and of the queries for each of them. [1] */
  readonly heads?: number;
  readonly groups?: number;
  readonly queries: number;
  readonly keys: number;
  /** Query i sees keys 0 to i + offset; undefined: all. With keys of the past, the number of them. */
  readonly offset?: number;
  /** Number of keys of each row of the batch. [all] */
  readonly lens?: readonly number[];
}

/** Added to the scores of keys that are not seen. -Infinity would make rows that see nothing NaN. */
const hidden = -1e30;

/**
 * The mask [batch, heads, groups · queries, keys] of `maskedAttention`: 0 for keys that a query sees, -1e30 for others.
 *
 * @example
 * const mask = attentionMask({ batch: 1, queries: 2, keys: 5, offset: 3 }); // two new tokens after three
 */
export function attentionMask(options: AttentionMaskOptions): Float32Array {
  checkObject('attentionMask', options, {
    batch: 'a whole number',
    heads: 'a whole number?',
    groups: 'a whole number?',
    queries: 'a whole number',
    keys: 'a whole number',
    offset: 'a number?',
    lens: 'a list of numbers?',
  });
  const { batch, heads = 1, groups = 1, queries, keys, offset = Number.POSITIVE_INFINITY, lens } = options;
  const mask = new Float32Array(batch * heads * groups * queries * keys);
  for (let row = 0; row * keys < mask.length; row++) {
    const b = Math.floor(row / (heads * groups * queries));
    const seen = Math.min(keys, (row % queries) + offset + 1, lens?.[b] ?? keys);
    mask.fill(hidden, row * keys + Math.max(0, seen), (row + 1) * keys);
  }
  return mask;
}

/**
 * Rotary positions (Su et al., 2021, "RoFormer"): turns the halves of each row of x [..,2·N] by angles whose cosines
 * and sines are [..,N]; returns [..,2·N]. Interleaved pairs and partial rotations are permutations or slices of the
 * columns of x (`takeColumns`, `joinColumns`).
 *
 * @example
 * const [cos, sin] = ['cos', 'sin'].map((name) => graph.input(name, 'f32', [8, 16]));
 * const turned = rotaryEmbedding(graph, graph.input('q', 'f32', [8, 32]), cos, sin);
 */
export function rotaryEmbedding(g: Builder, x: Value, cos: Value, sin: Value): Value {
  checkBuilder('rotaryEmbedding', g);
  checkTypes('rotaryEmbedding', 'an object', { x, cos, sin });
  const count = dim(x, -1) / 2;
  check(
    Number.isInteger(count) && dim(cos, -1) === count && dim(sin, -1) === count,
    () =>
      msg`cos ${show(cos.shape)} and sin ${show(sin.shape)} must have half of the columns of x ${show(x.shape)}`,
    { area: 'rotaryEmbedding' },
  );
  const half = (first: number, scale: number) => takeColumns(g, x, { first, count, scale });
  const left = add(g, multiply(g, half(0, 1), cos), multiply(g, half(count, -1), sin));
  const right = add(g, multiply(g, half(0, 1), sin), multiply(g, half(count, 1), cos));
  return joinColumns(g, left, right);
}
