// The lists of kernel cases are complete and valid; the conformance report.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type KernelResult, maxError } from '../../src/bench/check-kernel.ts';
import { conformanceOf } from '../../src/bench/conformance.ts';
import { graphOf } from '../../src/bench/kernel-case.ts';
import { conformanceKernelCases, kernelCases, smallKernelCases } from '../../src/bench/kernel-cases.ts';
import type { Machine } from '../../src/bench/machine.ts';
import { chosenKernels } from '../../src/bench/measure-kernels.ts';
import { readDefinedOps } from '../support/ops.ts';

describe('the kernel cases', () => {
  it.each([
    ['all', kernelCases],
    ['conformance', conformanceKernelCases],
  ])('of the set %s cover every op of the library', async (_, cases) => {
    const timed = new Set(cases.map((kernel) => graphOf(kernel).node.op.name));
    const folder = join(import.meta.dirname, '../../src/engine/ops');
    const names = await readDefinedOps(
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => join(folder, file)),
    );
    expect(names.length).toBeGreaterThan(35);
    expect(names.filter((name) => !timed.has(name))).toEqual([]);
  });

  it.each([kernelCases, smallKernelCases, conformanceKernelCases])(
    'have unique names and can be built',
    (...cases) => {
      const names = cases.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      for (const kernel of cases) expect(() => graphOf(kernel), kernel.name).not.toThrow();
    },
  );

  it('are found by a part of the name, ignoring case', () => {
    expect(chosenKernels('small', ' SoftMax ').map(({ name }) => name)).toEqual(['softmax [256,128]']);
    expect(chosenKernels('small', '')).toHaveLength(smallKernelCases.length);
    expect(chosenKernels('all', 'no such kernel')).toEqual([]);
  });
});

describe('the conformance report', () => {
  const machine = {
    adapter: {
      features: ['subgroups'],
      limits: { maxBufferSize: 100, maxBindGroups: 4 },
      subgroups: { min: 8, max: 32 },
    },
  } as unknown as Machine;
  const kernel = (...variants: KernelResult['variants']): KernelResult => ({
    name: 'k',
    group: 'rows',
    op: 'softmax',
    flops: 1,
    bytes: 1,
    variants,
  });
  const right = { variant: 'right', error: 1e-7, passed: true, ms: 1 };
  const wrong = { variant: 'wrong', error: 0.5, passed: false };

  it('passes if all limits and kernels pass, and lists them', () => {
    const report = conformanceOf(machine, [kernel(right, { ...right, error: 3e-7 })], { maxBindGroups: 4 });
    expect(report).toMatchObject({ passed: true, subgroups: { min: 8, max: 32 } });
    expect(report.kernels).toEqual([
      {
        name: 'k',
        variants: [
          { variant: 'right', error: 1e-7, passed: true },
          { variant: 'right', error: 3e-7, passed: true },
        ],
        worst: 3e-7,
        variant: 'right',
        allowed: maxError,
        passed: true,
        dropped: [],
      },
    ]);
    expect(report.features.map(({ name, present }) => [name, present])).toEqual([
      ['timestamp-query', false],
      ['subgroups', true],
      ['shader-f16', false],
      ['chromium-experimental-subgroup-matrix', false],
    ]);
  });

  it('names the limit that is too low', () => {
    const report = conformanceOf(machine, [], { maxBufferSize: 101 });
    expect(report.passed).toBe(false);
    expect(report.limits).toEqual([{ name: 'maxBufferSize', needed: 101, has: 100, passed: false }]);
  });

  it('names the variants that are not used: the worst of a kernel, and one that did not run', () => {
    const broken = {
      variant: 'broken',
      error: Number.POSITIVE_INFINITY,
      passed: false,
      failure: 'no such thing',
    };
    const report = conformanceOf(machine, [kernel(right, wrong), kernel(right, broken)], {});
    expect(report.passed).toBe(false);
    expect(report.kernels[0]).toMatchObject({
      worst: 0.5,
      variant: 'wrong',
      passed: false,
      dropped: ['wrong'],
    });
    expect(report.kernels[1]).toMatchObject({
      worst: Number.POSITIVE_INFINITY,
      variants: [{ variant: 'right' }, { variant: 'broken', failure: 'no such thing' }],
      dropped: ['broken'],
    });
  });
});
