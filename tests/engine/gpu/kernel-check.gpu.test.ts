// Variants that are wrong on purpose: none passes its check, and auto-tuning never chooses one, however fast
// it is.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphOf } from '../../../src/bench/kernel-case.ts';
import { smallKernelCases } from '../../../src/bench/kernel-cases.ts';
import { renderMessage } from '../../../src/core/message.ts';
import { sizeOf } from '../../../src/core/tensor.ts';
import { type DroppedKernel, tuneKernels } from '../../../src/engine/gpu/auto-tuning.ts';
import { type Device, openDevice } from '../../../src/engine/gpu/device.ts';
import { createChecker } from '../../../src/engine/gpu/kernel-check.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { linear } from '../../../src/engine/ops/matmul/linear.ts';
import { defineOp, type Node } from '../../../src/engine/ops/op.ts';
import { variantsOf } from '../../../src/engine/ops/op-nodes.ts';
import { gridOf } from '../../../src/engine/ops/work-division.ts';
import { candidates, naiveOf, variantKey } from '../../../src/engine/plan/kernel-choices.ts';
import { everyCase, gpuHost, sample, testGpu } from '../../support/gpu.ts';

/** y = 2·x, by a loop that is as slow as wished, and in all the wrong ways. */
const wgsl = (y: string, rounds = 1) => `
struct Params { count: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= params.count) { return; }
  var sum = 0.0;
  for (var k = 0u; k < ${rounds}u; k++) { sum += x[(i + k) % params.count]; }
  ${y}
}`;

const kernels: Record<string, string> = {
  'last-row': wgsl('y[i] = select(2.0, 2.002, i + 8u > params.count) * x[i];'),
  nan: wgsl('y[i] = select(2.0 * x[i], sqrt(-abs(x[i]) - 1.0), i == 77u);'),
  gap: wgsl('if (i != 5u) { y[i] = 2.0 * x[i]; }'),
  syntax: wgsl('y[i] = 2.0 *;'),
  workgroup: wgsl('y[i] = 2.0 * x[i];').replace('@workgroup_size(64)', '@workgroup_size(64, 64, 64)'),
  readonly: wgsl('y[i] = 2.0 * x[i];').replace('read_write', 'read'),
  right: wgsl('y[i] = x[i] + x[i];'),
  naive: wgsl('y[i] = 2.0 * x[i] + 1e-30 * sum;', 400),
};
const wrong = Object.keys(kernels).filter((name) => name !== 'right' && name !== 'naive');

const doubleOp = defineOp({
  name: 'double',
  inputs: ['x'],
  outputs: ['y'],
  shape: ({ x }) => ({ y: x }),
  variants: () => [...wrong, 'right'].map((name) => ({ name })),
  naive: { name: 'naive' },
  launch: ({ x }, { y }, _attrs, { variant: { name } }) => [
    {
      shader: { name: `double-${name}`, source: kernels[name] as string },
      entry: 'main',
      params: { count: sizeOf(x.shape) },
      bind: { x, y },
      grid: gridOf(sizeOf(x.shape), 64),
    },
  ],
  reference: ({ x }, { y }) => {
    for (let i = 0; i < y.size; i++) y.set(i, 2 * x.at(i));
  },
});

function doubled(rows: number): { graph: Graph; node: Node } {
  const graph = new Graph();
  graph.output('y', graph.apply(doubleOp, { x: graph.input('x', 'f32', [rows, 64]) }).y);
  return { graph, node: graph.nodes[0] as Node };
}

let device: Device;
beforeAll(async () => {
  device = await openDevice(await testGpu());
});
afterAll(() => device?.destroy());

describe('createChecker', () => {
  it.each([
    ['last-row', /^it differs from naive by 9\.6e-4 of the largest value, allowed 0.0001$/],
    ['nan', /^it differs from naive by Infinity/],
    ['gap', /^it differs from naive by Infinity/],
    ['syntax', /^shader double-syntax.main \{\} does not compile:\n {2}line \d+: /],
    ['workgroup', /^shader double-workgroup.main \{\} does not compile:/],
    ['readonly', /^shader double-readonly.main \{\} does not compile:/],
    ['right', /^$/],
    ['naive', /^$/],
  ])('of the variant %s says %s', async (variant, message) => {
    const verdict = await createChecker(device)(doubled(64).node, { name: variant });
    expect(renderMessage(verdict)).toMatch(message);
    device.check(); // the device goes on
  });

  if (gpuHost !== 'Chrome' || everyCase)
    it('passes every variant of the small kernels of the benchmark', async () => {
      const check = createChecker(device);
      const failed: string[] = [];
      // Other tests compare each kernel with its reference.
      const kernels = sample(smallKernelCases, ({ name }) => /^matmul NT|softmax|adamw|cached/i.test(name));
      expect(kernels.length).toBeGreaterThan(2);
      for (const kernel of kernels) {
        const { node } = graphOf(kernel);
        const variants = new Set([...variantsOf(node, device.traits), naiveOf(node, device.traits)]);
        for (const variant of variants) {
          const reason = await check(node, variant);
          if (reason) failed.push(`${kernel.name} ${variant.name}: ${reason}`);
        }
      }
      expect(failed).toEqual([]);
    });
});

describe('tuneKernels', () => {
  it.each([2000, -1])(
    'never chooses a wrong variant within %i ms, and names each that it checked',
    async (budgetMs) => {
      const { graph, node } = doubled(4096);
      const dropped: string[] = [];
      const choices = await tuneKernels(device, [graph], {
        budgetMs,
        onDropped: ({ kernel }) => void dropped.push(kernel),
      });
      expect(choices[variantKey(node)]).toBe('right');
      expect(dropped).toEqual(wrong.map((name) => `double ${name}`));
      expect(candidates(node, device.traits)).toContainEqual({ name: 'right' });
    },
  );

  it('does not use subgroup matrices that a device only claims to have', async () => {
    const graph = new Graph();
    graph.output('y', linear(graph, graph.input('x', 'f32', [64, 64]), graph.input('w', 'f32', [64, 64])));
    const matrices = [{ operands: 'f32', m: 8, n: 8, k: 8, lanes: 32 }] as const;
    const claiming = {
      ...device,
      traits: { ...device.traits, matrices, maxWorkgroupBytes: 32768, software: false },
    };
    const dropped: string[] = [];
    const onDropped = ({ kernel, reason }: DroppedKernel) =>
      void dropped.push(`${kernel}: ${renderMessage(reason)}`);
    const choices = await tuneKernels(claiming, [graph], { budgetMs: -1, onDropped });
    expect(Object.values(choices)).toEqual(['tiled-64x64']);
    expect(dropped).toEqual([
      expect.stringMatching(
        /^linear matrix-64x64: shader matmul-matrix\.matmul .* does not compile: .*subgroup/,
      ),
    ]);
    device.check();
  });

  it('chooses the naive variant if all others are wrong', async () => {
    const right = kernels.right as string;
    kernels.right = wgsl('y[i] = 3.0 * x[i];');
    try {
      const { graph, node } = doubled(32);
      expect((await tuneKernels(device, [graph]))[variantKey(node)]).toBe('naive');
    } finally {
      kernels.right = right;
    }
  });
});
