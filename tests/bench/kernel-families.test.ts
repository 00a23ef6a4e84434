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
import { errorAbout } from '../support/expect-error.ts';

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
    [{ family: 'conv' }, /^There is no kernel family conv; there are matmul, linear, /],
    [{ family: 'toString' }, /^There is no kernel family toString/],
    [{ family: 'matmul', values: { Q: 3 } }, 'matmul has no size Q; it has M, K, N, form.'],
    [{ family: 'matmul', values: { M: 0 } }, 'matmul: M is 0; it must be a whole number from 1 to 65536.'],
    [
      { family: 'matmul', values: { M: 2.5 } },
      'matmul: M is 2.5; it must be a whole number from 1 to 65536.',
    ],
    [{ family: 'matmul', values: { form: 'TT' } }, 'matmul: form is TT; it must be NN, NT, TN.'],
    [
      { family: 'attention', values: { width: 257 } },
      'attention: width is 257; it must be a whole number from 1 to 256.',
    ],
    [{ family: 'next token', values: { length: 7 } }, /length is 7; .* and a multiple of 2\./],
  ])('is an error: %j', (spec, message) => {
    expect(() => kernelOf(spec)).toThrow(message);
  });

  it.each([
    [
      { family: 'attention', values: { dtype: 'f16' } },
      /needs f16, which this adapter does not have; choose f32/,
    ],
    [
      { family: 'softmax', values: { rows: 300_000, width: 200 } },
      /needs a binding of 240,000,000 bytes, at most 134,217,728 bytes are allowed/,
    ],
  ])('is too large for the adapter: %j', (spec, message) => {
    expect(() => checkSize(kernelOf(spec))).toThrow(message);
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
