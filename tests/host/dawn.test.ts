// Dawn in Node: adapters, constants, polling.
import { execFile } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { afterEach, expect, it, vi } from 'vitest';
import { describeAdapter } from '../../src/host/adapter-info.ts';
import { adapterNamed, dawnAdapters, dawnGpu, dawnVersion } from '../../src/host/dawn.ts';
import { distFile } from '../support/dist.ts';
import { errorAbout } from '../support/expect-error.ts';

const run = promisify(execFile);

afterEach(() => {
  vi.unstubAllEnvs();
});

it('returns a GPU whose adapter has a description', async () => {
  const adapter = await describeAdapter(await dawnGpu());
  expect(adapter.description).not.toBe('');
  expect(adapter.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
  expect(adapter.features).toContain('timestamp-query');
});

it('reports the version of its package', () => {
  expect(dawnVersion()).toMatch(/^\d+\.\d+\.\d+/);
});

it('defines the WebGPU constants on globalThis and does not overwrite existing ones', async () => {
  const mine = { MAP_READ: 42 };
  vi.stubGlobal('GPUMapMode', mine);
  await dawnGpu();
  expect(globalThis.GPUMapMode).toBe(mine);
  expect(GPUBufferUsage.STORAGE).toBe(0x80);
  vi.unstubAllGlobals();
});

it('reports what to install if there is no driver', async () => {
  vi.stubEnv('VK_DRIVER_FILES', '/nowhere/driver.json');
  const opening = dawnGpu({ flags: ['backend=vulkan'] }); // not yet started with these flags, so it looks for a driver now
  await expect(opening).rejects.toThrow(
    errorAbout({ kind: 'unsupported', values: ['with VK_DRIVER_FILES=/nowhere/driver.json'] }),
  );
});

it("forwards Dawn's message about an unknown adapter", async () => {
  await expect(dawnGpu({ flags: ['adapter=no such adapter'] })).rejects.toThrow(
    errorAbout({ kind: 'unsupported', values: [expect.stringContaining('backends found')] }),
  );
});

it('takes an adapter by index or a part of its name, and lists them otherwise', async () => {
  const names = await dawnAdapters();
  expect(names.length).toBeGreaterThan(0);
  const [first = ''] = names;
  const byIndex = await describeAdapter(await dawnGpu({ adapter: '0' }));
  expect(byIndex).toEqual(await describeAdapter(await dawnGpu()));
  expect(await describeAdapter(await dawnGpu({ adapter: first.slice(0, 6).toUpperCase() }))).toEqual(byIndex);
  await expect(dawnGpu({ adapter: 'no such' })).rejects.toThrow(
    errorAbout({ kind: 'not-found', area: 'adapter', values: ['no such'] }),
  );
  await expect(dawnGpu({ adapter: '' })).rejects.toThrow(errorAbout({ kind: 'not-found', area: 'adapter' }));
  await expect(dawnGpu({ adapter: String(names.length) })).rejects.toThrow(
    errorAbout({ kind: 'not-found', area: 'adapter', values: ['1'] }),
  );
});

it('finds the adapter by name, or reports that Dawn would use another', () => {
  const names = [
    'Intel Arc A770',
    'NVIDIA GeForce RTX 4090',
    'NVIDIA GeForce RTX 4090 D',
    'NVIDIA A100',
    'NVIDIA A100',
  ];
  expect(adapterNamed('arc', names)).toBe(names[0]);
  expect(adapterNamed('geforce', names)).toBe(names[1]);
  expect(adapterNamed('nvidia geforce rtx 4090 d', names)).toBe(names[2]);
  expect(adapterNamed('2', names)).toBe(names[2]);
  expect(adapterNamed('3', names)).toBe(names[3]);
  expect(adapterNamed('770', names)).toBe(names[0]);
  expect(() => adapterNamed('lora/dir', names)).toThrow(
    errorAbout({ kind: 'not-found', area: 'adapter', values: ['lora/dir'] }),
  );
  expect(() => adapterNamed('4', names)).toThrow(
    errorAbout({ kind: 'unsupported', area: 'adapter', values: [3, 4] }),
  );
  expect(() => adapterNamed('radeon', names)).toThrow(
    errorAbout({ kind: 'not-found', area: 'adapter', values: ['radeon'] }),
  );
});

it('waits for the GPU without taking a core', async () => {
  const device = await openDevice();
  const submit = busyWork(device);
  submit(); // the first dispatch compiles
  await device.queue.onSubmittedWorkDone();
  const before = performance.eventLoopUtilization();
  submit();
  const start = performance.now();
  await device.queue.onSubmittedWorkDone();
  const { utilization } = performance.eventLoopUtilization(before);
  expect(performance.now() - start).toBeGreaterThan(20); // otherwise there was no wait
  expect(utilization).toBeLessThan(0.5); // free polling gives 1
  device.destroy();
});

it('does not change setImmediate for other code', async () => {
  await dawnGpu();
  await dawnGpu();
  const order: string[] = [];
  const ended = new Promise<void>((resolve) => {
    setTimeout(() => {
      setTimeout(() => order.push('timeout'), 0);
      setImmediate((...args: string[]) => order.push(...args), 'immediate', 'with arguments');
      setTimeout(resolve, 20);
    }, 0);
  });
  await ended;
  expect(order).toEqual(['immediate', 'with arguments', 'timeout']);
  await expect(promisify(setImmediate)('value')).resolves.toBe('value');
  const cancelled = vi.fn();
  clearImmediate(setImmediate(cancelled));
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(cancelled).not.toHaveBeenCalled();
});

it('keeps a device working after its GPU object was garbage-collected', async () => {
  const script = `
    const { dawnGpu } = await import(${JSON.stringify(distFile('node.js'))});
    const device = await (await (await dawnGpu()).requestAdapter()).requestDevice();
    for (let i = 0; i < 3; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 10)); // finalizers run between turns of the event loop
      await device.queue.onSubmittedWorkDone();
    }
    console.log('done');`;
  const flags = ['--expose-gc', '--input-type=module', '--eval', script];
  expect((await run(process.execPath, flags, { timeout: 20_000 })).stdout).toBe('done\n');
}, 20_000);

it('gives the same GPU for the same options', async () => {
  expect(await dawnGpu()).toBe(await dawnGpu());
  expect(await dawnGpu({ exactTimestamps: true })).not.toBe(await dawnGpu());
});

it('lets Node exit with a device open', async () => {
  const script = `
    const { dawnGpu } = await import(${JSON.stringify(distFile('node.js'))});
    globalThis.gpu = await dawnGpu();
    globalThis.device = await (await gpu.requestAdapter()).requestDevice();
    await device.queue.onSubmittedWorkDone();
    console.log('done');`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    timeout: 20_000,
  });
  expect(stdout).toBe('done\n');
}, 20_000);

async function openDevice(): Promise<GPUDevice> {
  const adapter = await (await dawnGpu()).requestAdapter();
  if (!adapter) throw new Error('no adapter');
  return adapter.requestDevice();
}

/**
 * Returns a function that submits work: some hundred milliseconds on a software adapter, a few on a fast one.
 */
function busyWork(device: GPUDevice): () => void {
  const code = `@group(0) @binding(0) var<storage, read_write> x: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      var h = x[id.x];
      for (var i = 0u; i < 200000u; i++) { h = (h ^ (h >> 13u)) * 0x5bd1e995u + i; }
      x[id.x] = h;
    }`;
  const compute = { module: device.createShaderModule({ code }) };
  const pipeline = device.createComputePipeline({ layout: 'auto', compute });
  const buffer = device.createBuffer({ size: 4096 * 4, usage: GPUBufferUsage.STORAGE });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  return () => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(64);
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
}
