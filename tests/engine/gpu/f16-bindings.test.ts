// f16 storage of bindings: loads are cast to f32, stores to f16, and nothing else changes.

import { describe, expect, it } from 'vitest';
import { storeAsF16 } from '../../../src/engine/gpu/f16-bindings.ts';
import { builtInShaders, shaderOf } from '../../../src/engine/gpu/shaders.ts';

const source = `alias Cell = vec4<f32>;
@group(0) @binding(0) var<storage, read> x: array<Cell>; // x[0] in words
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> bits: array<u32>;

fn other(x: f32) -> f32 {
  return x;
}

fn main(i: u32) {
  let v = x[i + u32(y[x_of[i]])].xy;
  y[i] = v.x + x[i][1];
  y[i + 1u] *= 2.0 - y[0];
  if (y[i] == 1.0) { y[2] = -1.0; }
  let word = bits[i];
}
`;

describe('storeAsF16', () => {
  it('casts loads and stores, and enables f16', () => {
    const out = storeAsF16(source, ['x', 'y', 'bits']);
    expect(out.split('\n')[0]).toBe('enable f16;');
    for (const line of [
      'var<storage, read> x: array<vec4<f16>>;',
      'var<storage, read_write> y: array<f16>;',
      'var<storage, read> bits: array<u32>;',
      'let v = vec4<f32>(x[i + u32(f32(y[x_of[i]]))]).xy;',
      'y[i] = f16(v.x + vec4<f32>(x[i])[1]);',
      'y[i + 1u] = f16(f32(y[i + 1u]) * (2.0 - f32(y[0])));',
      'if (f32(y[i]) == 1.0) { y[2] = f16(-1.0); }',
      'fn other(x: f32) -> f32 {\n  return x;',
    ])
      expect(out).toContain(line);
  });

  it('casts stores to an element of a vector', () => {
    const text =
      '@group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>;\nfn f() { y[1].x = 2.0; y[2][i] += 1.0; }';
    const out = storeAsF16(text, ['y']);
    expect(out).toContain('y[1].x = f16(2.0);');
    expect(out).toContain('y[2][i] = f16(f32(y[2][i]) + (1.0));');
  });

  it('changes no other binding, no other type and no local of the name', () => {
    expect(storeAsF16(source, [])).toBe(source);
    expect(storeAsF16(source, ['bits', 'nothing'])).toBe(source);
    const local =
      '@group(0) @binding(0) var<storage, read> s: array<f32>;\nfn f() { var s = array(1.0); s[0] = 2.0; }';
    expect(storeAsF16(local, ['s'])).toContain('{ var s = array(1.0); s[0] = 2.0; }');
  });

  it('finds the declaration of each f32 binding of the shaders', () => {
    for (const name of builtInShaders.names) {
      const { source, bindings } = shaderOf(name);
      for (const { name: binding, wgslType } of bindings)
        if (/^array<(f32|vec4<f32>|Vec)>$/.test(wgslType))
          expect(storeAsF16(source, [binding]), `${name} ${binding}`).toMatch(/^enable f16;/);
    }
  });
});
