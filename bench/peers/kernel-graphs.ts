// The single kernels as heddle graphs, which run on the GPU and in the float64 reference. Large tensors are
// states, which are uploaded once; data that a training step computes on the host for every batch are inputs.

import { random } from '../../src/core/random.ts';
import { relativeError } from '../../src/core/relative-error.ts';
import { bytesOf, sizeOf, type Tensor, type TensorData } from '../../src/core/tensor.ts';
import { createCpuExecutor } from '../../src/engine/cpu/executor.ts';
import { gradients } from '../../src/engine/graph/gradient.ts';
import { Graph } from '../../src/engine/graph/graph.ts';
import { weightedLossOp } from '../../src/engine/graph/weighted-loss.ts';
import { selfAttention } from '../../src/engine/ops/attention/attention.ts';
import { embeddingBackwardOp } from '../../src/engine/ops/embedding/embedding-backward.ts';
import { crossEntropy } from '../../src/engine/ops/loss/cross-entropy.ts';
import { matmul } from '../../src/engine/ops/matmul/matmul.ts';
import { layerNorm } from '../../src/engine/ops/norm/layer-norm.ts';
import { softmax } from '../../src/engine/ops/norm/softmax.ts';
import type { Value } from '../../src/engine/ops/op.ts';
import { stepWords, writeStep } from '../../src/engine/ops/step-scalars.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { fillTokenIndex } from '../../src/text/batches/token-index.ts';
import type { KernelArrays, KernelKind, KernelSpec } from './peer-kernels.ts';

/** A graph with one output, `result`, and its data. */
export interface KernelGraph {
  readonly graph: Graph;
  readonly states: Readonly<Record<string, Tensor>>;
  /** Computes the inputs, as in a training step for every batch. */
  hostInputs(): Record<string, TensorData>;
}

/** Builds the graph of a kernel. */
export function kernelGraph(kind: KernelKind, inputs: KernelArrays): KernelGraph {
  const graph = new Graph();
  const { arrays } = inputs;
  const states: Record<string, Tensor> = {};
  const state = (name: string): Value => {
    const tensor = arrays[name] as Tensor;
    states[name] = tensor;
    return graph.state(name, tensor.dtype, tensor.shape);
  };
  const host: Record<string, () => TensorData> = {};
  const step = () => {
    const words = new Uint32Array(stepWords);
    writeStep(words, {
      learningRate: 0,
      tokenWeight: 1 / (arrays.targets?.data.length ?? 1),
      seed: 0,
      step: 0,
      keep: 0,
      position: 0,
    });
    host.step = () => words;
    return graph.input('step', 'u32', [stepWords]);
  };
  const gradientOf = (y: Value, wrt: readonly Value[]): Value => {
    const { loss } = graph.apply(weightedLossOp, { xs: [y], weights: [state('dy')] });
    return gradients(graph, loss, wrt)[0] as Value;
  };

  const builders: Record<KernelKind, () => Value> = {
    matmul() {
      const [a, b] = [state('a'), state('b')];
      const { transA, transB } = inputs;
      return matmul(graph, a, b, { transA, transB, batched: a.shape.length > 2 });
    },
    softmax: () => softmax(graph, state('x')),
    layerNorm: () => layerNorm(graph, state('x'), state('gamma'), state('beta'), 1e-5),
    layerNormTrain() {
      const wrt = [state('x'), state('gamma'), state('beta')] as const;
      return gradientOf(layerNorm(graph, ...wrt, 1e-5), wrt);
    },
    embeddingGradient() {
      const ids = arrays.ids as Tensor;
      const [vocab = 0] = (arrays.table as Tensor).shape;
      const rowStart = new Uint32Array(vocab + 1);
      const occurrences = new Uint32Array(ids.data.length);
      host.rowStart = () => {
        fillTokenIndex(rowStart, occurrences, ids.data);
        return rowStart;
      };
      host.occurrences = () => occurrences;
      const dy = state('dy');
      const index = {
        rowStart: graph.input('rowStart', 'u32', [vocab + 1]),
        occurrences: graph.input('occurrences', 'u32', ids.shape),
      };
      return graph.apply(embeddingBackwardOp, { dy, ...index }, { scale: 1, rate: 0, site: 0 }).dtable;
    },
    crossEntropyTrain() {
      const logits = state('logits');
      const { nll } = crossEntropy(graph, logits, state('targets'), step(), { fused: true });
      return gradients(graph, nll, [logits])[0] as Value;
    },
    attention: () => attention(),
    attentionTrain: () => gradientOf(attention(), [graph.states.get('qkv') as Value]),
  };
  const attention = () => {
    const qkv = state('qkv');
    const [batch = 0, length = 0, columns = 0] = qkv.shape;
    const lengths = new Uint32Array(batch).fill(length);
    host.lengths = () => lengths;
    const keys = graph.input('lengths', 'u32', [batch]);
    const headWidth = columns / 3 / inputs.heads;
    return selfAttention(graph, qkv, keys, step(), { heads: inputs.heads, headWidth, causal: false });
  };
  graph.output('result', builders[kind]());
  return {
    graph,
    states,
    hostInputs: () => Object.fromEntries(Object.entries(host).map(([name, make]) => [name, make()])),
  };
}

/**
 * Floating-point operations of a kernel as heddle's ops count them, and the bytes of its inputs and result,
 * each read or written once.
 */
export function kernelWork(
  kind: KernelKind,
  inputs: KernelArrays,
): { readonly flops: number; readonly bytes: number } {
  const { graph } = kernelGraph(kind, inputs);
  const touched = [...graph.states.values(), ...graph.inputs.values(), ...graph.outputs.values()];
  return { flops: makePlan(graph).flops, bytes: touched.reduce((n, value) => n + bytesOf(value), 0) };
}

/**
 * Returns a function for the error of a result, max|x - ref| / max|ref| against float64: for a matrix product
 * at 200 random positions, for other kernels at all positions.
 */
export function errorOf(spec: KernelSpec, inputs: KernelArrays): (got: ArrayLike<number>) => number {
  const length = spec.kind === 'matmul' ? productLength(spec) : undefined;
  if (length === undefined) {
    const want = wholeReference(spec, inputs);
    return (got) => relativeError(got, want);
  }
  const { at, want } = productSample(inputs, length);
  return (got) => {
    if (got.length !== length) return Number.POSITIVE_INFINITY;
    const sampled = at.map((i) => got[i] as number);
    return relativeError(sampled, want);
  };
}

const productLength = ({ arrays: { a = [], b = [] }, transA, transB }: KernelSpec): number =>
  sizeOf(a.slice(0, -2)) * (a[a.length - (transA ? 1 : 2)] ?? 0) * (b[b.length - (transB ? 2 : 1)] ?? 0);

function wholeReference(spec: KernelSpec, inputs: KernelArrays): Float64Array {
  const { graph, hostInputs, states } = kernelGraph(spec.kind, inputs);
  const executor = createCpuExecutor(
    graph,
    new Map(Object.entries(states).map(([k, t]) => [k, Float64Array.from(t.data)])),
  );
  return executor.run(hostInputs()).result as Float64Array;
}

/** Positions of a product of `length` elements and the float64 values there. */
function productSample(
  { arrays, transA, transB }: KernelArrays,
  length: number,
): { at: number[]; want: number[] } {
  const { a, b } = arrays as { a: Tensor; b: Tensor };
  const [ar = 0, ac = 0] = a.shape.slice(-2);
  const [br = 0, bc = 0] = b.shape.slice(-2);
  const [m, k, n] = [transA ? ac : ar, transA ? ar : ac, transB ? br : bc];
  const stream = random(11);
  const at = Array.from({ length: 200 }, () => Math.floor(stream.uniform() * length));
  const want = at.map((place) => {
    const [batch, i, j] = [Math.floor(place / (m * n)), Math.floor(place / n) % m, place % n];
    let sum = 0;
    for (let l = 0; l < k; l++) {
      const x = a.data[batch * ar * ac + (transA ? l * ac + i : i * ac + l)] as number;
      const y = b.data[batch * br * bc + (transB ? j * bc + l : l * bc + j)] as number;
      sum += x * y;
    }
    return sum;
  });
  return { at, want };
}
