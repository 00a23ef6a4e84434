// Devices: requested features and limits, and errors for a missing adapter, low limits or a lost device.

import { afterEach, describe, expect, it, vi } from 'vitest';
import { formatBytes } from '../../../src/core/format-numbers.ts';
import { adapterName } from '../../../src/core/host-name.ts';
import { openDevice as openCheckedDevice } from '../../../src/engine/checked-calls.ts';
import { type Device, type DeviceOptions, openDevice, wrapDevice } from '../../../src/engine/gpu/device.ts';
import { GpuEngine } from '../../../src/engine/gpu/gpu-engine.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { add } from '../../../src/engine/ops/elementwise/elementwise-ops.ts';
import { makePlan } from '../../../src/engine/plan/planner.ts';
import { errorAbout, failedRead, lostDevice } from '../../support/expect-error.ts';
import { testGpu } from '../../support/gpu.ts';

const opened: Device[] = [];
async function open(
  ...args: Parameters<typeof openDevice> extends [unknown, ...infer R] ? R : never
): Promise<Device> {
  const device = await openDevice(await testGpu(), ...args);
  opened.push(device);
  return device;
}
afterEach(() => {
  for (const device of opened.splice(0)) device.destroy();
});

async function runnerOn(device: Device) {
  const g = new Graph();
  g.output('y', add(g, g.input('x', 'f32', [4]), g.state('s', 'f32', [4])));
  const [runner] = await new GpuEngine(device).preparePlans([makePlan(g)]);
  return runner!;
}

describe('openDevice', () => {
  it('requests all limits and features of the adapter', async () => {
    const adapter = (await (await testGpu()).requestAdapter())!;
    const device = await open();
    expect(device.traits.maxBindingBytes).toBe(adapter.limits.maxStorageBufferBindingSize);
    expect(device.traits.maxInvocations).toBe(adapter.limits.maxComputeInvocationsPerWorkgroup);
    // The traits are less on an adapter that is taken for another one (HEDDLE_ADAPTER).
    expect(device.gpu.limits.maxComputeWorkgroupStorageSize).toBe(
      adapter.limits.maxComputeWorkgroupStorageSize,
    );
    expect(device.gpu.features.has('subgroups')).toBe(adapter.features.has('subgroups'));
    expect(adapterName(device.adapter)).not.toBe('unnamed adapter');
  });

  it('reports what to do if there is no WebGPU', async () => {
    await expect(openDevice(undefined)).rejects.toThrow(
      errorAbout({
        kind: 'unsupported',
        template: 'WebGPU is not available. {0}',
      }),
    );
  });

  it('names an option that it does not have, and the one that it resembles', async () => {
    const misspelled = { powerPreferrence: 'low-power' } as DeviceOptions;
    await expect(openCheckedDevice(undefined, misspelled)).rejects.toThrow(
      errorAbout({ area: 'openDevice', values: ['powerPreferrence', 'powerPreference'] }),
    );
  });

  it('reports what to install if there is no adapter', async () => {
    const none = { requestAdapter: async () => null } as unknown as GPU;
    await expect(openDevice(none)).rejects.toThrow(
      errorAbout({
        kind: 'unsupported',
        template: expect.stringMatching(/^WebGPU found no adapter/) as string,
      }),
    );
  });

  it('names the limit that an adapter lacks, with both numbers', async () => {
    const adapter = (await (await testGpu()).requestAdapter())!;
    const has = adapter.limits.maxStorageBufferBindingSize;
    await expect(open({ require: { maxStorageBufferBindingSize: has } })).resolves.toBeDefined();
    await expect(open({ require: { maxStorageBufferBindingSize: has + 1 } })).rejects.toThrow(
      errorAbout({
        kind: 'unsupported',
        values: ['maxStorageBufferBindingSize', formatBytes(has), formatBytes(has + 1)],
      }),
    );
  });
});

describe('wrapDevice', () => {
  it('listens to a device once and keeps the info of its adapter, however often the device is wrapped', async () => {
    const device = await open();
    const listen = vi.spyOn(device.gpu, 'addEventListener');
    const again = wrapDevice(device.gpu);
    expect(listen).not.toHaveBeenCalled();
    expect(again.adapter).toEqual(device.adapter);
    expect(again.traits.software).toBe(device.traits.software);
    device.gpu.destroy();
    await device.gpu.lost;
    for (const one of [device, again, wrapDevice(device.gpu)])
      expect(() => one.check()).toThrow(errorAbout(lostDevice));
  });
});

describe('a device that fails', () => {
  it('makes the next run and all later runs fail with the reason once it is lost', async () => {
    const device = await open();
    const runner = await runnerOn(device);
    await runner.run();
    device.gpu.destroy();
    await device.gpu.lost;
    for (let i = 0; i < 5; i++) {
      expect(() => runner.run()).toThrow(errorAbout(lostDevice));
      expect(() => runner.submit()).toThrow(errorAbout(lostDevice));
    }
    await expect(runnerOn(device)).rejects.toThrow(errorAbout(lostDevice));
  });

  it('says in runs and reads, pending and later ones, that it was destroyed on purpose', async () => {
    const device = await open();
    const engine = new GpuEngine(device);
    const g = new Graph();
    g.output('y', add(g, g.input('x', 'f32', [4]), g.state('s', 'f32', [4])));
    const [runner] = await engine.preparePlans([makePlan(g)]);
    const pending = [runner?.run(), engine.read('s')];
    device.destroy();
    for (const each of [...pending, runner?.run(), engine.read('s')])
      await expect(each).rejects.toThrow(errorAbout({ ...failedRead, values: ['the device was destroyed'] }));
  });

  it('makes a pending run reject, not hang', async () => {
    const device = await open();
    const runner = await runnerOn(device);
    const pending = runner.run();
    device.gpu.destroy();
    await expect(pending).rejects.toThrow(errorAbout(lostDevice));
  });

  it('makes a pending read of a state reject with the reason', async () => {
    const device = await open();
    const engine = new GpuEngine(device);
    const g = new Graph();
    g.output('y', add(g, g.input('x', 'f32', [4]), g.state('s', 'f32', [4])));
    await engine.preparePlans([makePlan(g)]);
    const pending = engine.read('s');
    device.gpu.destroy();
    await expect(pending).rejects.toThrow(errorAbout(lostDevice));
  });

  it('makes the next run fail after an uncaptured error', async () => {
    const device = await open();
    const runner = await runnerOn(device);
    const reported = new Promise((resolve) =>
      device.gpu.addEventListener('uncapturederror', resolve, { once: true }),
    );
    device.gpu.createBuffer({
      label: 'impossible',
      size: 4,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE,
    });
    await device.gpu.queue.onSubmittedWorkDone();
    await reported;
    const impossible = { kind: 'device', template: 'WebGPU error: {0}' } as const;
    expect(() => runner.run()).toThrow(errorAbout(impossible));
    expect(() => device.check()).toThrow(errorAbout(impossible));
  });

  it('reports nothing if it was destroyed on purpose', async () => {
    const device = await open();
    device.destroy();
    await device.gpu.lost;
    expect(() => device.check()).not.toThrow();
  });
});
