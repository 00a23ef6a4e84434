// Every shader compiles with its defaults on the device, pipelines are cached, and the errors of those that do not compile.

import { describe, expect, it } from 'vitest';
import { wrapDevice } from '../../src/gpu/device.ts';
import { pipelinesOf } from '../../src/gpu/pipelines.ts';
import { builtInShaders, shaderOf } from '../../src/gpu/shaders.ts';
import { matrixFeature } from '../../src/gpu/subgroup-features.ts';
import { gpuDevice } from '../support/gpu.ts';

describe('shader files', () => {
  it('compile with their defaults, without a warning', async () => {
    const device = await gpuDevice();
    const messages = await Promise.all(
      builtInShaders.names
        .filter((name) => runs(name, device))
        .map(async (name) => {
          const module = device.createShaderModule({ label: name, code: shaderOf(name).source });
          const info = await module.getCompilationInfo();
          return info.messages.map((m) => `${name} line ${m.lineNum}: ${m.message}`);
        }),
    );
    expect(messages.flat()).toEqual([]);
  });
});

/** Whether the device has the features that a shader enables. */
const runs = (name: string, device: GPUDevice): boolean => {
  const needed: Record<string, GPUFeatureName> = {
    ...{ f16: 'shader-f16', subgroups: 'subgroups' },
    chromium_experimental_subgroup_matrix: matrixFeature,
  };
  return [...shaderOf(name).source.matchAll(/^enable (\w+);/gm)].every(([, feature = '']) =>
    device.features.has(needed[feature] ?? (feature as GPUFeatureName)),
  );
};

describe('pipelines', () => {
  const pass = { shader: 'add', entry: 'add', constants: {} };

  it('are compiled once for each shader, entry point and set of constants', async () => {
    const pipelines = pipelinesOf(wrapDevice(await gpuDevice()).gpu);
    const [a, b] = await Promise.all([pipelines.get(pass), pipelines.get({ ...pass })]);
    expect(a).toBe(b);
    const before = pipelines.compiled;
    expect(await pipelines.get({ ...pass, entry: 'add_in_place' })).not.toBe(a);
    expect(pipelines.compiled).toBe(before + 1);
  });

  it('name an unknown entry point or constant', async () => {
    const pipelines = pipelinesOf(await gpuDevice());
    await expect(pipelines.get({ ...pass, entry: 'sub' })).rejects.toThrow('shader add: there is no entry point sub');
    await expect(pipelines.get({ ...pass, constants: { MAGIC: 1 } })).rejects.toThrow(
      'shader add: there is no override or const MAGIC',
    );
  });

  it('name the shader, its constants and the message of the compiler if it does not compile', async () => {
    const pipelines = pipelinesOf(await gpuDevice());
    const name = builtInShaders.names.find((n) => shaderOf(n).consts.has('THREADS')) ?? '';
    const [entry = ''] = [...shaderOf(name).entries.keys()];
    // More invocations in a workgroup than any device has.
    const broken = pipelines.get({ shader: name, entry, constants: { THREADS: 1_000_000 } });
    await expect(broken).rejects.toThrow(`shader ${name}.${entry} {"THREADS":1000000} does not compile:\n`);
    await expect(broken).rejects.toThrow(/compile:\n.{20}/);
  });
});
