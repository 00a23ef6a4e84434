import { describe, expect, it, vi } from 'vitest';
import { HeddleError } from '../../src/errors.ts';
import type { Files } from '../../src/formats/files.ts';
import { createContext, type Surroundings } from '../../src/jobs/context.ts';

const surroundings = (more: Partial<Surroundings>): Surroundings => ({
  host: 'Dawn',
  files: {} as Files,
  emit: () => {},
  signal: new AbortController().signal,
  openGpu: async () => undefined,
  ...more,
});

/** A GPU whose adapter has these limits, and WebGPU's defaults for all others. */
function gpuWith(limits: Record<string, number>): GPU {
  const defaults = {
    maxStorageBuffersPerShaderStage: 8,
    maxStorageBufferBindingSize: 2 ** 27,
    maxBufferSize: 2 ** 28,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupsPerDimension: 65535,
  };
  const adapter = {
    limits: { ...defaults, ...limits },
    features: new Set(),
    requestDevice: () => new Promise(() => {}),
  };
  return { requestAdapter: async () => adapter } as unknown as GPU;
}

describe('a context', () => {
  it.each([
    ['maxStorageBuffersPerShaderStage', 4, 8],
    ['maxComputeInvocationsPerWorkgroup', 128, 256],
    ['maxStorageBufferBindingSize', 2 ** 26, 2 ** 27],
  ])('refuses an adapter whose %s is too small, with both numbers', async (limit, has, needed) => {
    const { context } = createContext(surroundings({ openGpu: async () => gpuWith({ [limit]: has }) }));
    await expect(context.device()).rejects.toThrow(HeddleError);
    await expect(context.device()).rejects.toThrow(new RegExp(`${limit} is ${has}, ${needed} is needed`));
  });

  it('says so where the host has no WebGPU, or the backend is the CPU', async () => {
    await expect(createContext(surroundings({})).context.device()).rejects.toThrow('There is no WebGPU in this Dawn.');
    const cpu = createContext(surroundings({ host: 'cpu' })).context;
    await expect(cpu.device()).rejects.toThrow(/cpu backend has no GPU; use --host dawn/);
    expect(cpu.backend).toBe('cpu');
    expect((await cpu.engine()).name).toBe('cpu');
  });

  it('opens WebGPU when it is wanted, and once', async () => {
    const openGpu = vi.fn(async () => gpuWith({}));
    const { context, close } = createContext(surroundings({ openGpu }));
    expect(openGpu).not.toHaveBeenCalled();
    expect(await context.gpu()).toBe(await context.gpu());
    expect(openGpu).toHaveBeenCalledTimes(1);
    await close();
  });
});
