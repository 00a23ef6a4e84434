// Attention with any mask, and rotary positions, compared with loops in float64.

import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../../../src/core/tensor.ts';
import { createCpuExecutor } from '../../../../src/engine/cpu/executor.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import {
  attentionMask,
  maskedAttention,
  rotaryEmbedding,
} from '../../../../src/engine/ops/attention/masked-attention.ts';
import { randomTensor } from '../../../support/op.ts';

const numbers = (count: number, seed: number) => Float64Array.from(randomTensor([count], seed).data);

describe('maskedAttention', () => {
  // Two rows, two heads of keys with three heads of queries each, two new tokens after three, values of width 5.
  const [B, H, G, Tq, Tk, W, V] = [2, 2, 3, 2, 5, 4, 5];
  const [q, k, v] = [numbers(B * H * G * Tq * W, 1), numbers(B * H * Tk * W, 2), numbers(B * H * Tk * V, 3)];
  const lens = [5, 4];
  const [offset, scale, cap] = [3, 0.7, 0.9];

  it('has grouped heads, a causal offset, key lengths, a scale and a soft cap', () => {
    const g = new Graph();
    const out = maskedAttention(
      g,
      g.input('q', 'f32', [B, H, G * Tq, W]),
      g.input('k', 'f32', [B, H, Tk, W]),
      g.input('v', 'f32', [B, H, Tk, V]),
      g.input('mask', 'f32', [B, H, G * Tq, Tk]),
      { scale, softcap: cap },
    );
    g.output('out', out);
    const mask = attentionMask({ batch: B, heads: H, groups: G, queries: Tq, keys: Tk, offset, lens });
    const { out: found } = createCpuExecutor(g).run({ q, k, v, mask });
    for (let b = 0; b < B; b++)
      for (let head = 0; head < H * G; head++)
        for (let i = 0; i < Tq; i++) {
          // Head `head` of the queries [B,H·G,Tq,W] uses head floor(head / G) of the keys.
          const [row, keys] = [(b * H * G + head) * Tq + i, b * H + Math.floor(head / G)];
          const seen = Math.min(i + offset + 1, lens[b] as number);
          const weights = Array.from({ length: seen }, (_, j) => {
            let dot = 0;
            for (let w = 0; w < W; w++)
              dot += (q[row * W + w] as number) * (k[(keys * Tk + j) * W + w] as number);
            return Math.exp(cap * Math.tanh((scale * dot) / cap));
          });
          const sum = weights.reduce((a, x) => a + x, 0);
          for (let c = 0; c < V; c++) {
            const value =
              weights.reduce((a, x, j) => a + x * (v[(keys * Tk + j) * V + c] as number), 0) / sum;
            expect(found?.[row * V + c]).toBeCloseTo(value, 12);
          }
        }
  });
});

it('rotates the halves of rows', () => {
  const g = new Graph();
  const [rows, half] = [3, 2];
  const x = g.input('x', 'f32', [rows, 2 * half]);
  const y = rotaryEmbedding(g, x, g.input('cos', 'f32', [rows, half]), g.input('sin', 'f32', [rows, half]));
  g.output('y', y);
  const angles = numbers(rows * half, 5);
  const data = numbers(sizeOf(x.shape), 4);
  const found = createCpuExecutor(g).run({ x: data, cos: angles.map(Math.cos), sin: angles.map(Math.sin) }).y;
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < half; i++) {
      const [a, b, angle] = [data[4 * r + i], data[4 * r + half + i], angles[2 * r + i]] as [
        number,
        number,
        number,
      ];
      expect(found?.[4 * r + i]).toBeCloseTo(a * Math.cos(angle) - b * Math.sin(angle), 12);
      expect(found?.[4 * r + half + i]).toBeCloseTo(a * Math.sin(angle) + b * Math.cos(angle), 12);
    }
});
