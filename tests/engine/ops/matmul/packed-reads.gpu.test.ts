// How often a product with packed weights reads each of their words. In the WGSL of the kernel the weights become
// counters, and reading a word adds 1 to it.

import { expect } from 'vitest';
import { wrapDevice } from '../../../../src/engine/gpu/device.ts';
import { isolate, variantPlan } from '../../../../src/engine/gpu/isolated-node.ts';
import { packParams } from '../../../../src/engine/gpu/recorded-passes.ts';
import { codeOf, constantsOf, shaderOf } from '../../../../src/engine/gpu/shaders.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { packedLinear } from '../../../../src/engine/ops/matmul/packed-linear.ts';
import {
  isInt4,
  newScales,
  type PackedFormat,
  packedFormats,
  wordsOf,
} from '../../../../src/engine/ops/matmul/packed-weights.ts';
import type { Node } from '../../../../src/engine/ops/op.ts';
import { candidates } from '../../../../src/engine/plan/kernel-choices.ts';
import type { Pass } from '../../../../src/engine/plan/plan.ts';
import { gpuDevice } from '../../../support/gpu.ts';
import { itInFull } from '../../../support/in-full.ts';

/** A product of one row with weights of `outs` rows. */
function oneRow(format: PackedFormat, ins: number, outs: number): Node {
  const graph = new Graph();
  const size = newScales(format, outs, ins).length;
  const dtype = isInt4(format) ? 'u32' : 'f32';
  const shape = isInt4(format) ? [outs, size / outs] : [outs];
  const words = graph.state('words', 'u32', [outs, wordsOf(format, ins)]);
  const scales = format === 'f16' ? undefined : graph.state('scales', dtype, shape);
  graph.output('y', packedLinear(graph, graph.input('x', 'f32', [1, ins]), { format, words, scales }));
  return graph.nodes[0] as Node;
}

/** The WGSL of a pass in which reading a word of `w` counts. */
function countingCode({ shader, constants, f16 }: Pass): string {
  const library = shaderOf(shader);
  const code = codeOf(library, constantsOf(library, constants).consts, f16);
  const counting = code
    .replace('var<storage, read> w: array<vec4<u32>>', 'var<storage, read_write> w: array<atomic<u32>>')
    .replace(/\bw\[([^\]]+)\]/g, 'counted($1)');
  const add = (word: number) => `atomicAdd(&w[4u * i + ${word}u], 1u)`;
  return `${counting}\nfn counted(i: u32) -> vec4<u32> { return vec4(${[0, 1, 2, 3].map(add)}); }\n`;
}

/** Runs a pass on memory of zeros. Returns how often it read each word of `w`. */
async function readsOf(pass: Pass): Promise<Uint32Array> {
  const device = await gpuDevice();
  const shader = shaderOf(pass.shader);
  const bindings = shader.entries.get(pass.entry) ?? [];
  const layout = device.createBindGroupLayout({
    entries: bindings.map(({ binding, name, type }) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: name === 'w' ? 'storage' : type },
    })),
  });
  const pipeline = await device.createComputePipelineAsync({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: {
      module: device.createShaderModule({ code: countingCode(pass) }),
      entryPoint: pass.entry,
      constants: constantsOf(shader, pass.constants).overrides,
    },
  });
  const { STORAGE, UNIFORM, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const params = packParams([pass], [{ pipeline, layout, bindings, shader }]);
  const buffers = new Map(
    bindings.map(({ name, wgslType }) => {
      const isParams = wgslType === 'Params';
      const size = isParams ? params.byteLength : Math.ceil((pass.bind[name]?.bytes ?? 64) / 16) * 16;
      const usage = isParams ? UNIFORM | COPY_DST : STORAGE | COPY_SRC;
      const buffer = device.createBuffer({ size, usage });
      if (isParams) device.queue.writeBuffer(buffer, 0, params);
      return [name, buffer] as const;
    }),
  );
  const entries = bindings.map(({ binding, name }) => ({
    binding,
    resource: { buffer: buffers.get(name) as GPUBuffer },
  }));
  const words = buffers.get('w') as GPUBuffer;
  const copy = device.createBuffer({ size: words.size, usage: COPY_DST | MAP_READ });
  const encoder = device.createCommandEncoder();
  const compute = encoder.beginComputePass();
  compute.setPipeline(pipeline);
  compute.setBindGroup(0, device.createBindGroup({ layout, entries }));
  compute.dispatchWorkgroups(...pass.grid);
  compute.end();
  encoder.copyBufferToBuffer(words, 0, copy, 0, words.size);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(GPUMapMode.READ);
  const counts = new Uint32Array(copy.getMappedRange().slice(0));
  for (const buffer of [...buffers.values(), copy]) buffer.destroy();
  return counts;
}

const cases = packedFormats.flatMap((format) =>
  // Whole workgroups; rows that do not fill the last one; a last group of two rows, whose four columns are computed
  // together, so that the last row is read three times.
  [
    [64, 128, 1],
    [96, 132, 1],
    [64, 34, 3],
  ].map(([ins = 0, outs = 0, last = 1]) => ({ format, ins, outs, last })),
);

itInFull.each(cases)('$format: one row of $ins numbers reads each word of $outs rows once', async (one) => {
  const { format, ins, outs, last } = one;
  const { traits } = wrapDevice(await gpuDevice());
  const isolated = isolate(oneRow(format, ins, outs));
  // The kernels of GPUs and those of software adapters.
  const plans = new Map(
    [false, true].flatMap((software) => {
      const given = { ...traits, software };
      return candidates(isolated.node, given).map(
        (variant) => [variant.name, variantPlan(isolated, variant, given)] as const,
      );
    }),
  );
  expect(plans.size).toBeGreaterThan(1);
  const width = wordsOf(format, ins);
  const expected = new Uint32Array(outs * width).fill(1).fill(last, (outs - 1) * width);
  for (const [variant, { passes }] of plans) {
    expect(passes).toHaveLength(1);
    expect(await readsOf(passes[0] as Pass), variant).toEqual(expected);
  }
});
