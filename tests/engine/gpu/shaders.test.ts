// Composition of shaders from files, and all shaders as they are compiled for the launches of all ops: WGSL
// that every browser can compile, and no unused entry point.

import { describe, expect, it } from 'vitest';
import { type KernelKey, pipelinesOf } from '../../../src/engine/gpu/pipelines.ts';
import {
  builtInShaders,
  codeOf,
  constantsOf,
  shaderLibrary,
  shaderOf,
} from '../../../src/engine/gpu/shaders.ts';
import type { ShaderSource } from '../../../src/engine/ops/op.ts';
import { dawnGpu } from '../../../src/host/dawn.ts';
import { errorNaming } from '../../support/expect-error.ts';
import { itInFull } from '../../support/in-full.ts';
import { launchedKernels } from '../../support/launched-kernels.ts';
import { lintWgsl } from '../../support/wgsl-lint.ts';

describe('a shader library', () => {
  const files = new Map([
    ['norm/softmax.wgsl', '// include shared/vec.wgsl\n// include shared/sum.wgsl\nsoftmax'],
    ['matmul/tiled.wgsl', '@if(f16) enable f16;\n// include shared/vec.wgsl\ntiled'],
    ['device/probe.wgsl', 'probe'],
    [
      'shared/vec.wgsl',
      '// include shared/base.wgsl\n@if(scalar) alias Vec = f32;\n@else alias Vec = vec4<f32>;\n@if(f16) fn f() { /* ; */ if (x) { y(); } }\nvec',
    ],
    ['shared/sum.wgsl', '// include shared/base.wgsl\nsum'],
    ['shared/base.wgsl', '// include shared/vec.wgsl\nbase'],
  ]);
  const library = shaderLibrary(files);
  const codeOf = (shader: string | ShaderSource) =>
    library
      .sourceOf(shader)
      .replace(/\/\/.*\n/g, '')
      .split('\n')
      .filter(Boolean);

  it('has a shader for each file that no other includes, and for each set of its conditions', () => {
    const variants = ['', '-scalar', '-f16', '-f16-scalar'];
    expect(library.names).toEqual([
      ...variants.map((variant) => `softmax${variant}`),
      ...variants.map((variant) => `tiled${variant}`),
      'probe',
    ]);
  });

  it('composes a shader of its files, each once, the kernel first, with the declarations of its conditions', () => {
    expect(library.pathsOf('softmax')).toEqual(
      ['norm/softmax', 'shared/vec', 'shared/base', 'shared/sum'].map((p) => `${p}.wgsl`),
    );
    expect(codeOf('softmax')).toEqual(['softmax', 'alias Vec = vec4<f32>;', 'vec', 'base', 'sum']);
    expect(codeOf('softmax-scalar')).toEqual(['softmax', 'alias Vec = f32;', 'vec', 'base', 'sum']);
    const f = 'fn f() { /* ; */ if (x) { y(); } }';
    expect(codeOf('tiled-f16-scalar')).toEqual([
      'enable f16;',
      'tiled',
      'alias Vec = f32;',
      f,
      'vec',
      'base',
    ]);
  });

  it('takes the conditions of an @if with its @elifs as alternatives', () => {
    const source =
      '@if(int8) const A = 8;\n@elif(int4) const A = 4;\n@else const A = 16;\n@if(int4) const B = 1;\nend';
    const kernels = shaderLibrary(new Map([['matmul/packed.wgsl', source]]));
    expect(kernels.names).toEqual(['packed', 'packed-int8', 'packed-int4']);
    const lines = (name: string) => kernels.sourceOf(name).split('\n').filter(Boolean);
    expect(lines('packed')).toEqual(['const A = 16;', 'end']);
    expect(lines('packed-int8')).toEqual(['const A = 8;', 'end']);
    expect(lines('packed-int4')).toEqual(['const A = 4;', 'const B = 1;', 'end']);
    expect(() => library.sourceOf({ name: 'mine', source: '@elif(f16) const X = 1;' })).toThrow(
      errorNaming('@elif', '@if'),
    );
  });

  it("composes a user's own source with the files that it includes", () => {
    expect(codeOf({ name: 'mine', source: '// include shared/sum.wgsl\nmine' })).toEqual([
      'mine',
      'sum',
      'base',
      'alias Vec = vec4<f32>;',
      'vec',
    ]);
  });

  it('copies a declaration for each name of @each, also under a condition', () => {
    const source = '@each(k, v) fn load_EACH() { return EACH; }\n@each(a, b)\n@if(f16) const EACH = 1;\nend';
    expect(library.sourceOf({ name: 'mine', source }).split('\n')).toEqual([
      'fn load_k() { return k; }',
      'fn load_v() { return v; }',
      '',
      '',
      'end',
    ]);
  });

  it('names an unknown shader, a file that is missing, and an @else without an @if', () => {
    expect(() => library.sourceOf('linear')).toThrow(errorNaming('linear', 'shaders/'));
    expect(() => library.sourceOf({ name: 'mine', source: '// include shared/max.wgsl' })).toThrow(
      errorNaming('shaders/shared/max.wgsl'),
    );
    for (const source of ['@else const X = 1;', '@if(f16) const X = 1;\nfn f() {}\n@else const X = 2;'])
      expect(() => library.sourceOf({ name: 'mine', source })).toThrow(errorNaming('@else const X'));
  });
});

it("reads the declarations of a user's own shader; two sources of one name are two shaders", () => {
  const source = (type: string) => `// include shared/kernel.wgsl
    struct Params { count: u32 }
    @group(0) @binding(0) var<storage, read_write> y: array<${type}>;
    @compute @workgroup_size(64) fn main(thread: Thread) { y[group_index(thread)] *= 2; }`;
  const [a, b] = ['f32', 'u32'].map((type) => shaderOf({ name: 'double', source: source(type) }));
  expect(a).toMatchObject({ name: 'double', params: [{ name: 'count' }] });
  expect(a?.entries.get('main')?.map(({ wgslType }) => wgslType)).toEqual(['array<f32>']);
  expect(a?.key).not.toBe(b?.key);
  expect(shaderOf({ name: 'double', source: source('f32') })).toBe(a);
});

describe('the shaders of shaders/', () => {
  const kernels = launchedKernels();

  itInFull('contain no construct that crashes a browser, as compiled for each launch', () => {
    const faults = kernels.flatMap(({ shader: name, constants, f16, traits }) => {
      const shader = shaderOf(name);
      const code = codeOf(shader, constantsOf(shader, constants).consts, f16);
      const features = { subgroups: traits.subgroups, matrices: traits.matrices.length > 0 };
      return lintWgsl(code, features).map((fault) => `${name}: ${fault}`);
    });
    expect([...new Set(faults)]).toEqual([]);
  });

  it('contain no construct that crashes a browser as files, and enable subgroups only in variants', () => {
    const faults = builtInShaders.names.flatMap((name) => {
      const matrices = name.startsWith('matmul-matrix');
      const subgroups = matrices || /-(subgroups|shuffle)\b/.test(name);
      return lintWgsl(shaderOf(name).source, { subgroups, matrices }).map((fault) => `${name}: ${fault}`);
    });
    expect(faults).toEqual([]);
  });

  // Dawn's null adapter has subgroup matrices, checks pipelines as other adapters do, and runs nothing.
  it('compile with subgroup matrices, f16 16x16x16 and f32 8x8x8, in every form', async () => {
    const adapter = (await (await dawnGpu({ flags: ['backend=null'] })).requestAdapter()) as GPUAdapter;
    const device = await adapter.requestDevice({
      requiredFeatures: [...adapter.features] as GPUFeatureName[],
    });
    const errorOf = (kernel: KernelKey) =>
      pipelinesOf(device)
        .get(kernel)
        .then(
          () => '',
          ({ message }) => message as string,
        );
    /** The null adapter has 16 KiB of workgroup memory, GPUs with matrices have 32 KiB. */
    const needsMore =
      /does not compile:\nThe total use of workgroup storage \(\d+ bytes\) is larger than the maximum allowed \(16384/;
    const forms = new Set<string>();
    const errors: string[] = [];
    for (const kernel of kernels.filter(({ shader }) => String(shader).startsWith('matmul-matrix'))) {
      const { MATRIX_M, MATRIX_N, MATRIX_K, FORM = 'backward' } = kernel.constants;
      forms.add(`${MATRIX_M}x${MATRIX_N}x${MATRIX_K} ${FORM}`);
      errors.push(await errorOf(kernel));
    }
    expect([...forms].sort()).toEqual(
      ['16x16x16', '8x8x8'].flatMap((size) => [0, 1, 2, 'backward'].map((form) => `${size} ${form}`)),
    );
    expect(errors).toContain('');
    for (const error of errors.filter((each) => each !== '')) expect(error).toMatch(needsMore);
    const source = `enable chromium_experimental_subgroup_matrix; @compute @workgroup_size(32) fn f() { var m: subgroup_matrix_left<f32, 8>; }`;
    const faulty = { shader: { name: 'faulty', source }, entry: 'f', constants: {} };
    await expect(errorOf(faulty)).resolves.toMatch('does not compile');
    device.destroy();
  });

  it('have an op for each entry point', () => {
    const launched = new Set(kernels.map(({ shader, entry }) => `${shader}.${entry}`));
    const entries = builtInShaders.names.flatMap((name) =>
      [...shaderOf(name).entries.keys()].map((entry) => `${name}.${entry}`),
    );
    // An entry point whose kernel adds nothing up is launched in the shader without subgroups.
    const without = new Set(
      ['cross_entropy_backward', 'softmax_held', 'softmax_held_backward', 'tiles', 'input_gradient'].map(
        (entry) => `subgroups.${entry}`,
      ),
    );
    const isNeeded = (entry: string) => !without.has(entry.slice(entry.lastIndexOf('-') + 1));
    expect(entries.filter((entry) => !launched.has(entry) && isNeeded(entry))).toEqual([]);
  });
});
