// matmul and its gradients: every kernel against the reference.

import { describe, expect, it } from 'vitest';
import type { Shape } from '../../../../src/core/tensor.ts';
import { wrapDevice } from '../../../../src/engine/gpu/device.ts';
import { type MatmulAttrs, matmulOp } from '../../../../src/engine/ops/matmul/matmul.ts';
import { everyCase, fewerInChrome, gpuDevice, gpuHost, itOnDawn, sample } from '../../../support/gpu.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

// Float32 sums of K products differ from float64 by about sqrt(K) roundings of 6e-8 each: K stays below 1,100
// here.
const tolerance = 5e-6;
const forms: Record<string, MatmulAttrs> = {
  NN: { transA: false, transB: false, batched: false },
  NT: { transA: false, transB: true, batched: false },
  TN: { transA: true, transB: false, batched: false },
};

/** Operands of [m, k]·[k, n], stored as the form wants, in a batch or not. */
function operands(form: string, m: number, n: number, k: number, before: Shape = [], scale = 1) {
  const a = form[0] === 'T' ? [k, m] : [m, k];
  const b = form[1] === 'T' ? [n, k] : [k, n];
  return { a: randomTensor([...before, ...a], 1, scale), b: randomTensor([...before, ...b], 2, scale) };
}

// Around the tiles of every kernel, 4, 8, 16, 32, 64 and 128 a side; K for which operands are split; primes.
const allSizes: [number, number, number][] = [
  [1, 1, 1],
  [5, 36, 520],
  [17, 33, 29],
  [31, 32, 130],
  [64, 64, 64],
  [65, 68, 60],
  [129, 127, 67],
  [37, 132, 515],
];
const sampled = sample(allSizes, ([m]) => [1, 17, 65, 129].includes(m));
const sizes = fewerInChrome(sampled, ([m]) => [17, 129].includes(m));

/** Chrome compiles a tile for two seconds. */
const everyTile = everyCase || gpuHost !== 'Chrome';

describe.each(Object.keys(forms))('matmul %s', (form) => {
  it.each(sizes)('multiplies to [%i, %i] over %i by every kernel', async (m, n, k) => {
    const c = { inputs: operands(form, m, n, k), attrs: forms[form]!, tolerance };
    await checkOp(matmulOp, c);
  });

  if (everyTile || form === 'NN')
    it('has the gradients of its reference', async () => {
      await checkOp(matmulOp, {
        inputs: operands(form, 20, 12, 16),
        attrs: forms[form]!,
        wrt: ['a', 'b'],
        tolerance,
      });
    });

  if (everyCase)
    it('keeps its accuracy at small and large scales', async () => {
      for (const scale of [1e-3, 40])
        await checkOp(matmulOp, {
          inputs: operands(form, 31, 32, 130, [], scale),
          attrs: forms[form]!,
          tolerance,
        });
    });

  it('multiplies batches, each matrix at its stride', async () => {
    const attrs = { ...forms[form]!, batched: true };
    await checkOp(matmulOp, {
      inputs: operands(form, 20, 12, 16, [3, 2]),
      attrs,
      wrt: ['a', 'b'],
      tolerance,
    });
    await checkOp(matmulOp, { inputs: operands(form, 17, 5, 9, [5]), attrs, tolerance });
  });

  if (everyTile)
    it('takes tiles of 128 a side', async () => {
      // NN has the kernels of tests/engine/gpu/known-adapters.gpu.test.ts.
      const k = form === 'NN' && !everyCase ? 12 : 10;
      await checkOp(matmulOp, { inputs: operands(form, 513, 516, k), attrs: forms[form]!, tolerance });
    });

  if (everyTile || form === 'NN')
    it('works without subgroups', async () => {
      const traits = { subgroups: false, minSubgroup: 0 };
      for (const [m, n, k] of [
        [18, 12, 20],
        [71, 33, 65],
      ] as const)
        await checkOp(matmulOp, { inputs: operands(form, m, n, k), attrs: forms[form]!, tolerance, traits });
    });
});

it('flattens the leading axes of a, and of both if a is transposed', async () => {
  const x = randomTensor([2, 9, 12], 1);
  await checkOp(matmulOp, { inputs: { a: x, b: randomTensor([20, 12], 2) }, attrs: forms.NT!, tolerance });
  await checkOp(matmulOp, { inputs: { a: x, b: randomTensor([2, 9, 8], 2) }, attrs: forms.TN!, tolerance });
});

itOnDawn('multiplies more than 65,535 matrices of a batch', async () => {
  const attrs = { ...forms.NN!, batched: true };
  await checkOp(matmulOp, { inputs: operands('NN', 2, 1, 2, [65537]), attrs, tolerance, variant: 'naive' });
});

it('offers the subgroup kernels on a CPU adapter with subgroups', async () => {
  const device = await gpuDevice();
  const worst = await checkOp(matmulOp, { inputs: operands('NN', 17, 16, 16), attrs: forms.NN! });
  const tried = Object.keys(worst).some((name) => name.includes('subgroups'));
  expect(tried).toBe(wrapDevice(device).traits.software && device.features.has('subgroups'));
});
