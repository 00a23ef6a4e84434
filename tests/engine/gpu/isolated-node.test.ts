// Sample data of isolated nodes: realistic values, of which no kernel skips any.

import { describe, expect, it } from 'vitest';
import { graphOf } from '../../../src/bench/kernel-case.ts';
import { kernelCases } from '../../../src/bench/kernel-cases.ts';
import type { TensorData } from '../../../src/core/tensor.ts';
import { createCpuExecutor } from '../../../src/engine/cpu/executor.ts';
import { isolate, sampleOf } from '../../../src/engine/gpu/isolated-node.ts';
import { gradients } from '../../../src/engine/graph/gradient.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { selfAttention } from '../../../src/engine/ops/attention/attention.ts';
import { cachedSelfAttention } from '../../../src/engine/ops/decoding/cached-attention.ts';
import { greedyToken, rulesSize } from '../../../src/engine/ops/decoding/next-token.ts';
import { defaultTraits } from '../../../src/engine/ops/device-traits.ts';
import { embedding } from '../../../src/engine/ops/embedding/embedding.ts';
import { crossEntropy } from '../../../src/engine/ops/loss/cross-entropy.ts';
import { projectedLossOp } from '../../../src/engine/ops/loss/projected-loss.ts';
import { softmax } from '../../../src/engine/ops/norm/softmax.ts';
import type { Node } from '../../../src/engine/ops/op.ts';
import { variantsOf } from '../../../src/engine/ops/op-nodes.ts';
import { readStep, stepWords } from '../../../src/engine/ops/step-scalars.ts';

/**
 * The inputs of the last node that `build` makes, or that of op `name`, as it is measured, and what its
 * reference makes of them.
 */
function measured(build: (g: Graph) => void, name?: string) {
  const g = new Graph();
  build(g);
  const node = (name ? g.nodes.find(({ op }) => op.name === name) : g.nodes.at(-1)) as Node;
  const isolated = isolate(node);
  const { graph } = isolated;
  const inputs: Record<string, TensorData> = Object.fromEntries(sampleOf(isolated));
  const cpu = createCpuExecutor(graph);
  for (const name of graph.states.keys()) cpu.state(name).set(inputs[name]!);
  cpu.run(graph.inputs.has('step') ? { step: inputs.step! } : {});
  return { inputs, outputs: graph.nodes[0]!.outputs.map((v) => cpu.dataOf(v)) };
}

const step = (g: Graph) => g.input('step', 'u32', [stepWords]);
const [rows, V, D] = [96, 50, 8];

describe.each([0, 7, 49])('targets with ignored token %i', (ignore) => {
  const targets = (g: Graph) => g.input('targets', 'i32', [rows]);
  const logits = (g: Graph) => g.input('logits', 'f32', [rows, V]);
  it.each([
    ['cross_entropy', 1, (g: Graph) => void crossEntropy(g, logits(g), targets(g), step(g), { ignore })],
    [
      'cross_entropy, fused',
      1,
      (g: Graph) => void crossEntropy(g, logits(g), targets(g), step(g), { ignore, fused: true }),
    ],
    [
      'projected_loss',
      2,
      (g: Graph) => {
        const [x, w] = [g.input('x', 'f32', [rows, D]), g.input('w', 'f32', [V, D])];
        g.apply(
          projectedLossOp,
          { x, w, targets: targets(g), step: step(g) },
          {
            smoothing: 0,
            ignore,
            gradients: true,
            rows: 64,
          },
        );
      },
    ],
  ])('of %s are in the vocabulary, and all count', (_, input, build) => {
    const { inputs, outputs } = measured(build);
    const ids = [...inputs[`in${input}`]!];
    expect(ids.every((id) => id >= 0 && id < V && id !== ignore)).toBe(true);
    expect(new Set(ids).size).toBe(V - 1);
    expect(outputs[0]!.every((nll) => nll > 0)).toBe(true);
  });
});

describe.each([50, 500])('an embedding of %i tokens', (vocab) => {
  const build = (g: Graph) => {
    const table = g.input('table', 'f32', [vocab, D]);
    const index = {
      rowStart: g.input('starts', 'u32', [vocab + 1]),
      occurrences: g.input('places', 'u32', [rows]),
    };
    const y = embedding(g, g.input('ids', 'i32', [4, rows / 4]), table, { index });
    gradients(g, crossEntropy(g, y, g.input('targets', 'i32', [4, rows / 4]), step(g)).nll, [table]);
  };

  it('reads rows from the whole table', () => {
    const ids = [...measured(build, 'embedding').inputs.in0!];
    expect(Math.max(...ids)).toBeLessThan(vocab);
    expect(new Set(ids).size).toBe(Math.min(vocab, rows));
  });

  it('adds every position to its gradient once', () => {
    const { inputs, outputs } = measured(build, 'embedding_backward');
    const [dy, starts, places] = [inputs.in0!, [...inputs.in1!], [...inputs.in2!]];
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect([starts[0], starts.at(-1)]).toEqual([0, rows]);
    expect(places.sort((a, b) => a - b)).toEqual(places.map((_, i) => i));
    const sum = (list: ArrayLike<number>) => Array.from(list).reduce((a, b) => a + b, 0);
    expect(sum(outputs[0]!)).toBeCloseTo(sum(dy), 6);
    expect(outputs[0]!.filter((x) => x !== 0)).toHaveLength(D * Math.min(vocab, rows));
  });
});

it('masks no key by its lengths, for any number of heads', () => {
  const lens = (g: Graph, B: number) => g.input('lens', 'u32', [B]);
  const whole = measured((g) => void softmax(g, g.input('x', 'f32', [2, 3, 5, 40]), {}, lens(g, 2)));
  expect(whole.outputs[0]!.every((p) => p > 0)).toBe(true);
  const attrs = { heads: 2, headWidth: 2, causal: false };
  const attention = (g: Graph) =>
    void selfAttention(g, g.input('qkv', 'f32', [2, 9, 12]), lens(g, 2), step(g), attrs);
  const { inputs, outputs } = measured(attention);
  const g = new Graph();
  attention(g);
  const cpu = createCpuExecutor(g);
  cpu.run({ qkv: inputs.in0!, lens: [9, 9], step: inputs.step! });
  expect(outputs[0]).toEqual(cpu.dataOf(g.nodes[0]!.outputs[0]!));
});

it('times decoding in the middle of a translation, with separate keys per row', () => {
  const [R, T] = [6, 11];
  const { inputs } = measured((g) => {
    const [qkv, cache] = [g.input('qkv', 'f32', [R, 1, 12]), g.state('cache', 'f32', [R, T, 8])];
    const attrs = { heads: 2, headWidth: 2, beams: 3 };
    cachedSelfAttention(g, qkv, cache, g.input('slots', 'u32', [R, T]), step(g), attrs);
  });
  expect(readStep(inputs.step!).position).toBe(5);
  expect(new Set(inputs.in2!.slice(0, 3 * T))).toEqual(new Set(Array.from({ length: 3 * T }, (_, i) => i)));
});

it('times token rules that force no token and read the history', () => {
  const { inputs, outputs } = measured((g) => {
    const [logits, history] = [g.state('logits', 'f32', [3, 1, V]), g.input('history', 'i32', [3, 21])];
    const rules = g.input('rules', 'i32', [rulesSize(2)]);
    greedyToken(g, logits, history, rules, step(g), { endId: 2, rules: true });
  });
  expect(readStep(inputs.step!).position).toBe(10);
  expect([...inputs.in1!].every((id) => id >= 0 && id < V)).toBe(true);
  expect(new Set(inputs.in1).size).toBe(V);
  expect([...inputs.in2!]).toEqual([-1, -1, 3, -1, -1, -1, -1]);
  // Logits are from 0 to 0.5, so the best token has at most twice the mean probability; a forced one has all.
  for (const x of outputs[1]!) expect(Math.abs(x + Math.log(V))).toBeLessThan(0.5);
});

it('has sample data for the integer inputs of each op with several kernels', () => {
  const silent = kernelCases
    .map((kernel) => graphOf(kernel).node)
    .filter((node) => variantsOf(node, defaultTraits).length > 1 && !node.op.sample)
    .filter(({ inputs }) => inputs.some(({ dtype, name }) => dtype === 'i32' && name !== 'step'));
  expect(silent.map(({ op }) => op.name)).toEqual([]);
});
