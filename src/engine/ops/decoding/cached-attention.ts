// Attention in decoding, with one new token per row: self-attention to the ancestors of the token in the KV
// cache, and cross-attention to the source. The rows of a sentence (beams, samples) share the keys of the
// source and read each other's rows of the cache through a table of slots, so beam search copies no keys.
// Keys and values are f32, or f16 packed in u32 words (`packF16`), which needs no shader-f16.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import { maxHeadWidth } from '../attention/attention-layout.ts';
import { checkBias, farthestOf } from '../attention/position-bias.ts';
import type { DeviceTraits } from '../device-traits.ts';
import {
  applyOp,
  attrsOf,
  type Builder,
  defineOp,
  type Launch,
  type LaunchContext,
  type Value,
  type Variant,
} from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { cachedRowsOf, hasFewRegisters, subgroupSizeFor } from '../vendor-preferences.ts';
import { gridOf } from '../work-division.ts';

/** Heads, their width, how many rows share a sentence, and the scale of q·k, by default 1/sqrt(headWidth). */
export type CachedAttentionAttrs = {
  readonly heads: number;
  readonly headWidth: number;
  readonly beams: number;
  readonly scale?: number;
};

/** Flag that is added to a slot whose key is hidden (padding): HIDDEN in the kernels. */
export const hiddenSlot = 2 ** 31;

/**
 * qkv [R,1,3HW], cache [R,T,2HW] or u32 [R,T,HW] (a state, written), slots u32 [R,T], step, a position bias [H,
 * 2·farthest + 1] (relative-position-bias.ts); out [R,1,HW]. First the keys and values in qkv are stored in row (r,
 * step.position) of the cache. Then row r attends, for j from 0 to step.position, to row slots[r,j] of the
 * cache rows of its sentence, counted from the first of them, unless slots[r,j] has `hiddenSlot` added.
 */
export const cachedSelfAttentionOp = defineOp({
  name: 'cached_self_attention',
  inputs: ['qkv', 'cache', 'slots', 'step', 'bias?'],
  outputs: ['out'],
  attrs: attrsOf<CachedAttentionAttrs>({
    heads: 'number',
    headWidth: 'number',
    beams: 'number',
    scale: 'number?',
  }),
  shape({ qkv, cache, slots, step, bias }, attrs) {
    const name = 'cached_self_attention';
    const inner = innerWidth(name, attrs);
    const R = queryRows(name, qkv, attrs, 3 * inner);
    const T = dim(cache, 1);
    const [type, columns] = keyType(cache, attrs);
    expectType(name, 'cache', cache, type, [R, T, columns], `qkv is ${show(qkv.shape)}`);
    expectType(name, 'slots', slots, 'u32', [R, T], `cache is ${show(cache.shape)}`);
    expectStep(name, step);
    if (bias) checkBias(name, attrs.heads, bias);
    return { out: tensorType('f32', [R, 1, inner]) };
  },
  mutates: ['cache'],
  variants,
  // No beam has swapped places.
  sample({ slots }, { beams }) {
    const T = dim(slots, 1);
    return { slots: (i) => (Math.floor(i / T) % beams) * T + (i % T) };
  },
  modelFlops: ({ cache }, { out }) => 4 * sizeOf(out.shape) * dim(cache, 1),
  launch({ qkv, cache, bias, ...inputs }, { out }, attrs, context) {
    const bind = { q: qkv, kv: cache, ...inputs, bias: bias ?? inputs.slots, out };
    const dispatch = launch(
      'cached-self-attention',
      attrs,
      context,
      qkv,
      cache,
      bind,
      1,
      bias && farthestOf(bias),
    );
    return [{ ...dispatch, constants: { ...dispatch.constants, BIAS: bias ? 1 : 0 } }];
  },
});

/**
 * q [R,1,HW], kv [B,S,2HW] or u32 [B,S,HW], lens u32 [B], R = B · beams; out [R,1,HW]: a row sees the first
 * lens[b] keys.
 */
export const cachedCrossAttentionOp = defineOp({
  name: 'cached_cross_attention',
  inputs: ['q', 'kv', 'lens'],
  outputs: ['out'],
  attrs: attrsOf<CachedAttentionAttrs>({
    heads: 'number',
    headWidth: 'number',
    beams: 'number',
    scale: 'number?',
  }),
  shape({ q, kv, lens }, attrs) {
    const name = 'cached_cross_attention';
    const inner = innerWidth(name, attrs);
    const R = queryRows(name, q, attrs, inner);
    const B = R / attrs.beams;
    const [type, columns] = keyType(kv, attrs);
    expectType(name, 'kv', kv, type, [B, dim(kv, 1), columns], `q is ${show(q.shape)}`);
    expectType(name, 'lens', lens, 'u32', [B], 'one for each sentence');
    return { out: tensorType('f32', [R, 1, inner]) };
  },
  variants,
  modelFlops: ({ q, kv }) => 4 * sizeOf(q.shape) * dim(kv, 1),
  launch: ({ q, kv, lens }, { out }, attrs, context) => [
    launch('cached-cross-attention', attrs, context, q, kv, { q, kv, lens, out }, attrs.beams),
  ],
});

function innerWidth(name: string, { heads, headWidth, beams }: CachedAttentionAttrs): number {
  check(
    headWidth >= 1 && headWidth <= maxHeadWidth,
    msg`a head width of ${headWidth}, must be 1..${maxHeadWidth}`,
    { area: name },
  );
  check(heads >= 1 && beams >= 1, msg`${heads} heads and ${beams} beams, must be at least 1`, { area: name });
  return heads * headWidth;
}

/** Whether heads of a width can be packed as f16: they are whole vectors of four numbers. */
export const canPackHeads = (headWidth: number): boolean => headWidth % 4 === 0;

/** Type and columns of keys and values: f32, or packed as f16 in u32 words. */
const keyType = (kv: TensorType, { heads, headWidth }: CachedAttentionAttrs): ['u32' | 'f32', number] =>
  kv.dtype === 'u32' && canPackHeads(headWidth) ? ['u32', heads * headWidth] : ['f32', 2 * heads * headWidth];

function queryRows(name: string, x: TensorType, { beams }: CachedAttentionAttrs, columns: number): number {
  const R = dim(x, 0);
  expectType(name, 'queries', x, 'f32', [R, 1, columns]);
  check(R % beams === 0, () => msg`${R} rows are not a multiple of ${beams} beams`, { area: name });
  return R;
}

/**
 * `tiles`: a workgroup for each head and group of rows. `rows`: a thread for each row and head, first on CPU
 * adapters.
 */
function variants(_inputs: unknown, _attrs: unknown, { software }: DeviceTraits): readonly CachedVariant[] {
  const [tiles, rows] = [
    { name: 'tiles', tiles: true },
    { name: 'rows', tiles: false },
  ];
  return software ? [rows, tiles] : [tiles, rows];
}

/** Whether a workgroup computes a tile, or a thread a row. */
interface CachedVariant extends Variant {
  readonly tiles: boolean;
}

/**
 * Parts of a tile of about `threads` threads: whole subgroups of 16 or 8 if that takes at least half of them, and of `size`,
 * which the kernel requests, if that takes at most 128.
 */
function partsOf(chunks: number, threads: number, size = 1): number {
  const most = Math.max(1, Math.floor(threads / chunks));
  const possible = Array.from({ length: Math.ceil(most / 2) }, (_, i) => most - i);
  const fits = (of: number) => (parts: number) => (chunks * parts) % of === 0;
  const found = possible.find(fits(16)) ?? possible.find(fits(8)) ?? most;
  if (fits(size)(found)) return found;
  const larger = Array.from({ length: Math.floor(128 / chunks) }, (_, i) => i + 1);
  return larger.find((parts) => parts > most && fits(size)(parts)) ?? found;
}

/**
 * The dispatch of both ops; `shareable`: rows of a sentence that see the same keys; `farthest`: distance of
 * the bias.
 */
function launch(
  stem: 'cached-self-attention' | 'cached-cross-attention',
  { heads, headWidth, beams, scale = 1 / Math.sqrt(headWidth) }: CachedAttentionAttrs,
  { variant: { tiles }, traits }: Pick<LaunchContext<string, string, CachedVariant>, 'variant' | 'traits'>,
  queries: Value,
  kv: Value,
  bind: Launch['bind'],
  shareable: number,
  farthest = 0,
): Launch {
  const [rows, keys] = [dim(queries, 0), dim(kv, 1)];
  const chunks = Math.ceil(headWidth / 4);
  const size = subgroupSizeFor(traits);
  const PARTS = partsOf(chunks, keys > 64 ? 128 : 64, size);
  const subgroupSize = tiles && size !== undefined && (chunks * PARTS) % size === 0 ? size : undefined;
  // A larger subgroup than the one that cannot be requested has fewer registers a thread.
  const few = hasFewRegisters(traits) || (size !== undefined && subgroupSize === undefined);
  const most = few ? 1 : Math.min(cachedRowsOf(traits), Math.max(1, Math.floor(256 / chunks))); // 4 KiB of queries
  const groups = Math.ceil(shareable / most);
  const QUERIES = Math.ceil(shareable / groups);
  const entry = stem.replaceAll('-', '_');
  return {
    shader: stem + (kv.dtype === 'u32' ? '-packed' : headWidth % 4 ? '-scalar' : ''),
    entry: tiles ? `${entry}_tiles` : entry,
    constants: tiles ? { WIDTH: headWidth, PARTS, QUERIES, UNROLL: few ? 16 : chunks } : { WIDTH: headWidth },
    subgroupSize,
    params: { rows, beams, keys, heads, q_stride: dim(queries, 2), scale, farthest, chunks },
    bind,
    grid: tiles ? gridOf((rows / shareable) * groups * heads, 1) : gridOf(rows * heads, 32),
    flops: 4 * rows * keys * heads * headWidth,
  };
}

/**
 * Attention of the newest tokens qkv [R,1,3HW] to themselves and their ancestors; [R,1,HW]. Their keys go
 * into the cache. `bias`, if given, is added to the scaled scores (`relativePositionBias`).
 *
 * @example
 * const [qkv, cache] = [graph.input('qkv', 'f32', [8, 1, 192]), graph.state('cache', 'f32', [8, 32, 128])];
 * const slots = graph.state('slots', 'u32', [8, 32]);
 * const out = cachedSelfAttention(graph, qkv, cache, slots, step, { heads: 4, headWidth: 16, beams: 4 }); // [8, 1, 64]
 */
export const cachedSelfAttention = (
  builder: Builder,
  qkv: Value,
  cache: Value,
  slots: Value,
  step: Value,
  attrs: CachedAttentionAttrs,
  bias?: Value,
): Value => applyOp(builder, cachedSelfAttentionOp, { qkv, cache, slots, step, bias }, attrs).out;

/**
 * Attention of q [R,1,HW] to the first lens u32 [B] keys and values of the sources kv [B,S,2HW]; [R,1,HW].
 *
 * @example
 * const [q, kv] = [graph.input('q', 'f32', [8, 1, 64]), graph.input('kv', 'f32', [2, 20, 128])];
 * const lens = graph.input('lens', 'u32', [2]);
 * const out = cachedCrossAttention(graph, q, kv, lens, { heads: 4, headWidth: 16, beams: 4 }); // [8, 1, 64]
 */
export const cachedCrossAttention = (
  builder: Builder,
  q: Value,
  kv: Value,
  lens: Value,
  attrs: CachedAttentionAttrs,
): Value => applyOp(builder, cachedCrossAttentionOp, { q, kv, lens }, attrs).out;
