// The default kernel of each node, and plans that use it.

import { expect, it } from 'vitest';
import { storeAsF16 } from '../../../src/engine/graph/f16-storage.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { attentionVariants } from '../../../src/engine/ops/attention/attention-launch.ts';
import { defaultTraits } from '../../../src/engine/ops/device-traits.ts';
import { add } from '../../../src/engine/ops/elementwise/elementwise-ops.ts';
import { linear } from '../../../src/engine/ops/matmul/linear.ts';
import { matmul } from '../../../src/engine/ops/matmul/matmul.ts';
import { softmax } from '../../../src/engine/ops/norm/softmax.ts';
import type { Node } from '../../../src/engine/ops/op.ts';
import { candidates, variantKey } from '../../../src/engine/plan/kernel-choices.ts';
import { makePlan } from '../../../src/engine/plan/planner.ts';

/** Names of the candidates of a node. */
const names = (...given: Parameters<typeof candidates>) => candidates(...given).map(({ name }) => name);

it('leaves out kernels that need more workgroups than a dispatch allows', () => {
  const first = (vocab: number) => {
    const graph = new Graph();
    linear(graph, graph.input('x', 'f32', [1, 16]), graph.input('w', 'f32', [vocab, 16]));
    for (const variant of names(graph.nodes[0] as unknown as Node, defaultTraits))
      makePlan(graph, { kernelChoices: { [variantKey(graph.nodes[0] as unknown as Node)]: variant } });
    return names(graph.nodes[0] as unknown as Node, defaultTraits)[0];
  };
  expect(first(16 * 65535)).toBe('dots-1x16');
  expect(first(16 * 65535 + 1)).toMatch(/^registers/);
});

it('offers subgroup matrices for the type of the operands, but plans them only where they were chosen', () => {
  const matrices = [{ operands: 'f16', m: 16, n: 16, k: 16, lanes: 32 }] as const;
  const traits = { ...defaultTraits, f16: true, matrices, maxWorkgroupBytes: 32768 };
  const layer = (f16: boolean, outs = 1024) => {
    const graph = new Graph();
    const operands = [graph.input('x', 'f32', [2048, 64]), graph.input('w', 'f32', [outs, 64])] as const;
    linear(graph, ...operands);
    if (f16) storeAsF16(graph, operands);
    return { graph, node: graph.nodes[0] as unknown as Node };
  };
  const { graph, node } = layer(true);
  const matrix = ['matrix-64x64', 'matrix-128x128'];
  const others = ['tiled-64x64', 'tiled-128x128', 'registers-8x8'];
  expect(names(node, traits)).toEqual([...matrix, ...others]);
  expect(names(layer(false).node, traits)).toEqual(others);
  // Less workgroup memory than the larger tile needs.
  expect(names(node, { ...traits, maxWorkgroupBytes: 16384 })).toEqual(['matrix-64x64', ...others]);
  const planned = (kernelChoices = {}) =>
    makePlan(graph, { traits, kernelChoices }).passes.map((p) => p.shader);
  expect(planned()).toEqual(['matmul-tiled-f16']);
  expect(planned({ [variantKey(node)]: 'matrix-64x64' })).toEqual(['matmul-matrix-f16']);
  const odd = layer(true, 1023);
  const choice = { [variantKey(odd.node)]: 'matrix-64x64' };
  expect(makePlan(odd.graph, { traits, kernelChoices: choice }).passes[0]?.shader).toBe(
    'matmul-matrix-f16-scalar',
  );
});

it('puts kernels without barriers and with few threads first on software adapters, and keeps all others', () => {
  const graph = new Graph();
  linear(graph, graph.input('x', 'f32', [256, 64]), graph.input('w', 'f32', [512, 64]));
  softmax(graph, graph.input('s', 'f32', [8, 1024]));
  add(graph, graph.input('a', 'f32', [8]), graph.input('b', 'f32', [8]));
  const software = { ...defaultTraits, software: true };
  const [product, rows, sum] = graph.nodes as unknown as [Node, Node, Node];
  expect(names(product, defaultTraits)).toEqual(['tiled-64x64', 'registers-8x8']);
  expect(names(product, software)).toEqual(['registers-8x8', 'tiled-64x64']);
  expect(names(product, { ...software, minSubgroup: 8 })).toEqual(['subgroups-16x4', 'tiled-64x64']);
  expect(names(rows, defaultTraits)).toEqual(['row-group-256', 'row-group-1']);
  expect(names(rows, software)).toEqual(['row-group-1', 'row-group-256']);
  expect(names(sum, defaultTraits)).toEqual(['per-1', 'per-16']);
  expect(names(sum, software)).toEqual(['per-16', 'per-1']);
  const variants = (traits: typeof software) => makePlan(graph, { traits }).passes.map((p) => p.variant);
  expect(variants(software)).toEqual(['registers-8x8', 'row-group-1', 'per-16']);
  expect(variants(defaultTraits)).toEqual(['tiled-64x64', 'row-group-256', 'per-1']);
});

it('offers kernels that exchange numbers by subgroups to CPU adapters only', () => {
  const graph = new Graph();
  linear(graph, graph.input('x', 'f32', [256, 64]), graph.input('w', 'f32', [512, 64]));
  matmul(graph, graph.input('a', 'f32', [8, 512]), graph.input('b', 'f32', [512, 64]));
  const offered = (minSubgroup: number, software = false) =>
    graph.nodes.map((node) => names(node, { ...defaultTraits, minSubgroup, software }));
  expect(offered(16, true)).toEqual([['subgroups-16x4', 'tiled-64x64'], ['subgroups-8x4']]);
  for (const minSubgroup of [8, 32])
    expect(offered(minSubgroup)).toEqual([['tiled-64x64'], ['registers-4x4']]);
  for (const [minSubgroup, software, variants] of [
    [32, false, ['tiles', 'tiles-shuffle', 'tiles-pairs']],
    [8, false, ['tiles', 'tiles-shuffle', 'tiles-pairs']],
    [4, false, ['tiles', 'tiles-pairs']],
    [16, true, ['subgroups-8']],
    [0, true, ['tiles', 'tiles-pairs']],
  ] as const)
    expect(
      attentionVariants({ ...defaultTraits, minSubgroup, software }, 64).map(({ name }) => name),
    ).toEqual(variants);
});
