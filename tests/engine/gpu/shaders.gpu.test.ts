// Every shader compiles with its defaults on the device, pipelines are cached, and the errors of those that
// do not compile.

import { describe, expect, it } from 'vitest';
import { wrapDevice } from '../../../src/engine/gpu/device.ts';
import { pipelinesOf } from '../../../src/engine/gpu/pipelines.ts';
import { builtInShaders, shaderOf } from '../../../src/engine/gpu/shaders.ts';
import { matrixFeature } from '../../../src/engine/gpu/subgroup-features.ts';
import { errorNaming } from '../../support/expect-error.ts';
import { gpuDevice } from '../../support/gpu.ts';

describe('shader files', () => {
  it('compile with their defaults, without a warning', async () => {
    const sources = builtInShaders.names.map((name): [string, string] => [name, shaderOf(name).source]);
    expect(await compilerMessages(sources)).toEqual([]);
  });

  // With what it includes, a file is a whole module, unless it says which kernel it is a part of.
  it('resolve each by itself, or are part of the kernel that they name', async () => {
    const kernels = new Map(builtInShaders.names.map((name) => [name, builtInShaders.pathsOf(name)]));
    const included = Object.entries(texts)
      .map(([path, text]): [string, string] => [path.replace(/^.*\/shaders\//, ''), text])
      .filter(([path]) => ![...kernels.values()].some(([own]) => own === path));
    const partOf = ([, text]: [string, string]) => /^\/\/ part of (\S+)$/m.exec(text)?.[1];
    for (const file of included) {
      const kernel = partOf(file);
      if (!kernel) continue;
      const library = [...kernels.values()].some(
        ([own, ...paths]) => own === kernel && paths.includes(file[0]),
      );
      expect(library || fileAt(kernel).split('\n').includes(`// include ${file[0]}`), file[0]).toBe(true);
    }
    // An op that brings its kernel along joins it with the files of its own folder.
    const whole = included
      .filter((file) => !partOf(file))
      .map(
        ([path, text]) =>
          [path, text.replace(/^\/\/ include (rows\/.+)$/gm, (_, own) => fileAt(own))] as const,
      );
    expect(whole.length).toBeGreaterThan(10);
    const sources = whole.map(([path, source]): [string, string] => [
      path,
      builtInShaders.sourceOf({ name: path, source }),
    ]);
    expect(await compilerMessages(sources)).toEqual([]);
  });
});

/** The text of a file of shaders/. */
const fileAt = (path: string): string => texts[`../../../shaders/${path}`] ?? '';

const texts: Record<string, string> = import.meta.glob('../../../shaders/**/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** What the compiler says of modules, name and source, whose features the device has. */
async function compilerMessages(sources: readonly [string, string][]): Promise<string[]> {
  const device = await gpuDevice();
  const messages = await Promise.all(
    sources
      .filter(([, code]) => runs(code, device))
      .map(async ([name, code]) => {
        const info = await device.createShaderModule({ label: name, code }).getCompilationInfo();
        return info.messages.map((m) => `${name} line ${m.lineNum}: ${m.message}`);
      }),
  );
  return messages.flat();
}

/** Whether the device has the features that a shader enables. */
const runs = (source: string, device: GPUDevice): boolean => {
  const needed: Record<string, GPUFeatureName> = {
    f16: 'shader-f16',
    subgroups: 'subgroups',
    chromium_experimental_subgroup_matrix: matrixFeature,
  };
  return [...source.matchAll(/^enable (\w+);/gm)].every(([, feature = '']) =>
    device.features.has(needed[feature] ?? (feature as GPUFeatureName)),
  );
};

describe('pipelines', () => {
  const pass = { shader: 'elementwise-ops', entry: 'add', constants: {} };

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
    await expect(pipelines.get({ ...pass, entry: 'sub' })).rejects.toThrow(
      errorNaming('elementwise-ops', 'sub'),
    );
    await expect(pipelines.get({ ...pass, constants: { MAGIC: 1 } })).rejects.toThrow(
      errorNaming('elementwise-ops', 'MAGIC'),
    );
  });

  it('name the shader, its constants and the message of the compiler if it does not compile', async () => {
    const pipelines = pipelinesOf(await gpuDevice());
    const name = builtInShaders.names.find((n) => shaderOf(n).consts.has('THREADS')) ?? '';
    const [entry = ''] = [...shaderOf(name).entries.keys()];
    // More invocations in a workgroup than any device has.
    const broken = pipelines.get({ shader: name, entry, constants: { THREADS: 1_000_000 } });
    await expect(broken).rejects.toThrow(errorNaming(`${name}.${entry}`, '{"THREADS":1000000}', '\n'));
  });
});
