// Attention while decoding, one new token a row: to the keys and values that its ancestors left in a cache, and to those of its
// sentence's source. Several rows may belong to one sentence (beams, samples): they share the source's keys, and reach one another's
// rows of the cache through a table of slots, so that nothing is copied when beams change places.

import { check } from '../../core/errors.ts';
import { show, type TensorType } from '../../core/tensor.ts';
import { maxHeadWidth, maxHeldWidth } from '../attention/attention-layout.ts';
import { expectStep, expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, gridOf, type Launch, type Node, type Value } from '../op.ts';
import { readStep } from '../step-scalars.ts';

/** Heads, their width, and how many rows share a sentence. */
export type CachedAttentionAttrs = { readonly heads: number; readonly headWidth: number; readonly beams: number };

/** Added to a slot whose key does not count: padding. */
export const hiddenSlot = 2 ** 31;

type Inputs = readonly TensorType[];

/**
 * Inputs qkv [R,1,3HW], cache [R,T,2HW] (a state, written), slots u32 [R,T], step; output [R,1,HW]. The keys and values in qkv go
 * into row (r, step.position) of the cache; then row r sees, for j from 0 to step.position, row slots[r,j] of the rows of its
 * sentence, counted from the sentence's first; not where slots[r,j] has `hiddenSlot` added.
 */
export const cachedSelfAttentionOp = defineOp<CachedAttentionAttrs>({
  name: 'cached_self_attention',
  shape(inputs, attrs) {
    const name = 'cached_self_attention';
    const inner = innerWidth(name, attrs);
    const qkv = inputAt(name, inputs, 0, 'qkv');
    const cache = inputAt(name, inputs, 1, 'cache');
    const R = rowsOf(name, qkv, attrs, 3 * inner);
    const T = cache.shape[1] ?? 0;
    expectType(name, 'cache', cache, 'f32', [R, T, 2 * inner], `qkv is ${show(qkv.shape)}`);
    expectType(name, 'slots', inputs[2], 'u32', [R, T], `cache is ${show(cache.shape)}`);
    expectStep(name, inputs[3]);
    return [{ dtype: 'f32', shape: [R, 1, inner] }];
  },
  mutates: [1],
  variants: teams,
  // No beam has changed places.
  sample({ attrs: { beams }, inputs: [, , slots] }) {
    const T = slots!.shape[1]!;
    return { 2: (i) => (Math.floor(i / T) % beams) * T + (i % T) };
  },
  launch({ attrs, inputs, outputs: [out] }, { variant }) {
    const [qkv, cache, slots, step] = inputs as [Value, Value, Value, Value];
    return [launch('cached-self-attention', attrs, variant, qkv, cache, { q: qkv, kv: cache, slots, step, out: out! })];
  },
  reference({ attrs, inputs: [qkv, cache, slots, step], outputs: [out] }) {
    const inner = attrs.heads * attrs.headWidth;
    const [R = 0, T = 0] = cache!.shape;
    const { position } = readStep(step!.data);
    for (let r = 0; r < R; r++)
      for (let c = 0; c < 2 * inner; c++)
        cache!.data[(r * T + position) * 2 * inner + c] = qkv!.data[(r * 3 + 1) * inner + c]!;
    for (let r = 0; r < R; r++) {
      const first = Math.floor(r / attrs.beams) * attrs.beams * T;
      const seen = Array.from(slots!.data.subarray(r * T, r * T + position + 1)).filter((slot) => slot < hiddenSlot);
      const rows = seen.map((slot) => first + slot);
      attend(attrs, qkv!.data.subarray(r * 3 * inner), cache!.data, rows, out!.data.subarray(r * inner));
    }
  },
});

/** Inputs q [R,1,HW], kv [B,S,2HW], lens u32 [B], R = B · beams; output [R,1,HW]: row r sees the first lens[b] keys of its b. */
export const cachedCrossAttentionOp = defineOp<CachedAttentionAttrs>({
  name: 'cached_cross_attention',
  shape(inputs, attrs) {
    const name = 'cached_cross_attention';
    const inner = innerWidth(name, attrs);
    const q = inputAt(name, inputs, 0, 'q');
    const kv = inputAt(name, inputs, 1, 'kv');
    const R = rowsOf(name, q, attrs, inner);
    const B = R / attrs.beams;
    expectType(name, 'kv', kv, 'f32', [B, kv.shape[1] ?? 0, 2 * inner], `q is ${show(q.shape)}`);
    expectType(name, 'lens', inputs[2], 'u32', [B], 'one a sentence');
    return [{ dtype: 'f32', shape: [R, 1, inner] }];
  },
  variants: teams,
  launch({ attrs, inputs, outputs: [out] }, { variant }) {
    const [q, kv, lens] = inputs as [Value, Value, Value];
    return [launch('cached-cross-attention', attrs, variant, q, kv, { q, kv, lens, out: out! })];
  },
  reference({ attrs, inputs: [q, kv, lens], outputs: [out] }) {
    const inner = attrs.heads * attrs.headWidth;
    const S = kv!.shape[1]!;
    for (let r = 0; r < q!.shape[0]!; r++) {
      const b = Math.floor(r / attrs.beams);
      const rows = Array.from({ length: Math.min(S, lens!.data[b]!) }, (_, j) => b * S + j);
      attend(attrs, q!.data.subarray(r * inner), kv!.data, rows, out!.data.subarray(r * inner));
    }
  },
});

/** out [HW] of one query q [HW] that sees `rows` of kv [..,2HW]; zeros where it sees none. */
function attend(
  { heads, headWidth: W }: CachedAttentionAttrs,
  q: Float64Array,
  kv: Float64Array,
  rows: readonly number[],
  out: Float64Array,
): void {
  const inner = heads * W;
  for (let h = 0; h < heads; h++) {
    const scores = rows.map((row) => {
      let sum = 0;
      for (let w = 0; w < W; w++) sum += q[h * W + w]! * kv[row * 2 * inner + h * W + w]!;
      return sum / Math.sqrt(W);
    });
    const top = Math.max(...scores);
    const weights = scores.map((s) => Math.exp(s - top));
    const total = weights.reduce((a, b) => a + b, 0);
    for (let w = 0; w < W; w++) {
      let sum = 0;
      for (const [i, row] of rows.entries()) sum += weights[i]! * kv[row * 2 * inner + inner + h * W + w]!;
      out[h * W + w] = rows.length ? sum / total : 0;
    }
  }
}

function innerWidth(name: string, { heads, headWidth, beams }: CachedAttentionAttrs): number {
  check(
    headWidth >= 1 && headWidth <= maxHeadWidth,
    `${name}: a head width of ${headWidth}, must be 1..${maxHeadWidth}`,
  );
  check(heads >= 1 && beams >= 1, `${name}: ${heads} heads and ${beams} beams, must be at least 1`);
  return heads * headWidth;
}

function rowsOf(name: string, x: Inputs[number], { beams }: CachedAttentionAttrs, columns: number): number {
  const R = x.shape[0] ?? 0;
  expectType(name, 'queries', x, 'f32', [R, 1, columns]);
  check(R % beams === 0, () => `${name}: ${R} rows are no whole number of sentences of ${beams} beams`);
  return R;
}

/** A team's parts meet in workgroup memory: the wider the head, the smaller the team. */
function teams({ attrs: { headWidth } }: Node<CachedAttentionAttrs>): readonly string[] {
  if (headWidth > maxHeldWidth) return ['team-1'];
  return [headWidth <= 64 ? 'team-32' : headWidth <= 128 ? 'team-16' : 'team-8', 'team-1'];
}

function launch(
  stem: 'cached-self-attention' | 'cached-cross-attention',
  { heads, headWidth, beams }: CachedAttentionAttrs,
  variant: string,
  queries: Value,
  kv: Value,
  bind: Launch['bind'],
): Launch {
  const rows = queries.shape[0]!;
  const [, keys = 0] = kv.shape;
  const ROW_GROUP = Number(variant.split('-')[1]);
  const THREADS = ROW_GROUP === 1 ? 32 : ROW_GROUP;
  return {
    shader: headWidth % 4 === 0 ? stem : `${stem}-scalar`,
    entry: stem.replaceAll('-', '_'),
    constants: { ROW_GROUP, THREADS, WIDTH: headWidth },
    params: {
      rows,
      beams,
      keys,
      heads,
      q_stride: queries.shape[2]!,
      scale: 1 / Math.sqrt(headWidth),
      chunks: Math.ceil(headWidth / 4),
    },
    bind,
    grid: gridOf(rows * heads, THREADS / ROW_GROUP),
    flops: 4 * rows * keys * heads * headWidth,
  };
}

/** Attention of the newest tokens qkv [R,1,3HW] to themselves and what came before; [R,1,HW]. The cache takes their keys. */
export function cachedSelfAttention(
  g: Builder,
  qkv: Value,
  cache: Value,
  slots: Value,
  step: Value,
  attrs: CachedAttentionAttrs,
): Value {
  return g.apply(cachedSelfAttentionOp, [qkv, cache, slots, step], attrs)[0]!;
}

/** Attention of q [R,1,HW] to the sources' keys and values kv [B,S,2HW], of which lens u32 [B] count; [R,1,HW]. */
export function cachedCrossAttention(g: Builder, q: Value, kv: Value, lens: Value, attrs: CachedAttentionAttrs): Value {
  return g.apply(cachedCrossAttentionOp, [q, kv, lens], attrs)[0]!;
}
