// heddle's single kernels as graphs: what the GPU is timed on and what the float64 references check. Large inputs are states, so
// that they are uploaded once; what a training step makes on the host for every batch is an input.

import { bytesOf, type Tensor, type TensorData } from '../../src/core/tensor.ts';
import { gradients } from '../../src/graph/gradient.ts';
import { Graph } from '../../src/graph/graph.ts';
import { selfAttention } from '../../src/ops/attention/attention.ts';
import { embeddingBackwardOp } from '../../src/ops/embedding/embedding-backward.ts';
import { crossEntropyFused } from '../../src/ops/loss/cross-entropy.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { layerNorm } from '../../src/ops/norm/layer-norm.ts';
import { softmax } from '../../src/ops/norm/softmax.ts';
import { defineOp, type Value } from '../../src/ops/op.ts';
import { stepWords, writeStep } from '../../src/ops/step-scalars.ts';
import { makePlan } from '../../src/plan/planner.ts';
import { fillTokenIndex } from '../../src/text/batches/batch-inputs.ts';
import type { KernelArrays, KernelKind } from './kernels.ts';

/** A graph with one output, `result`, and what it runs on. */
export interface KernelGraph {
  readonly graph: Graph;
  readonly states: Readonly<Record<string, Tensor>>;
  /** The small inputs, made anew as a training step would. */
  hostInputs(): Record<string, TensorData>;
}

/** The root of a gradient walk whose gradient with respect to its first input is its second. */
const seedOp = defineOp({
  name: 'seed',
  shape: () => [{ dtype: 'f32', shape: [1] }],
  launch: () => [],
  grad: (_builder, { inputs }) => [inputs[1]],
  reference() {},
});

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
    const [root] = graph.apply(seedOp, [y, state('dy')], {});
    return gradients(graph, root as Value, wrt)[0] as Value;
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
      const index = [graph.input('rowStart', 'u32', [vocab + 1]), graph.input('occurrences', 'u32', ids.shape)];
      const attrs = { scale: 1, rate: 0, site: 0, onto: false };
      return graph.apply(embeddingBackwardOp, [state('dy'), ...index], attrs)[0] as Value;
    },
    crossEntropyTrain() {
      const logits = state('logits');
      const { nll } = crossEntropyFused(graph, logits, state('targets'), step());
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

/** Floating-point operations of a kernel as heddle's ops count them, and the bytes of its inputs and its result, each moved once. */
export function kernelWork(kind: KernelKind, inputs: KernelArrays): { readonly flops: number; readonly bytes: number } {
  const { graph } = kernelGraph(kind, inputs);
  const touched = [...graph.states.values(), ...graph.inputs.values(), ...graph.outputs.values()];
  return { flops: makePlan(graph).flops, bytes: touched.reduce((n, value) => n + bytesOf(value), 0) };
}
