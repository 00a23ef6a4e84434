// The kernels that `heddle bench` times, at fixed, named shapes. Each is a node of a small graph, so that a backward kernel runs on
// what its forward left; check-kernel.ts runs it alone.

import { gradients } from '../src/graph/gradient.ts';
import { Graph } from '../src/graph/graph.ts';
import { selfAttention } from '../src/ops/attention.ts';
import { crossEntropyFused } from '../src/ops/cross-entropy.ts';
import { embedding } from '../src/ops/embedding.ts';
import { layerNorm } from '../src/ops/layer-norm.ts';
import { linear } from '../src/ops/linear.ts';
import { matmul } from '../src/ops/matmul.ts';
import { defineOp, type Node, type Value } from '../src/ops/op.ts';
import { adamw } from '../src/ops/optimizers.ts';
import { softmax } from '../src/ops/softmax.ts';
import { stepWords } from '../src/ops/step.ts';
import type { Shape } from '../src/tensor.ts';

/** One kernel at one size. */
export interface KernelCase {
  readonly name: string;
  /** Builds a graph that ends with the kernel. */
  build(graph: Graph): void;
  /** Name of the kernel's op where its node is not the last. */
  readonly op?: string;
  /** Data of an input or state by name; undefined: noise from -0.5 to 0.5, or zeros where it is no float32 tensor. */
  data?(name: string, length: number): ArrayLike<number> | undefined;
}

/** A node whose gradient with respect to its first input is its second: the root of a gradient walk from any value. */
const rootOp = defineOp({
  name: 'root',
  shape: () => [{ dtype: 'f32', shape: [1] }],
  launch: () => [],
  grad: (_builder, { inputs }) => [inputs[1]],
  reference() {},
});

const input = (g: Graph, name: string, shape: Shape): Value => g.input(name, 'f32', shape);
const step = (g: Graph): Value => g.input('step', 'u32', [stepWords]);

/** Appends the gradients of `wrt` where that of `y` is noise. */
function backward(g: Graph, y: Value, wrt: readonly Value[]): void {
  const [root] = g.apply(rootOp, [y, input(g, 'dy', y.shape)], {});
  gradients(g, root as Value, wrt);
}

function product(m: number, k: number, n: number, form: 'NN' | 'NT' | 'TN' = 'NN'): KernelCase {
  const [transA, transB] = [form === 'TN', form === 'NT'];
  const a = transA ? [k, m] : [m, k];
  const b = transB ? [n, k] : [k, n];
  const mark = (shape: Shape, turned: boolean) => `[${shape.join(',')}]${turned ? 'ᵀ' : ''}`;
  return {
    name: `matmul ${mark(a, transA)}x${mark(b, transB)}`,
    build: (g) => void matmul(g, input(g, 'a', a), input(g, 'b', b), { transA, transB }),
  };
}

/** Causal self-attention of 4 rows, 8 heads of width 32, every key in sight. */
function attention(T: number, back: boolean): KernelCase {
  const [B, H, W] = [4, 8, 32];
  return {
    name: `attention${back ? ' backward' : ''} [${B},${T}] 8 heads x 32`,
    build(g) {
      const qkv = input(g, 'qkv', [B, T, 3 * H * W]);
      const lens = g.input('lens', 'u32', [B]);
      const y = selfAttention(g, qkv, lens, step(g), { heads: H, headWidth: W, causal: true });
      if (back) backward(g, y, [qkv]);
    },
    data: (name, length) => (name === 'lens' ? new Array(length).fill(T) : undefined),
  };
}

function norm(rows: number, D: number, back: boolean): KernelCase {
  return {
    name: `layer norm${back ? ' backward' : ''} [${rows},${D}]`,
    build(g) {
      const x = input(g, 'x', [rows, D]);
      const y = layerNorm(g, x, input(g, 'gamma', [D]), input(g, 'beta', [D]), 1e-5);
      if (back) backward(g, y, [x]);
    },
    ...(back && { op: 'layer_norm_backward' }),
  };
}

function feedForward(rows: number, D: number, F: number): KernelCase {
  return {
    name: `linear relu [${rows},${D}]x[${F},${D}]ᵀ`,
    build: (g) => void linear(g, input(g, 'x', [rows, D]), input(g, 'w', [F, D]), input(g, 'b', [F]), 'relu'),
  };
}

/** Token vectors, and their gradient: ids go through the vocabulary in big strides, so that every place is used about evenly. */
function tokens(B: number, T: number, V: number, D: number, back: boolean): KernelCase {
  const ids = Int32Array.from({ length: B * T }, (_, i) => (i * 7919) % V);
  const order = Array.from(ids.keys()).sort((i, j) => (ids[i] as number) - (ids[j] as number) || i - j);
  const starts = Array.from({ length: V + 1 }, () => 0);
  for (const id of ids) starts[id + 1] = (starts[id + 1] as number) + 1;
  for (let v = 0; v < V; v++) starts[v + 1] = (starts[v + 1] as number) + (starts[v] as number);
  const data: Record<string, ArrayLike<number>> = { ids, rowStart: starts, occurrences: order };
  return {
    name: `embedding${back ? ' backward' : ''} [${B},${T}] of [${V},${D}]`,
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
  };
}

/** Loss of a training step: each row's loss and, in the place of its scores, their gradient. */
function crossEntropy(rows: number, V: number): KernelCase {
  return {
    name: `cross-entropy with gradient [${rows},${V}]`,
    build(g) {
      const targets = g.input('targets', 'i32', [rows]);
      crossEntropyFused(g, input(g, 'logits', [rows, V]), targets, step(g), { smoothing: 0.1, ignore: 0 });
    },
    data: (name, length) => (name === 'targets' ? Int32Array.from({ length }, (_, i) => (i * 7919) % V) : undefined),
  };
}

function adam(size: number): KernelCase {
  return {
    name: `AdamW [${size.toLocaleString('en').replaceAll(',', ' ')}]`,
    build(g) {
      const state = (name: string) => g.state(name, 'f32', [size]);
      const inputs = { weights: state('weights'), gradients: state('gradients'), m: state('m'), v: state('v') };
      const more = { clip: input(g, 'clip', [4]), counters: g.state('counters', 'f32', [8]), step: step(g) };
      const attrs = { beta1: 0.9, beta2: 0.98, eps: 1e-9, weightDecay: 0.01, decayEnd: size };
      adamw(g, { ...inputs, ...more }, attrs);
    },
    // The second moment is a mean of squares; nothing is clipped; the corrections are those of the first step.
    data(name, length) {
      if (name === 'v') return Float32Array.from({ length }, (_, i) => (i % 97) / 97);
      if (name === 'clip') return [1, 1, 1, 0];
      return name === 'counters' ? [1, 0, 0.1, 0.02, 0, 0, 0, 0] : undefined;
    },
  };
}

/** All kernels, in the order of the table. */
export const kernelCases: readonly KernelCase[] = [
  product(256, 256, 256),
  product(512, 512, 512),
  product(1024, 1024, 1024),
  product(768, 256, 1024),
  feedForward(768, 256, 1024),
  product(512, 256, 8000),
  product(512, 8000, 256, 'NT'),
  product(256, 512, 8000, 'TN'),
  ...[32, 128, 512].flatMap((T) => [attention(T, false), attention(T, true)]),
  norm(1024, 512, false),
  norm(1024, 512, true),
  {
    name: 'softmax [4096,512]',
    build: (g) => void softmax(g, input(g, 'x', [4096, 512])),
  },
  tokens(32, 64, 8000, 512, false),
  tokens(32, 64, 8000, 512, true),
  crossEntropy(1024, 8000),
  adam(10_000_000),
];

/** A graph of a case, and the node that is the kernel. */
export function graphOf(kernel: KernelCase): { graph: Graph; node: Node } {
  const graph = new Graph();
  kernel.build(graph);
  const node = kernel.op ? graph.nodes.find(({ op }) => op.name === kernel.op) : graph.nodes.at(-1);
  if (!node) throw new Error(`bench: ${kernel.name} has no node ${kernel.op ?? ''}`);
  return { graph, node };
}
