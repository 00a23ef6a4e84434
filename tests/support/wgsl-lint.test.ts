// The lint of compiled WGSL reports what naga cannot compile, and nothing else.

import { describe, expect, it } from 'vitest';
import { lintWgsl } from './wgsl-lint.ts';

/** The smallest module at which naga panics. */
const smallest = `
override N: u32 = 2u;
var<workgroup> a: array<u32, N * 2u>;
override LATER: u32 = 1u;
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1) fn main() { a[0] = LATER; y[0] = a[0]; }
`;

describe('the size of an array', () => {
  it('must not be an override expression', () => {
    expect(lintWgsl(smallest)).toEqual([
      'the size of an array is the override expression N * 2u: give it a name',
    ]);
    const nested =
      'override N: u32 = 2u;\nvar<workgroup> a: array<array<vec4<f32>, 4>, select(1u, N, N > 1u)>;';
    expect(lintWgsl(nested)[0]).toContain('select(1u, N, N > 1u)');
  });

  it('may be an override with a unique name, or a constant expression', () => {
    expect(
      lintWgsl(smallest.replace('N * 2u', 'SIZE').replace('var<', 'override SIZE: u32 = N * 2u;\nvar<')),
    ).toEqual([]);
    expect(lintWgsl(smallest.replace('override N', 'const N'))).toEqual([]);
    expect(lintWgsl('override N: u32;\nvar<workgroup> a: array<u32, N>; // array<u32, N * 2u>')).toEqual([]);
  });
});

describe('a pointer', () => {
  const module = (argument: string) =>
    `fn f(p: ptr<function, f32>, i: u32) {}\nfn g() { var a: array<f32, 4>; var x = 0.0; f(${argument}, min(1u, 2u)); }`;

  it('to an element or a member must not be an argument of a function of the module', () => {
    expect(lintWgsl(module('&a[i]'))).toEqual(['f gets a pointer to an element: &a[']);
    expect(lintWgsl(module('&(a)[i + 1u]'))).toHaveLength(1);
    expect(lintWgsl(module('&s.x'))).toHaveLength(1);
  });

  it('may be to a whole variable, and to an element in a built-in function', () => {
    expect(lintWgsl(module('&x'))).toEqual([]);
    expect(lintWgsl('fn f() { atomicMax(&flags[i], 1u); let y = x & mask[1]; }')).toEqual([]);
  });

  it('must be in function storage if it is a parameter', () => {
    expect(lintWgsl('fn f(i: u32, p: ptr<workgroup, array<f32, 4>>) {}')).toEqual([
      'a parameter is a pointer into workgroup',
    ]);
    expect(lintWgsl('fn f(p: ptr<storage, array<f32>, read>) {}')).toHaveLength(1);
    expect(lintWgsl('fn f(p: ptr<function, f32>) {}')).toEqual([]);
  });
});

it('subgroups are enabled only in variants for devices that have them', () => {
  expect(lintWgsl('enable subgroups;')).toEqual(['subgroups are enabled for all devices']);
  expect(lintWgsl('enable f16, subgroups;')).toHaveLength(1);
  expect(lintWgsl('// enable subgroups;\nenable f16;')).toEqual([]);
  expect(lintWgsl('enable subgroups;', { subgroups: true })).toEqual([]);
});

it('experimental extensions are enabled only in variants for devices with subgroup matrices', () => {
  const enabled = 'enable chromium_experimental_subgroup_matrix;';
  expect(lintWgsl(enabled)).toEqual(['an experimental extension is enabled for all devices']);
  expect(lintWgsl(enabled, { matrices: true })).toEqual([]);
});
