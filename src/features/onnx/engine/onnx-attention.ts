// The attention ops of inference as ONNX operators. The KV cache stays in host memory: a model gets the keys and
// values before the newest token, in the order of the row's ancestors, and returns those of the newest token.

import { dim, sizeOf, type TensorData } from '../../../core/tensor.ts';
import { crossAttentionOp, selfAttentionOp } from '../../../engine/ops/attention/attention.ts';
import { farthestOf } from '../../../engine/ops/attention/position-bias.ts';
import {
  bucketOf,
  relativeBuckets,
  relativePositionBiasOp,
} from '../../../engine/ops/attention/relative-position-bias.ts';
import {
  cachedCrossAttentionOp,
  cachedSelfAttentionOp,
  hiddenSlot,
} from '../../../engine/ops/decoding/cached-attention.ts';
import type { Value } from '../../../engine/ops/op.ts';
import { readStep } from '../../../engine/ops/step-scalars.ts';
import { type HostRun, placeOf } from './host-values.ts';
import type { Name } from './onnx-graph.ts';
import { type OnnxEntry, onnxOp } from './onnx-op.ts';
import type { SegmentBuilder } from './segment-builder.ts';

/** Added to the scores of keys that a query does not see. */
const masked = -1e30;

/** Heads, their width and the factor of the scores. */
interface Heads {
  readonly heads: number;
  readonly headWidth: number;
  readonly scale?: number;
}

/** [B,T,H·W] -> [B,H,T,W]. */
function split(b: SegmentBuilder, x: Name, heads: number, width: number): Name {
  return b.op('Transpose', [b.op('Reshape', [x, b.integers(0, 0, heads, width)])], { perm: [0, 2, 1, 3] });
}

/** [B,H,T,W] -> [B,T,H·W]. */
const join = (b: SegmentBuilder, x: Name, width: number): Name =>
  b.op('Reshape', [b.op('Transpose', [x], { perm: [0, 2, 1, 3] }), b.integers(0, 0, width)]);

/** softmax(q·kᵀ·scale + masks)·v for q [B,H,Tq,W], k and v [B,H,Tk,W]: [B,H,Tq,W]. */
function attend(
  b: SegmentBuilder,
  { headWidth, scale = 1 / Math.sqrt(headWidth) }: Heads,
  [q, k, v]: readonly [q: Name, k: Name, v: Name],
  masks: readonly Name[],
): Name {
  const scaled = scale === 1 ? q : b.op('Mul', [q, b.scalar(scale)]);
  let scores = b.op('MatMul', [scaled, b.op('Transpose', [k], { perm: [0, 1, 3, 2] })]);
  for (const mask of masks) scores = b.op('Add', [scores, mask]);
  return b.op('MatMul', [b.op('Softmax', [scores], { axis: -1 }), v]);
}

/** A mask [B,1,1,K] that hides keys from `lens` on; 0 keys count as one, whose value `visible` removes. */
const lengthMask = (b: SegmentBuilder, lens: Value, keysOf: (run: HostRun) => number): Name =>
  b.feed(`mask ${lens.id}`, 'float', 4, (run) => {
    const [lengths, K] = [run.data(lens), keysOf(run)];
    const data = new Float32Array(lengths.length * K);
    for (const [r, length] of lengths.entries()) data.fill(masked, r * K + length, (r + 1) * K);
    return { data, dims: [lengths.length, 1, 1, K] };
  });

/** 1 for rows with keys, else 0: [B,1,1,1]. */
const visible = (b: SegmentBuilder, lens: Value): Name =>
  b.feed(`visible ${lens.id}`, 'float', 4, (run) => {
    const data = Float32Array.from(run.data(lens), (length) => Math.min(1, length));
    return { data, dims: [data.length, 1, 1, 1] };
  });

/** A mask [1,1,T,T] of the keys after each query. */
const causalMask = (b: SegmentBuilder, T: number): Name =>
  b.feed('causal', 'float', 4, () => {
    const data = new Float32Array(T * T);
    for (let i = 0; i < T; i++) data.fill(masked, i * T + i + 1, (i + 1) * T);
    return { data, dims: [1, 1, T, T] };
  });

/** The bias of each head for each query and key, [H,Tq,Tk], from that of distances. */
function biasOf(
  b: SegmentBuilder,
  bias: Value,
  sizesOf: (run: HostRun) => { readonly first: number; readonly queries: number; readonly keys: number },
): Name {
  const far = farthestOf(bias);
  const distances = b.feed(`distances ${bias.id}`, 'int32', 2, (run) => {
    const { first, queries, keys } = sizesOf(run);
    const data = new Int32Array(queries * keys);
    for (let i = 0; i < queries; i++)
      for (let j = 0; j < keys; j++) data[i * keys + j] = far + Math.max(-far, Math.min(far, j - first - i));
    return { data, dims: [queries, keys] };
  });
  return b.once(`bias ${bias.id}`, () => b.op('Gather', [b.of(bias), distances], { axis: 1 }));
}

/** The position of the token that a decoder reads. */
const positionOf = (run: HostRun, step: Value): number => readStep(run.data(step)).position;

/** The keys and values of each row's ancestors before the newest token, [R,t,2HW]. */
function pastOf(run: HostRun, cache: Value, slots: Value, step: Value, beams: number) {
  const [R = 0, T = 0, width = 0] = cache.shape;
  const t = positionOf(run, step);
  const [from, table] = [run.data(cache) as Float32Array, run.data(slots)];
  const data = new Float32Array(R * t * width);
  for (let r = 0; r < R; r++) {
    const first = (r - (r % beams)) * T;
    for (let j = 0; j < t; ) {
      const start = slotAt(table, r * T + j);
      let end = j + 1; // ancestors in consecutive slots are copied at once
      while (end < t && slotAt(table, r * T + end) === start + end - j) end++;
      const at = (first + start) * width;
      data.set(from.subarray(at, at + (end - j) * width), (r * t + j) * width);
      j = end;
    }
  }
  return { data, dims: [R, t, width] };
}

/** A slot without the flag of hidden keys. */
const slotAt = (table: TensorData, i: number): number => (table[i] as number) & 0x7fffffff;

/** A mask [R,1,1,t+1] of hidden keys, or [1,1,1,1] if there are none. */
function hiddenMask(run: HostRun, slots: Value, step: Value) {
  const [R = 0, T = 0] = slots.shape;
  const [table, keys] = [run.data(slots), positionOf(run, step) + 1];
  const data = new Float32Array(R * keys);
  let any = false;
  for (let r = 0; r < R; r++)
    for (let j = 0; j < keys; j++)
      if ((table[r * T + j] as number) >= hiddenSlot) {
        data[r * keys + j] = masked;
        any = true;
      }
  return any ? { data, dims: [R, 1, 1, keys] } : { data: new Float32Array(1), dims: [1, 1, 1, 1] };
}

/** Keys (part 0) or values (part 1) of sources kv [B,S,2HW], their first `keys`, as [B,H,keys,W]. */
function sourceHeads(run: HostRun, kv: Value, part: 0 | 1, keys: number, { heads, headWidth: W }: Heads) {
  const [B = 0, S = 0, width = 0] = kv.shape;
  const dims = [B, heads, keys, W];
  const make = (all: TensorData) => {
    const { offset } = placeOf(kv) ?? { offset: 0 };
    const data = new Float32Array(sizeOf(dims));
    let to = 0;
    for (let r = 0; r < B; r++)
      for (let h = 0; h < heads; h++)
        for (let j = 0; j < keys; j++) {
          const at = offset + (r * S + j) * width + (part * heads + h) * W;
          for (let w = 0; w < W; w++) data[to++] = all[at + w] as number;
        }
    return data;
  };
  const place = placeOf(kv);
  const data = place ? run.states.derived(place.state, `${part} ${keys}`, make) : make(run.data(kv));
  return { data: data as Float32Array, dims };
}

/** The most keys that a row sees, at least one. */
const longest = (run: HostRun, lens: Value): number => Math.max(1, ...run.data(lens));

const noDropout = (_inputs: unknown, { dropout = 0 }: { readonly dropout?: number }): boolean =>
  dropout === 0;
const isFloat = ({ dtype }: Value): boolean => dtype === 'f32';

/** The ops of this file. */
export const onnxAttention: readonly OnnxEntry[] = [
  onnxOp(relativePositionBiasOp, {
    lower(b, { table }, attrs) {
      const rule = relativeBuckets(dim(table, 0), attrs);
      const far = rule.starts.at(-1) ?? 0;
      const rows = Array.from({ length: 2 * far + 1 }, (_, i) => bucketOf(rule, i - far));
      const bias = b.op('Gather', [b.of(table), b.integers(...rows)]);
      return { bias: b.op('Transpose', [bias], { perm: [1, 0] }) };
    },
  }),
  onnxOp(selfAttentionOp, {
    without: ['lse'],
    fits: noDropout,
    lower(b, { qkv, lens, bias }, attrs) {
      const { heads, headWidth, causal } = attrs;
      const T = dim(qkv, 1);
      const parts = b.ops('Split', [b.of(qkv)], 3, { axis: 2 });
      const [q = '', k = '', v = ''] = parts.map((part) => split(b, part, heads, headWidth));
      const masks = [lengthMask(b, lens, () => T)];
      if (causal) masks.push(causalMask(b, T));
      if (bias) masks.push(biasOf(b, bias, () => ({ first: 0, queries: T, keys: T })));
      const seen = b.op('Mul', [attend(b, attrs, [q, k, v], masks), visible(b, lens)]);
      return { out: join(b, seen, heads * headWidth) };
    },
  }),
  onnxOp(crossAttentionOp, {
    without: ['lse'],
    fits: noDropout,
    lower(b, { q, kv, lens }, attrs) {
      const { heads, headWidth } = attrs;
      const parts = [b.of(q), ...b.ops('Split', [b.of(kv)], 2, { axis: 2 })];
      const [query = '', k = '', v = ''] = parts.map((part) => split(b, part, heads, headWidth));
      const mask = lengthMask(b, lens, () => dim(kv, 1));
      const seen = b.op('Mul', [attend(b, attrs, [query, k, v], [mask]), visible(b, lens)]);
      return { out: join(b, seen, heads * headWidth) };
    },
  }),
  onnxOp(cachedSelfAttentionOp, {
    fits: ({ cache }) => isFloat(cache),
    lower(b, { qkv, cache, slots, step, bias }, attrs) {
      const { heads, headWidth: W, beams } = attrs;
      const inner = heads * W;
      const past = b.feed(`cache ${cache.id}`, 'float', 3, (run) => pastOf(run, cache, slots, step, beams));
      const query = b.op('Slice', [b.of(qkv), b.integers(0), b.integers(inner), b.integers(-1)]);
      const fresh = b.op('Slice', [b.of(qkv), b.integers(inner), b.integers(3 * inner), b.integers(-1)]);
      b.fetch([fresh], 3, (run, [data = new Float32Array()]) => {
        const [R = 0, T = 0, width = 0] = cache.shape;
        const { state, offset } = placeOf(cache) ?? { state: cache.name, offset: 0 };
        const at = positionOf(run, step);
        for (let r = 0; r < R; r++)
          run.states.write(state, data.subarray(r * width, (r + 1) * width), offset + (r * T + at) * width);
      });
      const all = split(b, b.op('Concat', [past, fresh], { axis: 1 }), 2 * heads, W);
      const [k = '', v = ''] = b.ops('Split', [all], 2, { axis: 1 });
      const masks = [b.feed(`hidden ${slots.id}`, 'float', 4, (run) => hiddenMask(run, slots, step))];
      const sizes = (run: HostRun) => {
        const first = positionOf(run, step);
        return { first, queries: 1, keys: first + 1 };
      };
      if (bias) masks.push(biasOf(b, bias, sizes));
      return { out: join(b, attend(b, attrs, [split(b, query, heads, W), k, v], masks), inner) };
    },
  }),
  onnxOp(cachedCrossAttentionOp, {
    fits: ({ kv }) => isFloat(kv),
    lower(b, { q, kv, lens }, attrs) {
      const { heads, headWidth: W, beams } = attrs;
      const part = (which: 0 | 1) =>
        b.feed(`source ${kv.id} ${which}`, 'float', 4, (run) =>
          sourceHeads(run, kv, which, Math.min(dim(kv, 1), longest(run, lens)), attrs),
        );
      // The rows of a sentence are queries of the same keys.
      const rows = b.op('Reshape', [b.of(q), b.integers(-1, beams, heads * W)]);
      const mask = lengthMask(b, lens, (run) => Math.min(dim(kv, 1), longest(run, lens)));
      const out = attend(b, attrs, [split(b, rows, heads, W), part(0), part(1)], [mask]);
      const seen = b.op('Mul', [out, visible(b, lens)]);
      return { out: b.op('Reshape', [join(b, seen, heads * W), b.integers(-1, 1, heads * W)]) };
    },
  }),
];
