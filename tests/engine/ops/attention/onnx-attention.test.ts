// ONNX's Attention and RotaryEmbedding with the ops of heddle/engine: all node tests of ONNX, if there is a file of
// them (tests/support/onnx-vectors.py), and a case of each kind whose numbers are worked out here.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type OnnxArray,
  type OnnxAttributes,
  onnxAttention,
  onnxRotaryEmbedding,
} from '../../../support/onnx-attention.ts';
import { randomTensor } from '../../../support/op.ts';

interface OnnxCase {
  readonly name: string;
  readonly op: 'Attention' | 'RotaryEmbedding';
  readonly attributes: OnnxAttributes;
  readonly inputs: readonly (OnnxArray | null)[];
  readonly outputs: readonly (readonly [name: string, value: OnnxArray])[];
}

const path = process.env.HEDDLE_ONNX_VECTORS ?? '';
const cases: readonly OnnxCase[] = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : [];
/** The tensor with numbers: JSON has infinities as text. */
const numbers = (x: OnnxArray | null) => x && { ...x, data: x.data.map(Number) };
const outputNames = ['Y', 'present_key', 'present_value', 'qk_matmul_output'];

describe.skipIf(cases.length === 0)('the vectors of ONNX (needs HEDDLE_ONNX_VECTORS)', () => {
  it.each(cases.map((each) => [each.name, each] as const))('%s', (_, { op, attributes, inputs, outputs }) => {
    const given = inputs.map(numbers);
    const found =
      op === 'Attention' ? onnxAttention(given, attributes) : [onnxRotaryEmbedding(given, attributes)];
    const half = given[0]?.dtype === 'float16';
    for (const [name, value] of outputs) {
      const own = found[Math.max(0, outputNames.indexOf(name))];
      expect(own?.shape).toEqual(value.shape);
      for (const [i, x] of value.data.map(Number).entries()) {
        const y = own?.data[i] as number;
        if (Number.isFinite(x)) expect(Math.abs(y - x)).toBeLessThan(half ? 2e-3 : 2e-5);
        else expect(y).toBeLessThan(-1e29); // a hidden score
      }
    }
  });
});

const drawn = (shape: readonly number[], seed: number): OnnxArray => ({
  dtype: 'float32',
  shape,
  data: Array.from(randomTensor([...shape], seed).data),
});
const causal = (i: number, j: number, at = 0) => (j <= i + at ? 0 : Number.NEGATIVE_INFINITY);

/** Attention as its formula, for query heads that share heads of keys; `bias` is what is added to a score. */
function attentionLoops(
  [q, k, v]: readonly [OnnxArray, OnnxArray, OnnxArray],
  { scale, cap, bias }: { scale?: number; cap?: number; bias: (b: number, i: number, j: number) => number },
): number[] {
  const [B, Hq, Tq, W] = q.shape as [number, number, number, number];
  const [H, Tk, V] = [k.shape[1], k.shape[2], v.shape[3]] as [number, number, number];
  const out: number[] = [];
  for (let row = 0; row < B * Hq * Tq; row++) {
    const [b, h, i] = [Math.floor(row / (Hq * Tq)), Math.floor(row / Tq) % Hq, row % Tq];
    const keys = (b * H + Math.floor(h / (Hq / H))) * Tk;
    const exps = Array.from({ length: Tk }, (_, j) => {
      let dot = 0;
      for (let w = 0; w < W; w++)
        dot += (q.data[row * W + w] as number) * (k.data[(keys + j) * W + w] as number);
      const score = dot * (scale ?? 1 / Math.sqrt(W));
      return Math.exp((cap ? cap * Math.tanh(score / cap) : score) + bias(b, i, j));
    });
    const sum = exps.reduce((a, x) => a + x, 0);
    for (let c = 0; c < V; c++)
      out.push(exps.reduce((a, x, j) => a + (sum && x / sum) * (v.data[(keys + j) * V + c] as number), 0));
  }
  return out;
}

describe('Attention', () => {
  const [q, k, v] = [drawn([2, 4, 3, 6], 1), drawn([2, 2, 5, 6], 2), drawn([2, 2, 5, 7], 3)];
  const mask = drawn([3, 5], 4);
  const seen: OnnxArray = {
    dtype: 'bool',
    shape: [2, 1, 3, 5],
    data: Array.from({ length: 30 }, (_, i) => i % 3 && 1),
  };
  const none: OnnxArray = { dtype: 'bool', shape: [3, 1], data: [1, 0, 1] };
  const lens: OnnxArray = { dtype: 'int64', shape: [2], data: [5, 3] };
  type Loops = Parameters<typeof attentionLoops>[1];
  const rows: Readonly<Record<string, readonly [OnnxAttributes, readonly (OnnxArray | null)[], Loops]>> = {
    'grouped heads and values of another width': [{}, [], { bias: () => 0 }],
    'a scale and a soft cap': [{ scale: 0.3, softcap: 0.5 }, [], { scale: 0.3, cap: 0.5, bias: () => 0 }],
    'a causal mask': [{ is_causal: 1 }, [], { bias: (_, i, j) => causal(i, j) }],
    'an additive mask': [{}, [mask], { bias: (_, i, j) => mask.data[i * 5 + j] as number }],
    'a mask of booleans': [
      {},
      [seen],
      { bias: (b, i, j) => (seen.data[(b * 3 + i) * 5 + j] ? 0 : Number.NEGATIVE_INFINITY) },
    ],
    'lengths of the keys, from which a causal mask counts': [
      { is_causal: 1 },
      [null, null, null, lens],
      { bias: (b, i, j) => causal(i, j, (lens.data[b] as number) - 3) },
    ],
    'a window': [
      { left_window_size: 1, right_window_size: 2 },
      [],
      { bias: (_, i, j) => (i - j <= 1 && j - i <= 2 ? 0 : Number.NEGATIVE_INFINITY) },
    ],
    'rows that see no key': [
      {},
      [
        {
          ...none,
          shape: [3, 5],
          data: Array.from({ length: 15 }, (_, i) => none.data[Math.floor(i / 5)] as number),
        },
      ],
      { bias: (_, i) => (i === 1 ? Number.NEGATIVE_INFINITY : 0) },
    ],
  };

  it.each(Object.entries(rows))('has %s', (_, [attributes, more, loops]) => {
    const [y] = onnxAttention([q, k, v, ...more], attributes);
    for (const [i, x] of attentionLoops([q, k, v], loops).entries()) expect(y?.data[i]).toBeCloseTo(x, 12);
  });

  it('has keys and values of the past, and returns them with the new ones', () => {
    const [pastKey, pastValue] = [drawn([2, 2, 2, 6], 5), drawn([2, 2, 2, 7], 6)];
    const [y, keys, values] = onnxAttention([q, k, v, null, pastKey, pastValue], { is_causal: 1 });
    expect([keys?.shape, values?.shape]).toEqual([
      [2, 2, 7, 6],
      [2, 2, 7, 7],
    ]);
    expect(keys?.data.slice(0, 42)).toEqual([...pastKey.data.slice(0, 12), ...k.data.slice(0, 30)]);
    const expected = attentionLoops([q, keys as OnnxArray, values as OnnxArray], {
      bias: (_, i, j) => causal(i, j, 2),
    });
    for (const [i, x] of expected.entries()) expect(y?.data[i]).toBeCloseTo(x, 12);
  });

  it.each([
    [0, {}],
    [1, { softcap: 2 }],
    [2, {}],
    [3, {}],
  ])('returns what qk_matmul_output_mode %i asks for', (mode, more) => {
    const [, , , found] = onnxAttention([q, k, v, mask], { qk_matmul_output_mode: mode, ...more });
    const row = found?.data.slice(0, 5) as number[];
    const dots = [0, 1, 2, 3, 4].map((j) =>
      q.data.slice(0, 6).reduce((sum, x, w) => sum + (x * (k.data[j * 6 + w] as number)) / Math.sqrt(6), 0),
    );
    const biased = dots.map((x, j) => x + (mask.data[j] as number));
    const sum = biased.reduce((a, x) => a + Math.exp(x), 0);
    const all = [dots, dots.map((x) => 2 * Math.tanh(x / 2)), biased, biased.map((x) => Math.exp(x) / sum)];
    for (const [j, x] of (all[mode] as number[]).entries()) expect(row[j]).toBeCloseTo(x, 12);
  });

  it('has heads side by side', () => {
    const [y] = onnxAttention([q, k, v], {});
    const side = ({ shape: [B = 0, H = 0, T = 0, W = 0], data }: OnnxArray): OnnxArray => ({
      dtype: 'float32',
      shape: [B, T, H * W],
      data: Array.from({ length: B * H * T * W }, (_, i) => {
        const [b, t, h, w] = [
          Math.floor(i / (T * H * W)),
          Math.floor(i / (H * W)) % T,
          Math.floor(i / W) % H,
          i % W,
        ];
        return data[((b * H + h) * T + t) * W + w] as number;
      }),
    });
    const [flat] = onnxAttention([side(q), side(k), side(v)], { q_num_heads: 4, kv_num_heads: 2 });
    expect(flat).toEqual(side(y as OnnxArray));
  });
});

describe('RotaryEmbedding', () => {
  const x = drawn([1, 2, 3, 8], 7);
  const [cos, sin] = [drawn([9, 4], 8), drawn([9, 4], 9)];
  const ids: OnnxArray = { dtype: 'int64', shape: [1, 3], data: [4, 0, 8] };

  it.each([
    ['halves', 0, 8],
    ['interleaved pairs', 1, 8],
    ['a part of the columns', 0, 4],
    ['interleaved pairs of a part', 1, 4],
  ])('turns %s', (_, interleaved, turned) => {
    const half = turned / 2;
    const cut = (cache: OnnxArray): OnnxArray => ({
      ...cache,
      shape: [18, half].slice(0, 2),
      data: cache.data,
    });
    const y = onnxRotaryEmbedding([x, cut(cos), cut(sin), ids], {
      interleaved,
      rotary_embedding_dim: turned,
    });
    for (let row = 0; row < 6; row++)
      for (let n = 0; n < half; n++) {
        const [a, b] = interleaved ? [2 * n, 2 * n + 1] : [n, half + n];
        const at = (ids.data[row % 3] as number) * half + n;
        const [c, s] = [cos.data[at], sin.data[at]] as [number, number];
        const [u, w] = [x.data[row * 8 + a], x.data[row * 8 + b]] as [number, number];
        expect(y.data[row * 8 + a]).toBeCloseTo(u * c - w * s, 12);
        expect(y.data[row * 8 + b]).toBeCloseTo(u * s + w * c, 12);
      }
    if (turned < 8) expect(y.data.slice(4, 8)).toEqual(x.data.slice(4, 8));
  });
});
