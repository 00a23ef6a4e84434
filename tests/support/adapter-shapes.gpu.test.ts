// Tests of the shapes of adapters that this process can have: the traits of the device, and a golden case.
// `npm run test:shapes` runs all tests under each shape.

import { afterEach, describe, expect, it } from 'vitest';
import { verify } from '../../src/commands/golden-kinds.ts';
import { gpuEngine } from '../../src/engine/engine.ts';
import { tuneKernels } from '../../src/engine/gpu/auto-tuning.ts';
import { type Device, openDevice } from '../../src/engine/gpu/device.ts';
import { neededLimits } from '../../src/session/session-device.ts';
import { type AdapterShape, adapterShapes } from './adapter-shapes.mjs';
import { fixtureFiles, goldenFolder } from './golden.ts';
import { everyCase, gpuHost, testGpu, testShape, watchDevice } from './gpu.ts';
import { EngineSession } from './session.ts';
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

/** Shapes of this process. The vector width must be set before a process starts. */
const here = adapterShapes.filter(({ vectorWidth }) => !vectorWidth);

/**
 * Shapes for which `npm test` computes a golden case; others take half a minute to compile the tiled kernels
 * of a GPU.
 */
const sampled = everyCase ? ['gpu-without-subgroups', 'tuned'] : ['tuned'];

// Chrome takes a minute to compile the tiled kernels of a GPU. If a shape is set, all test files run under
// it.
describe.each(gpuHost !== 'Chrome' && testShape.name === '' ? here : [])('$name', (shape) => {
  if (sampled.includes(shape.name))
    it('computes a golden case', async () => {
      const device = await open(shape);
      const session = new EngineSession(fixtureFiles, async () =>
        gpuEngine(
          device,
          shape.tune
            ? { kernels: { choose: (graphs) => tuneKernels(device, graphs, { budgetMs: 100 }) } }
            : {},
        ),
      );
      const [result] = await verify({ folders: [goldenFolder('odd-post')] }, session);
      expect(result?.compared.filter(({ passed }) => !passed)).toEqual([]);
      expect(result?.compared.length).toBeGreaterThan(5);
    });

  it('sets the traits of the device', async () => {
    const { gpu, traits, submissions } = await open(shape);
    expect(submissions.pace !== undefined, 'limited submissions').toBe(shape.watchdog !== undefined);
    for (const name of shape.without ?? []) expect(gpu.features.has(name), name).toBe(false);
    if (shape.without?.includes('subgroups'))
      expect(traits).toMatchObject({ subgroups: false, minSubgroup: 0 });
    if (shape.info?.isFallbackAdapter !== undefined)
      expect(traits.software).toBe(shape.info.isFallbackAdapter);
    if (shape.limits === 'default')
      for (const [name, value] of Object.entries(neededLimits))
        expect(gpu.limits[name as keyof GPUSupportedLimits], name).toBe(value);
  });
});

it('throws for a kernel with more storage buffers than the guaranteed limit', async () => {
  const { gpu } = await open({ name: 'as it is' });
  const buffers = 1 + neededLimits.maxStorageBuffersPerShaderStage;
  const entries = Array.from({ length: buffers }, (_, binding) => ({
    binding,
    visibility: GPUShaderStage.COMPUTE,
    buffer: { type: 'storage' as const },
  }));
  gpu.pushErrorScope('validation');
  gpu.createPipelineLayout({ bindGroupLayouts: [gpu.createBindGroupLayout({ entries })] });
  expect((await gpu.popErrorScope())?.message).toMatch(/storage[ _]?buffers/i);
});
