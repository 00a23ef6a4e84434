import { describe, expect, it } from 'vitest';
import type { MatmulAttrs } from '../../src/ops/matmul.ts';
import { matmulOp } from '../../src/ops/matmul.ts';
import type { Shape } from '../../src/tensor.ts';
import { gpuDevice } from '../support/gpu.ts';
import { checkOp, randomTensor } from '../support/op.ts';

// Float32 sums of K products differ from float64 by about sqrt(K) roundings of 6e-8 each: K stays below 1,100 here.
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
  return [randomTensor([...before, ...a], 1, scale), randomTensor([...before, ...b], 2, scale)];
}

// Around the tiles of every kernel: 4, 8, 16, 32, 64, 128 a side, and primes.
const sizes: [number, number, number][] = [
  [1, 1, 1],
  [1, 40, 33],
  [3, 5, 7],
  [4, 4, 4],
  [5, 64, 8],
  [16, 32, 12],
  [17, 33, 29],
  [31, 36, 130],
  [64, 64, 64],
  [65, 68, 60],
  [129, 127, 67],
  [37, 132, 515],
];

describe.each(Object.keys(forms))('matmul %s', (form) => {
  it.each(sizes)('multiplies to [%i, %i] over %i by every kernel', async (m, n, k) => {
    await checkOp(matmulOp, { inputs: operands(form, m, n, k), attrs: forms[form]!, wrt: [0, 1], tolerance });
  });

  it.each([1e-3, 40])('keeps its accuracy at scale %d', async (scale) => {
    await checkOp(matmulOp, { inputs: operands(form, 33, 40, 21, [], scale), attrs: forms[form]!, tolerance });
  });

  it('multiplies batches, both matrices at their strides', async () => {
    const attrs = { ...forms[form]!, batched: true };
    await checkOp(matmulOp, { inputs: operands(form, 20, 12, 16, [3, 2]), attrs, wrt: [0, 1], tolerance });
    await checkOp(matmulOp, { inputs: operands(form, 7, 5, 9, [5]), attrs, wrt: [0, 1], tolerance });
  });

  it('takes every kernel up to 128 wide tiles', async () => {
    await checkOp(matmulOp, { inputs: operands(form, 513, 516, 10), attrs: forms[form]!, tolerance });
  });
});

it('flattens the leading axes of a, and of both where a is transposed', async () => {
  const x = randomTensor([2, 9, 12], 1);
  await checkOp(matmulOp, { inputs: [x, randomTensor([20, 12], 2)], attrs: forms.NT!, wrt: [0, 1], tolerance });
  await checkOp(matmulOp, { inputs: [x, randomTensor([2, 9, 8], 2)], attrs: forms.TN!, wrt: [0, 1], tolerance });
});

it('goes past 65,535 matrices of a batch', async () => {
  const attrs = { ...forms.NN!, batched: true };
  await checkOp(matmulOp, { inputs: operands('NN', 2, 1, 2, [65537]), attrs, tolerance, variant: 'naive' });
});

it('offers the subgroup kernels where the device has subgroups', async () => {
  const device = await gpuDevice();
  const worst = await checkOp(matmulOp, { inputs: operands('NN', 16, 16, 16), attrs: forms.NN! });
  const tried = Object.keys(worst).some((name) => name.includes('subgroups'));
  expect(tried).toBe(device.features.has('subgroups'));
});
