// Composition of shaders from files, and all shaders as they are compiled for the launches of all ops: WGSL that every browser can compile,
// and no unused entry point.

import { describe, expect, it } from 'vitest';
import { compiledSource } from '../../src/gpu/compiled-source.ts';
import { builtInShaders, shaderLibrary, shaderOf } from '../../src/gpu/shaders.ts';
import type { ShaderSource } from '../../src/ops/op.ts';
import { launchedKernels } from '../support/launched-kernels.ts';
import { lintWgsl } from '../support/wgsl-lint.ts';

describe('a shader library', () => {
  const files = new Map([
    [
      'norm/softmax.wgsl',
      '// include shared/vec4.wgsl | scalar: shared/scalar.wgsl\n// include shared/sum.wgsl\nsoftmax',
    ],
    ['matmul/linear.wgsl', '// include f16: shared/f16.wgsl | int8: shared/int8.wgsl\nlinear'],
    ...['vec4', 'scalar', 'sum', 'f16', 'int8'].map((name): [string, string] => [
      `shared/${name}.wgsl`,
      `// include shared/base.wgsl\n${name}`,
    ]),
    ['shared/base.wgsl', '// include shared/vec4.wgsl | scalar: shared/scalar.wgsl\nbase'],
  ]);
  const library = shaderLibrary(files);
  const codeOf = (shader: string | ShaderSource) =>
    library
      .sourceOf(shader)
      .replace(/\/\/.*\n/g, '')
      .split('\n');

  it('has a shader for each file that no other includes, and for each of its variants', () => {
    expect(library.names).toEqual(['softmax', 'softmax-scalar', 'linear-f16', 'linear-int8']);
  });

  it('composes a variant from the files that the include lines name for it, each once, the kernel first', () => {
    expect(library.pathsOf('softmax')).toEqual(
      ['norm/softmax', 'shared/vec4', 'shared/base', 'shared/sum'].map((p) => `${p}.wgsl`),
    );
    expect(codeOf('softmax-scalar')).toEqual(['softmax', 'scalar', 'base', 'sum']);
    expect(codeOf('linear-int8')).toEqual(['linear', 'int8', 'base', 'vec4']);
  });

  it("composes a user's own source with the files that it includes", () => {
    expect(codeOf({ name: 'mine', source: '// include shared/sum.wgsl\nmine' })).toEqual([
      'mine',
      'sum',
      'base',
      'vec4',
    ]);
  });

  it('names an unknown shader, and a file that is missing', () => {
    expect(() => library.sourceOf('linear')).toThrow('there is no linear in shaders/');
    expect(() => library.sourceOf({ name: 'mine', source: '// include shared/max.wgsl' })).toThrow(
      'there is no shaders/shared/max.wgsl',
    );
  });
});

it("reads the declarations of a user's own shader; two sources of one name are two shaders", () => {
  const source = (type: string) => `// include shared/thread.wgsl
    struct Params { count: u32 }
    @group(0) @binding(0) var<storage, read_write> y: array<${type}>;
    @compute @workgroup_size(64) fn main(thread: Thread) { y[group_index(thread)] *= 2; }`;
  const [a, b] = ['f32', 'u32'].map((type) => shaderOf({ name: 'double', source: source(type) }));
  expect(a).toMatchObject({ name: 'double', params: [{ name: 'count' }] });
  expect(a?.entries.get('main')?.map(({ of }) => of)).toEqual(['array<f32>']);
  expect(a?.key).not.toBe(b?.key);
  expect(shaderOf({ name: 'double', source: source('f32') })).toBe(a);
});

describe('the shaders of shaders/', () => {
  const kernels = launchedKernels();

  it('contain no construct that crashes a browser, as compiled for each launch', () => {
    const faults = kernels.flatMap((kernel) =>
      lintWgsl(compiledSource(shaderOf(kernel.shader), kernel), {
        subgroups: kernel.traits.subgroups,
        matrices: kernel.traits.matrices.length > 0,
      }).map((fault) => `${kernel.shader}: ${fault}`),
    );
    expect([...new Set(faults)]).toEqual([]);
  }, 30_000);

  it('contain no construct that crashes a browser as files, and enable subgroups only in variants', () => {
    const faults = builtInShaders.names.flatMap((name) => {
      const matrices = name.startsWith('matmul-matrix');
      const subgroups = matrices || name.includes('-subgroups');
      return lintWgsl(shaderOf(name).source, { subgroups, matrices }).map((fault) => `${name}: ${fault}`);
    });
    expect(faults).toEqual([]);
  });

  it('have an op for each entry point', () => {
    const launched = new Set(kernels.map(({ shader, entry }) => `${shader}.${entry}`));
    const entries = builtInShaders.names.flatMap((name) =>
      [...shaderOf(name).entries.keys()].map((entry) => `${name}.${entry}`),
    );
    expect(entries.filter((entry) => !launched.has(entry))).toEqual([]);
  });
});
