// Sessions: WebGPU, and the choice of kernels.
import { afterAll, describe, expect, it, vi } from 'vitest';
import { HeddleError } from '../../src/core/errors.ts';
import { measureVariant } from '../../src/engine/gpu/kernel-timing.ts';
import { Graph } from '../../src/engine/graph/graph.ts';
import { linear } from '../../src/engine/ops/matmul/linear.ts';
import type { Node } from '../../src/engine/ops/op.ts';
import { candidates, variantKey } from '../../src/engine/plan/kernel-choices.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { KernelStore } from '../../src/session/kernel-store.ts';
import { errorAbout, errorOfKind } from '../support/expect-error.ts';
import { testSession } from '../support/session.ts';

// Test files share loaded modules: none of them may have the real ones from before, or the mocked ones
// afterwards.
vi.hoisted(() => vi.resetModules());
afterAll(() => void vi.resetModules());

vi.mock('../../src/engine/gpu/kernel-timing.ts', async (original) => ({
  ...(await original<object>()),
  measureVariant: vi.fn(),
}));
vi.mock('../../src/engine/gpu/kernel-check.ts', () => ({ createChecker: () => async () => '' }));
vi.mock('../../src/engine/gpu/gpu-engine.ts', async (original) => {
  const { GpuEngine } = await original<typeof import('../../src/engine/gpu/gpu-engine.ts')>();
  return {
    GpuEngine: class extends GpuEngine {
      override preparePlans = async () => [];
    },
  };
});

/** A GPU whose adapter has these limits, and WebGPU's defaults for all others. */
function gpuWith(limits: Record<string, number>): GPU {
  const defaults = {
    maxStorageBuffersPerShaderStage: 8,
    maxStorageBufferBindingSize: 2 ** 27,
    maxBufferSize: 2 ** 28,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupSizeX: 256,
    maxComputeWorkgroupsPerDimension: 65535,
  };
  const adapter = {
    limits: { ...defaults, ...limits },
    features: new Set(),
    requestDevice: () => new Promise(() => {}),
  };
  return { requestAdapter: async () => adapter } as unknown as GPU;
}

describe('a session', () => {
  it.each([
    ['maxStorageBuffersPerShaderStage', 4, '4', '8'],
    ['maxComputeInvocationsPerWorkgroup', 128, '128', '256'],
    ['maxStorageBufferBindingSize', 2 ** 26, '64.0 MiB', '128.0 MiB'],
  ])('rejects an adapter whose %s is too small, with both numbers', async (limit, value, has, needed) => {
    const session = testSession({ gpu: async () => gpuWith({ [limit]: value }) });
    await expect(session.device.open()).rejects.toThrow(
      errorAbout({ kind: 'unsupported', values: [limit, has, needed] }),
    );
  });

  it('reports that the host has no WebGPU, or that the backend is the CPU', async () => {
    await expect(testSession({}).device.open()).rejects.toThrow(
      errorAbout({ kind: 'unsupported', values: ['Dawn'] }),
    );
    const cpu = testSession({ device: 'cpu' });
    await expect(cpu.device.open()).rejects.toThrow(errorAbout({ kind: 'unsupported', values: ['cpu'] }));
    expect(cpu.backend).toBe('cpu');
    expect((await cpu.engine()).name).toBe('cpu');
  });

  it('opens WebGPU at the first use, and once', async () => {
    const gpu = vi.fn(async () => gpuWith({}));
    const session = testSession({ gpu });
    expect(gpu).not.toHaveBeenCalled();
    expect(await session.device.gpu()).toBe(await session.device.gpu());
    expect(gpu).toHaveBeenCalledTimes(1);
    await session.close();
  });
});

describe('the choice of kernels', () => {
  const limits = { maxStorageBufferBindingSize: 2 ** 27, maxComputeWorkgroupStorageSize: 16384 };
  const device = {
    limits: { ...limits, maxComputeInvocationsPerWorkgroup: 256 },
    features: new Set(),
    adapterInfo: { vendor: 'toy', architecture: '', device: '', description: '', isFallbackAdapter: true },
    lost: new Promise(() => {}),
    addEventListener() {},
  };

  /** A session whose kernels take `ms`, its messages, and its stored kernels, if the file is writable. */
  function start(ms: (variant: string, measured: number) => number, writable = true) {
    const logs: string[] = [];
    const abort = new AbortController();
    const measured: string[] = [];
    vi.mocked(measureVariant).mockImplementation(async (_device, node, { name: variant }) => {
      measured.push(`${node.outputs[0]?.shape.at(-1)} ${variant}`);
      return ms(variant, measured.length);
    });
    const files = memoryFiles();
    const full = async () => {
      throw new HeddleError('there: it is full');
    };
    const session = testSession({
      gpu: async () => {
        const adapter = { ...(await gpuWith({}).requestAdapter()), requestDevice: async () => device };
        return { requestAdapter: async () => adapter } as unknown as GPU;
      },
      onEvent: (event) => void (event.type === 'message' && logs.push(event.text)),
      signal: abort.signal,
      files: writable ? files : { ...files, write: full },
      tune: true,
    });
    const load = () => new KernelStore(files, 'kernels.json').load('Dawn toy');
    return { session, logs, abort, measured, load };
  }

  /** Two layers, the first of more work, and what decides how fast they are. */
  function layers() {
    const graph = new Graph();
    const x = graph.input('x', 'f32', [256, 64]);
    for (const out of [2048, 32]) linear(graph, x, graph.input(`w${out}`, 'f32', [out, 64]));
    const [large, small] = graph.nodes.map(variantKey) as [string, string];
    return { graph, large, small };
  }
  const tiledWins = (variant: string) => (variant.startsWith('tiled') ? 1 : 2);

  it('saves the measurements that are done if it is interrupted', async () => {
    const { graph, large } = layers();
    const { session, logs, abort, load } = start((variant, measured) => {
      if (measured === 3) abort.abort();
      return tiledWins(variant);
    });
    await expect(session.kernels.measure([graph], { measureAll: true, budgetMs: 1e6 })).rejects.toThrow(
      errorOfKind('aborted'),
    );
    expect(await load()).toEqual({ measured: { [large]: 'tiled-64x64' }, guessed: {}, dropped: {} });
    expect(logs).toEqual(['the kernels measured so far are stored in kernels.json']);
  });

  it('is chosen by default until it is measured, then stays as measured', async () => {
    const { graph, large, small } = layers();
    const { session, measured, load } = start(tiledWins);
    expect(await session.kernels.measure([graph], { measureAll: true, budgetMs: -1 })).toEqual({
      place: 'kernels.json',
      failure: undefined,
    });
    const { traits } = await session.device.open();
    const first = candidates(graph.nodes[0] as Node, traits)[0]?.name as string;
    const guessed = { [large]: first, [small]: first };
    expect(first).not.toBe('tiled-64x64');
    expect(await load()).toEqual({ measured: {}, guessed, dropped: {} });
    const engine = await session.engine();
    await engine.prepare([graph]).catch(() => undefined);
    expect(measured).toEqual([]);
    const best = { [large]: 'tiled-64x64', [small]: 'tiled-64x64' };
    for (const budgetMs of [1e6, -1]) {
      await session.kernels.measure([graph], { measureAll: true, budgetMs });
      expect(await load()).toEqual({ measured: best, guessed: {}, dropped: {} });
    }
  });

  it('continues if the store cannot be written, and warns once', async () => {
    const { session, logs } = start(tiledWins, false);
    const engine = await session.engine();
    for (const rows of [8, 4096]) {
      const graph = new Graph();
      linear(graph, graph.input('x', 'f32', [rows, 64]), graph.input('w', 'f32', [64, 64]));
      await engine.prepare([graph]).catch(() => undefined);
    }
    expect(logs).toEqual([
      'the tuned kernels could not be stored, so only this run uses them: there: it is full',
    ]);
    const { graph } = layers();
    expect(await session.kernels.measure([graph], { measureAll: true })).toEqual({
      place: 'kernels.json',
      failure: 'there: it is full',
    });
  });
});
