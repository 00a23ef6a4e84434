// Reading declarations out of WGSL, and replacing consts.

import { describe, expect, it } from 'vitest';
import { builtInShaders, shaderOf } from '../../../src/engine/gpu/shaders.ts';
import { closing, declarations, replaceConsts } from '../../../src/engine/gpu/wgsl.ts';
import { errorNaming } from '../../support/expect-error.ts';

const source = `
// A comment that says @group(0) @binding(9) var<storage, read> ghost: array<f32>;
struct Params {
  rows: u32, // not columns: u32
  // a comment: f32
  first: i32,
  eps: f32,
}
struct Other { x: vec4<f32> }

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0)
@binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage> implied: array<u32>;

override WIDTH: u32 = 64;
override MODE: bool;
const TILE: u32 = 16u;
const SHARE = 0.5;
const WIDE: f32 = -1.0;
const AREA: u32 = TILE * TILE;
var<workgroup> tile: array<f32, TILE>;

fn read(i: u32) -> f32 {
  return x[i / 4u][i % 4u] * params.eps;
}

fn through(i: u32) -> f32 {
  return read(i);
}

fn idle(y: f32) -> f32 {
  let implied = y;
  return implied;
}

@compute @workgroup_size(WIDTH)
fn whole(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.rows) {
    y[id.x] = through(id.x);
  }
}

@compute @workgroup_size(8, 8)
fn part(@builtin(global_invocation_id) id: vec3<u32>) {
  _ = idle(f32(implied[id.x]));
}
`;

it('finds the bracket that closes another one, and throws if there is none', () => {
  expect(closing('f(a[b[0]], {})', 3)).toBe(8);
  expect(closing('f(a[b[0]], {})', 1)).toBe(13);
  expect(() => closing('{ if (a) { }', 0)).toThrow(errorNaming('shader', '{'));
  expect(() => declarations('fn f() { if (a) { }')).toThrow(errorNaming('shader', '{'));
});

describe('declarations', () => {
  const d = declarations(source);

  it('are the bindings with their access, without those in comments', () => {
    expect(d.bindings).toEqual([
      { name: 'x', group: 0, binding: 0, type: 'read-only-storage', wgslType: 'array<vec4<f32>>' },
      { name: 'y', group: 0, binding: 1, type: 'storage', wgslType: 'array<f32>' },
      { name: 'params', group: 0, binding: 2, type: 'uniform', wgslType: 'Params' },
      { name: 'implied', group: 0, binding: 3, type: 'read-only-storage', wgslType: 'array<u32>' },
    ]);
  });

  it('are the fields of Params in order', () => {
    expect(d.params).toEqual([
      { name: 'rows', type: 'u32' },
      { name: 'first', type: 'i32' },
      { name: 'eps', type: 'f32' },
    ]);
  });

  it('are the overrides, and the consts that are a plain number', () => {
    expect(d.overrides).toEqual(new Set(['WIDTH', 'MODE']));
    expect([...d.consts]).toEqual(['TILE', 'SHARE']);
  });

  it('list the bindings that an entry point uses, also through the functions that it calls', () => {
    const used = (entry: string) => d.entries.get(entry)?.map((b) => b.name);
    expect([...d.entries.keys()]).toEqual(['whole', 'part']);
    expect(used('whole')).toEqual(['x', 'y', 'params']);
  });

  it('do not confuse parameters, locals and members with module variables of their names', () => {
    expect(d.entries.get('part')?.map((b) => b.name)).toEqual(['implied']);
    const members = declarations(`
      @group(0) @binding(0) var<storage, read> length: array<u32>;
      @compute @workgroup_size(1) fn f() { let p = vec2(0u); _ = p.length; }`);
    expect(members.entries.get('f')).toEqual([]);
  });

  it('have a field for each number of an array of vectors in Params', () => {
    const { params } = declarations('struct Params { starts: array<vec4<u32>, 2>, rows: i32 }');
    expect(params.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6, 7].map((i) => `starts${i}: u32`),
      'rows: i32',
    ]);
  });

  it('reject a Params with a field that is not a scalar', () => {
    expect(() => declarations('struct Params { size: vec2<u32> }')).toThrow(
      errorNaming('Params.size', 'vec2'),
    );
  });
});

describe('replaceConsts', () => {
  it('sets the value and keeps type and suffix, for values of any digits', () => {
    const code = 'const TILE: u32 = 16u;\nconst SHARE = 0.5;\nconst TILES: u32 = 4u;';
    for (const value of [1, 8, 10, 32, 256])
      expect(replaceConsts(code, { TILE: value })).toBe(
        `const TILE: u32 = ${value}u;\nconst SHARE = 0.5;\nconst TILES: u32 = 4u;`,
      );
    expect(replaceConsts(code, { SHARE: 0.25 })).toContain('const SHARE = 0.25;');
  });

  it('does not replace uses of the name', () => {
    const code = 'const N: u32 = 2u;\nconst M: u32 = N * 3u;\n// const N: u32 = 9u;';
    expect(replaceConsts(code, { N: 5 })).toBe(
      'const N: u32 = 5u;\nconst M: u32 = N * 3u;\n// const N: u32 = 9u;',
    );
  });
});

describe('the shaders of the project', () => {
  it('use at most 8 storage buffers, group 0 and distinct bindings in every entry point', () => {
    const faults: string[] = [];
    for (const name of builtInShaders.names)
      for (const [entry, bindings] of shaderOf(name).entries) {
        const storage = bindings.filter((b) => b.type !== 'uniform').length;
        if (storage > 8) faults.push(`${name}.${entry} has ${storage} storage buffers`);
        if (bindings.some((b) => b.group !== 0)) faults.push(`${name}.${entry} uses another group than 0`);
        if (new Set(bindings.map((b) => b.binding)).size !== bindings.length)
          faults.push(`${name}.${entry} uses a binding number twice`);
      }
    expect(faults).toEqual([]);
  });

  it('keep Params within the 256 bytes of a slot', () => {
    for (const name of builtInShaders.names) expect(shaderOf(name).params.length).toBeLessThanOrEqual(64);
  });

  it('have an entry point each, and an unknown name is an error', () => {
    for (const name of builtInShaders.names) expect(shaderOf(name).entries.size).toBeGreaterThan(0);
    expect(() => shaderOf('absent')).toThrow(errorNaming('absent', 'shaders/'));
  });

  it('include each library once', () => {
    for (const name of builtInShaders.names) {
      const structs = [...shaderOf(name).source.matchAll(/^(?:struct|fn) (\w+)/gm)].map((m) => m[1]);
      expect(new Set(structs).size).toBe(structs.length);
    }
  });
});
