// Kernels of every model, at any sizes: products, attention, norms, embeddings, cross-entropy. kernel-families.ts names
// their sizes.

import type { Shape } from '../core/tensor.ts';
import { gradients } from '../graph/gradient.ts';
import { crossAttention, selfAttention } from '../ops/attention/attention.ts';
import { attentionWeights } from '../ops/attention/attention-weights.ts';
import { relativePositionBias } from '../ops/attention/relative-position-bias.ts';
import { embedding } from '../ops/embedding/embedding.ts';
import { crossEntropy as crossEntropyOf } from '../ops/loss/cross-entropy.ts';
import { linear } from '../ops/matmul/linear.ts';
import { matmul } from '../ops/matmul/matmul.ts';
import { addLayerNorm, layerNorm } from '../ops/norm/layer-norm.ts';
import { softmax } from '../ops/norm/softmax.ts';
import { backward, input, type KernelCase, step } from './kernel-case.ts';

const show = (shape: Shape, transposed: boolean) => `[${shape.join(',')}]${transposed ? 'ᵀ' : ''}`;

/** Matrix product [m,k]x[k,n]; `form` says which operand is transposed. */
export function product(m: number, k: number, n: number, form: 'NN' | 'NT' | 'TN' = 'NN'): KernelCase {
  const [transA, transB] = [form === 'TN', form === 'NT'];
  const a = transA ? [k, m] : [m, k];
  const b = transB ? [n, k] : [k, n];
  return {
    name: `matmul ${show(a, transA)}x${show(b, transB)}`,
    group: 'products',
    build: (g) => void matmul(g, input(g, 'a', a), input(g, 'b', b), { transA, transB }),
  };
}

/** Linear layer with ReLU, or all its gradients without. */
export const feedForward = (rows: number, D: number, F: number, back = false): KernelCase => ({
  name: `linear ${back ? 'backward' : 'relu'} [${rows},${D}]x[${F},${D}]ᵀ`,
  group: 'products',
  build(g) {
    const [x, w, b] = [input(g, 'x', [rows, D]), input(g, 'w', [F, D]), input(g, 'b', [F])];
    const y = linear(g, x, w, b, back ? 'none' : 'relu');
    if (back) backward(g, y, [x, w, b]);
  },
  ...(back && { op: 'linear_backward' }),
});

const lengths =
  (T: number) =>
  (name: string, length: number): number[] | undefined =>
    name === 'lens' ? new Array(length).fill(T) : undefined;

/** Batch size, number of heads, head width. */
export type Heads = readonly [number, number, number];

/** Causal self-attention without padding; `biased`: with T5's relative position bias instead. */
export const attention = (T: number, back: boolean, [B, H, W]: Heads = [4, 8, 32], biased = false): KernelCase => ({
  name: `attention${back ? ' backward' : ''}${biased ? ' with position bias' : ''} [${B},${T}] ${H} heads x ${W}`,
  group: 'attention',
  build(g) {
    const qkv = input(g, 'qkv', [B, T, 3 * H * W]);
    const lens = g.input('lens', 'u32', [B]);
    const bias = biased ? input(g, 'bias', [H, 183]) : undefined;
    const y = selfAttention(g, qkv, lens, step(g), { heads: H, headWidth: W, causal: !biased }, bias);
    if (back) backward(g, y, bias ? [qkv, bias] : [qkv]);
  },
  data: lengths(T),
});

/** The relative position bias of T5 by distance, and the gradient of its table. */
export const relativeBias = (back: boolean, heads = 8): KernelCase => ({
  name: `relative position bias${back ? ' backward' : ''} of [32,${heads}]`,
  group: 'attention',
  build(g) {
    const table = input(g, 'table', [32, heads]);
    const bias = relativePositionBias(g, table, { maxDistance: 128, bidirectional: true });
    if (back) backward(g, bias, [table]);
  },
});

/**
 * Attention of T target tokens to S source tokens. `probabilities` computes the attention weights, which the fused
 * kernel does not store.
 */
export function cross(
  kind: 'forward' | 'backward' | 'probabilities',
  T: number,
  S: number,
  [B, H, W]: Heads = [4, 8, 32],
): KernelCase {
  const what = { forward: 'cross-attention', backward: 'cross-attention backward', probabilities: 'attention weights' };
  return {
    name: `${what[kind]} [${B},${T}x${S}] ${H} heads x ${W}`,
    group: 'attention',
    build(g) {
      const [q, kv] = [input(g, 'q', [B, T, H * W]), input(g, 'kv', [B, S, 2 * H * W])];
      const lens = g.input('lens', 'u32', [B]);
      const attrs = { heads: H, headWidth: W };
      if (kind === 'probabilities') return void attentionWeights(g, q, kv, lens, attrs);
      const y = crossAttention(g, q, kv, lens, step(g), attrs);
      if (kind === 'backward') backward(g, y, [q, kv]);
    },
    data: lengths(S),
  };
}

/** Layer norm, or its gradient. */
export const norm = (rows: number, D: number, back: boolean): KernelCase => ({
  name: `layer norm${back ? ' backward' : ''} [${rows},${D}]`,
  group: 'rows',
  build(g) {
    const x = input(g, 'x', [rows, D]);
    const y = layerNorm(g, x, input(g, 'gamma', [D]), input(g, 'beta', [D]), 1e-5);
    if (back) backward(g, y, [x]);
  },
  ...(back && { op: 'layer_norm_backward' }),
});

/** Fused residual connection, dropout and layer norm. */
export const addNorm = (rows: number, D: number): KernelCase => ({
  name: `add, dropout, layer norm [${rows},${D}]`,
  group: 'rows',
  build(g) {
    const [x, residual] = [input(g, 'x', [rows, D]), input(g, 'residual', [rows, D])];
    const affine = { gamma: input(g, 'gamma', [D]), beta: input(g, 'beta', [D]) };
    addLayerNorm(g, { x, residual, ...affine, step: step(g) }, { eps: 1e-5, rate: 0.1, site: 1 });
  },
});

/** Softmax, or its gradient. */
export const softmaxOf = (rows: number, cols: number, back: boolean): KernelCase => ({
  name: `softmax${back ? ' backward' : ''} [${rows},${cols}]`,
  group: 'rows',
  build(g) {
    const x = input(g, 'x', [rows, cols]);
    const y = softmax(g, x);
    if (back) backward(g, y, [x]);
  },
  ...(back && { op: 'softmax_backward' }),
});

/**
 * Embedding and its gradient. Ids step through the vocabulary in large strides, so that all rows are used about
 * equally.
 */
export function tokens(B: number, T: number, V: number, D: number, back: boolean): KernelCase {
  const ids = Int32Array.from({ length: B * T }, (_, i) => (i * 7919) % V);
  const order = Array.from(ids.keys()).sort((i, j) => (ids[i] as number) - (ids[j] as number) || i - j);
  const starts = Array.from({ length: V + 1 }, () => 0);
  for (const id of ids) starts[id + 1] = (starts[id + 1] as number) + 1;
  for (let v = 0; v < V; v++) starts[v + 1] = (starts[v + 1] as number) + (starts[v] as number);
  const data: Record<string, ArrayLike<number>> = { ids, rowStart: starts, occurrences: order };
  return {
    name: `embedding${back ? ' backward' : ''} [${B},${T}] of [${V},${D}]`,
    group: 'rows',
    build(g) {
      const table = input(g, 'table', [V, D]);
      const index = {
        rowStart: g.input('rowStart', 'u32', [V + 1]),
        occurrences: g.input('occurrences', 'u32', [B * T]),
      };
      const y = embedding(g, g.input('ids', 'i32', [B, T]), table, { scale: Math.sqrt(D), ...(back && { index }) });
      if (back) backward(g, y, [table]);
    },
    data: (name) => data[name],
    ...(!back && { bytes: 4 * B * T * (1 + 2 * D) }), // only the rows of the table that are read
  };
}

/**
 * Cross-entropy. `train`: the loss of each row, and the gradient in place of the logits; `loss` or `backward`: one of
 * them.
 */
export function crossEntropy(rows: number, V: number, kind: 'train' | 'loss' | 'backward'): KernelCase {
  return {
    name: `cross-entropy${{ train: ' with gradient', loss: '', backward: ' backward' }[kind]} [${rows},${V}]`,
    group: 'rows',
    build(g) {
      const targets = g.input('targets', 'i32', [rows]);
      const logits = input(g, 'logits', [rows, V]);
      const lossAttrs = { smoothing: 0.1, ignore: 0 };
      const { nll } = crossEntropyOf(g, logits, targets, step(g), { ...lossAttrs, fused: kind === 'train' });
      if (kind === 'backward') gradients(g, nll, [logits]);
    },
    data: (name, length) => (name === 'targets' ? Int32Array.from({ length }, (_, i) => (i * 7919) % V) : undefined),
  };
}
