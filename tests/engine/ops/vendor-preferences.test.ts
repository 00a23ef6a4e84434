// The kernels that a GPU gets before anything was timed on it, by vendor.

import { expect, it } from 'vitest';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { selfAttention } from '../../../src/engine/ops/attention/attention.ts';
import { type DeviceTraits, defaultTraits } from '../../../src/engine/ops/device-traits.ts';
import { linear } from '../../../src/engine/ops/matmul/linear.ts';
import { matmul } from '../../../src/engine/ops/matmul/matmul.ts';
import { stepWords } from '../../../src/engine/ops/step-scalars.ts';
import { subgroupSizeFor } from '../../../src/engine/ops/vendor-preferences.ts';
import { rowReductionsFor } from '../../../src/engine/ops/work-division.ts';
import { candidates } from '../../../src/engine/plan/kernel-choices.ts';
import { makePlan } from '../../../src/engine/plan/planner.ts';

const gpu = (vendor: string, minRequestedSubgroup = 8): DeviceTraits => ({
  ...defaultTraits,
  maxBindingBytes: 2 ** 31,
  subgroups: true,
  minSubgroup: 8,
  vendor,
  minRequestedSubgroup,
});

/** Products of a large vocabulary and of a decoding step of 16 rows, and attention. */
function graphOf(): Graph {
  const graph = new Graph();
  matmul(graph, graph.input('a', 'f32', [4096, 64]), graph.input('b', 'f32', [64, 4096]));
  linear(graph, graph.input('x', 'f32', [16, 64]), graph.input('w', 'f32', [512, 64]));
  const [lens, step] = [graph.input('lens', 'u32', [2]), graph.input('step', 'u32', [stepWords])];
  const attrs = { heads: 4, headWidth: 16, causal: false };
  selfAttention(graph, graph.input('qkv', 'f32', [2, 9, 192]), lens, step, attrs);
  return graph;
}

it.each([
  ['intel', 'tiled-128x128', 'dots-16x16', 'tiles', 8],
  ['amd', 'tiled-128x128', 'dots-16x16', 'tiles', undefined],
  ['nvidia', 'tiled-128x128', 'dots-16x16', 'tiles', undefined],
  ['apple', 'tiled-128x128', 'dots-16x16', 'tiles', undefined],
  ['arm', 'tiled-64x64', 'dots-4x16', 'tiles-pairs', undefined],
  ['qualcomm', 'tiled-64x64', 'dots-16x16', 'tiles', undefined],
  ['', 'tiled-64x64', 'dots-16x16', 'tiles', undefined],
])('%s: %s, %s, %s, subgroups of %s', (vendor, product, fewRows, attention, size) => {
  const { passes } = makePlan(graphOf(), { traits: gpu(vendor) });
  expect(passes.map(({ variant }) => variant)).toEqual([product, fewRows, attention]);
  expect(passes.map(({ subgroupSize }) => subgroupSize)).toEqual([size, size, size]);
});

it('offers tiles of both sizes for every large product', () => {
  const [node] = graphOf().nodes;
  for (const vendor of ['intel', 'amd', 'arm', ''])
    expect(candidates(node!, gpu(vendor)).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['tiled-64x64', 'tiled-128x128']),
    );
});

it('prefers small tiles on GPUs of Intel whose kernels cannot request the smallest subgroup', () => {
  const traits = gpu('intel', 0);
  expect(subgroupSizeFor(traits)).toBeUndefined();
  expect(makePlan(graphOf(), { traits }).passes[0]?.variant).toBe('tiled-64x64');
});

it.each([
  ['intel', 'row-subgroups-32', 'row-subgroups-256'],
  ['apple', 'row-subgroups-32', 'row-group-256'],
  ['arm', 'row-group-32', 'row-group-256'],
  ['', 'row-group-32', 'row-group-256'],
])('%s: sums of rows by %s, scans by %s; both are offered', (vendor, sums, scans) => {
  const traits = { ...gpu(vendor), subgroupSize: 16 };
  const [norm, loss] = [rowReductionsFor(256, traits), rowReductionsFor(8000, traits, true)];
  expect([norm[0]?.name, loss[0]?.name]).toEqual([sums, scans]);
  expect(norm.map(({ name }) => name)).toEqual(expect.arrayContaining(['row-subgroups-32', 'row-group-32']));
  // Without a known size of subgroups nothing is added up by them.
  expect(rowReductionsFor(256, gpu(vendor)).map(({ name }) => name)).toEqual(['row-group-32', 'row-group-1']);
});
