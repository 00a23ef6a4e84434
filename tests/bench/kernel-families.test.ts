// Kernels of any size: every family builds at its default and at odd sizes; invalid values are errors that
// name them.
import { describe, expect, it } from 'vitest';
import { graphOf } from '../../src/bench/kernel-case.ts';
import { kernelCases, smallKernelCases } from '../../src/bench/kernel-cases.ts';
import { familyNames, kernelFamilies, kernelOf } from '../../src/bench/kernel-families.ts';
import type { FamilyField } from '../../src/bench/kernel-family.ts';
import { checkDuration, checkSize } from '../../src/bench/large-kernel.ts';
import { HeddleError } from '../../src/core/errors.ts';
import type { Roofs } from '../../src/engine/gpu/roofs.ts';
import { defaultTraits } from '../../src/engine/ops/device-traits.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { type ExpectedError, errorAbout } from '../support/expect-error.ts';

const traits = { ...defaultTraits, f16: true };

/** All combinations of the options of a family, with sizes from `sizeOf`. */
function specsOf(family: (typeof familyNames)[number], sizeOf: (field: FamilyField, i: number) => number) {
  let all: Record<string, string | number>[] = [{}];
  for (const [i, [name, field]] of Object.entries<FamilyField>(
    kernelFamilies[family]?.fields ?? {},
  ).entries()) {
    const values = 'values' in field ? field.values : [sizeOf(field, i)];
    all = all.flatMap((one) => values.map((value) => ({ ...one, [name]: value })));
  }
  return all.map((values) => ({ family, values }));
}

/** A small size that is not a power of two. */
const odd = (field: FamilyField, i: number): number => {
  if ('values' in field) return 0;
  const { min, step, max } = field;
  const size = field.label === 'Beams' ? 3 : field.label === 'Rows' ? 33 : [33, 5, 21, 7, 9, 12][i % 6];
  return Math.min(max, Math.max(min, Math.ceil((size ?? 9) / step) * step));
};

it.each(familyNames)('%s builds with every option at odd sizes, or throws a HeddleError', (family) => {
  let built = 0;
  for (const spec of specsOf(family, odd)) {
    try {
      const kernel = kernelOf(spec);
      expect(kernel.spec).toEqual(spec);
      makePlan(graphOf(kernel).graph, { traits });
      built++;
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
    }
  }
  expect(built).toBeGreaterThan(0);
});

it('makes every kernel case from its family and sizes', () => {
  for (const kernel of [...kernelCases, ...smallKernelCases])
    expect(kernelOf(kernel.spec).name).toBe(kernel.name);
});

it('stores tensors as f16, or throws if the op has none', () => {
  const f16 = kernelOf({ family: 'attention', values: { dtype: 'f16' } });
  const { node } = graphOf(f16);
  expect(
    [...node.inputs, ...node.outputs].filter(({ dtype }) => dtype === 'f16').map(({ name }) => name),
  ).toContain('qkv');
  const weights = { family: 'cross-attention', values: { pass: 'probabilities', dtype: 'f16' } };
  expect(() => kernelOf(weights)).toThrow(
    errorAbout({ values: ['attention weights [4,128x128] 8 heads x 32'] }),
  );
});

describe('an invalid kernel', () => {
  it.each([
    [{ family: 'conv' }, { values: ['conv', 'matmul', 'linear'] }],
    [{ family: 'toString' }, { values: ['toString'] }],
    [{ family: 'matmul', values: { Q: 3 } }, { values: ['matmul', 'Q'] }],
    [
      { family: 'matmul', values: { M: 0 } },
      { area: 'matmul', values: ['M', '0', 1] },
    ],
    [
      { family: 'matmul', values: { M: 2.5 } },
      { area: 'matmul', values: ['M', '2.5', 1] },
    ],
    [
      { family: 'matmul', values: { form: 'TT' } },
      { area: 'matmul', values: ['form', 'TT', 'NN', 'NT'] },
    ],
    [
      { family: 'attention', values: { width: 257 } },
      { area: 'attention', values: ['width', '257', 1, 256] },
    ],
    [
      { family: 'next token', values: { length: 7 } },
      { area: 'next token', values: ['length', '7', 2] },
    ],
  ])('is an error: %j', (spec, expected) => {
    expect(() => kernelOf(spec)).toThrow(errorAbout(expected));
  });

  it.each<[Parameters<typeof kernelOf>[0], ExpectedError]>([
    [{ family: 'attention', values: { dtype: 'f16' } }, { values: ['f16'] }],
    [
      { family: 'softmax', values: { rows: 300_000, width: 200 } },
      { kind: 'memory', area: 'softmax ()', values: ['240,000,000', '134,217,728'] },
    ],
  ])('is too large for the adapter: %j', (spec, expected) => {
    expect(() => checkSize(kernelOf(spec))).toThrow(errorAbout(expected));
  });
});

describe('a large kernel', () => {
  const product = kernelOf({ family: 'matmul', values: { M: 4096, K: 4096, N: 4096 } });
  const peakOf = (rate: number) => ({ peak: { rate } as Roofs['peak'] });

  it('is allowed if the adapter computes it in a quarter of a second', () => {
    expect(() => checkSize(product)).not.toThrow();
    expect(() => checkDuration(product, peakOf(1000))).not.toThrow();
    expect(() => checkDuration(product, peakOf(100))).toThrow(
      errorAbout({ values: ['matmul [4096,4096]x[4096,4096]', '137.4', '100', '1.4'] }),
    );
  });

  it('is allowed on any adapter if it has a float64 reference', () => {
    const small = kernelOf({ family: 'matmul', values: { M: 1024, K: 1024, N: 1024 } });
    expect(() => checkDuration(small, peakOf(0.1))).not.toThrow();
  });

  it('may have tensors of 5 GiB in total', () => {
    const traits = { ...defaultTraits, maxBindingBytes: 2 ** 32 };
    const weights = (size: number) => kernelOf({ family: 'optimizer', values: { kind: 'AdamW', size } });
    expect(() => checkSize(weights(2 ** 28), traits)).not.toThrow();
    const rows = kernelOf({ family: 'elementwise', values: { kind: 'add', rows: 900_000, width: 600 } });
    expect(() => checkSize(rows, traits)).toThrow(errorAbout({ values: ['6.5', '5.4'] }));
  });
});
