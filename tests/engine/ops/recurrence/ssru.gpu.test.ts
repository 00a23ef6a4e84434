// The scan of an SSRU on the GPU, forward and backward.

import { describe, expect, it } from 'vitest';
import { wrapDevice } from '../../../../src/engine/gpu/device.ts';
import { ssruOp } from '../../../../src/engine/ops/recurrence/ssru.ts';
import { errorAbout, noF16 } from '../../../support/expect-error.ts';
import { gpuDevice } from '../../../support/gpu.ts';
import { checkGradient, checkOp, randomTensor } from '../../../support/op.ts';

describe.each([
  [1, 1, 1],
  [2, 3, 5],
  [3, 9, 8],
  [2, 17, 20],
  [5, 4, 132],
])('an SSRU of [%i,%i,%i]', (B, T, D) => {
  const inputs = { x: randomTensor([B, T, 2 * D], 1), bias: randomTensor([D], 2) };

  it('equals its reference, forward and backward', async () => {
    await checkOp(ssruOp, { inputs, attrs: {}, wrt: ['x', 'bias'], tolerance: 1e-6, gradTolerance: 3e-6 });
  });

  it.skipIf(B * T * D > 300)('has the gradient of finite differences', () => {
    checkGradient(ssruOp, { inputs, attrs: {}, wrt: ['x', 'bias'] });
  });
});

it('saturates without overflow', async () => {
  const inputs = { x: randomTensor([2, 6, 16], 3, 200), bias: randomTensor([8], 4, 200) };
  await checkOp(ssruOp, { inputs, attrs: {}, wrt: ['x'], tolerance: 1e-6, gradTolerance: 1e-5 });
});

it('reads and writes f16', async () => {
  const inputs = { x: randomTensor([2, 6, 16], 5), bias: randomTensor([8], 6) };
  const checked = checkOp(ssruOp, { inputs, attrs: {}, wrt: ['x'], f16: true });
  if (wrapDevice(await gpuDevice()).traits.f16) await checked;
  else await expect(checked).rejects.toThrow(errorAbout(noF16));
});

it('rejects inputs that do not fit', () => {
  const f32 = (...shape: number[]) => ({ dtype: 'f32', shape }) as const;
  expect(() => ssruOp.shape({ x: f32(2, 3, 7), bias: f32(3) }, {})).toThrow(
    errorAbout({ area: 'ssru', values: ['[2,3,7]'] }),
  );
  expect(() => ssruOp.shape({ x: f32(2, 3, 8), bias: f32(3) }, {})).toThrow(
    errorAbout({ area: 'ssru', values: ['bias', 'f32'] }),
  );
});
