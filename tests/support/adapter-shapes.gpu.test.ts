// Each shape of adapter that this process can have: what the device gets, and a golden case. `npm run test:shapes` runs all tests under each.

import { afterEach, describe, expect, it } from 'vitest';
import { gpuEngine } from '../../src/engine/engine.ts';
import { tuneKernels } from '../../src/gpu/auto-tuning.ts';
import { type Device, openDevice } from '../../src/gpu/device.ts';
import { verify } from '../../src/jobs/verify/verify-job.ts';
import { neededLimits } from '../../src/runtime/job-context.ts';
import { type AdapterShape, adapterShapes } from './adapter-shapes.mjs';
import { fixtureFiles, goldenFolder, jobContext } from './golden.ts';
import { everyCase, gpuHost, testGpu, testShape, watchDevice } from './gpu.ts';
import { shapedGpu } from './shaped-gpu.ts';

const opened: Device[] = [];
afterEach(() => {
  for (const device of opened.splice(0)) device.destroy();
});

async function open(shape: AdapterShape): Promise<Device> {
  const device = await openDevice(shapedGpu(await testGpu(), shape), { require: neededLimits });
  opened.push(device);
  watchDevice(device.gpu);
  return device;
}

/** Shapes of this process; the width of vectors is set before it starts. */
const here = adapterShapes.filter(({ vectorWidth }) => !vectorWidth);

/** Shapes whose golden case `npm test` computes; test:shapes runs all tests under each. The tiles of a GPU compile for half a minute. */
const sampled = everyCase ? ['gpu-without-subgroups', 'tuned'] : ['tuned'];

// Chrome compiles the tiles of a GPU for a minute; under a shape each test file has it anyway.
describe.each(gpuHost !== 'Chrome' && testShape.name === '' ? here : [])('$name', (shape) => {
  if (sampled.includes(shape.name))
    it('computes a golden case', async () => {
      const device = await open(shape);
      const context = jobContext(fixtureFiles, async () =>
        gpuEngine(
          device,
          shape.tune ? { chooseKernels: (graphs) => tuneKernels(device, graphs, { budgetMs: 100 }) } : {},
        ),
      );
      const [result] = await verify({ folders: [goldenFolder('odd-post')] }, context);
      expect(result?.compared.filter(({ passed }) => !passed)).toEqual([]);
      expect(result?.compared.length).toBeGreaterThan(5);
    });

  it('is what the device gets', async () => {
    const { gpu, traits } = await open(shape);
    for (const name of shape.without ?? []) expect(gpu.features.has(name), name).toBe(false);
    if (shape.without?.includes('subgroups')) expect(traits).toMatchObject({ subgroups: false, minSubgroup: 0 });
    if (shape.info?.isFallbackAdapter !== undefined) expect(traits.software).toBe(shape.info.isFallbackAdapter);
    if (shape.limits === 'default')
      for (const [name, value] of Object.entries(neededLimits))
        expect(gpu.limits[name as keyof GPUSupportedLimits], name).toBe(value);
  });
});

it('refuses a kernel with more storage buffers than every adapter has', async () => {
  const { gpu } = await open({ name: 'as it is' });
  const buffers = 1 + neededLimits.maxStorageBuffersPerShaderStage;
  const entries = Array.from({ length: buffers }, (_, binding) => ({
    ...{ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'storage' as const } },
  }));
  gpu.pushErrorScope('validation');
  gpu.createPipelineLayout({ bindGroupLayouts: [gpu.createBindGroupLayout({ entries })] });
  expect((await gpu.popErrorScope())?.message).toMatch(/storage[ _]?buffers/i);
});
