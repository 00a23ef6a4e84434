// Products by emulated subgroup matrices: all forms, epilogues and gradients, sizes around the tiles,
// configurations of several shapes.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Shape } from '../../../../src/core/tensor.ts';
import { checkOp } from '../../../../src/engine/check-op.ts';
import { type Device, openDevice } from '../../../../src/engine/gpu/device.ts';
import type { MatrixConfig } from '../../../../src/engine/ops/device-traits.ts';
import { linearOp } from '../../../../src/engine/ops/matmul/linear.ts';
import { linearBackwardOp } from '../../../../src/engine/ops/matmul/linear-backward.ts';
import { matmulOp } from '../../../../src/engine/ops/matmul/matmul.ts';
import { withEmulation } from '../../../support/emulated-matrix.ts';
import { errorNaming } from '../../../support/expect-error.ts';
import { testGpu, watchTests } from '../../../support/gpu.ts';
import { randomTensor } from '../../../support/op.ts';

// A software adapter compiles each kernel for some seconds.
watchTests();

const product = withEmulation(matmulOp);
const layer = withEmulation(linearOp);
const layerBackward = withEmulation(linearBackwardOp);

/** As RDNA 3's, and of other shapes, in more or fewer subgroups. */
const configs: Record<string, MatrixConfig> = {
  'f32 16x16x32': { operands: 'f32', m: 16, n: 16, k: 32, lanes: 32 },
  'f16 16x16x16': { operands: 'f16', m: 16, n: 16, k: 16, lanes: 32 },
  'f16 32x16x32': { operands: 'f16', m: 32, n: 16, k: 32, lanes: 64 },
};

let device: Device;
beforeAll(async () => {
  device = await openDevice(await testGpu());
});
afterAll(() => device?.destroy());

/** Settings of a case for a configuration of matrices. */
const settings = (config: MatrixConfig, variant = 'matrix-64x64') => ({
  traits: { matrices: [config] },
  variant,
  f16: config.operands === 'f16',
  tolerance: 5e-6,
});

/** Whether a configuration needs the feature shader-f16, which the device lacks. */
const needsF16 = ({ operands }: MatrixConfig) => operands === 'f16' && !device.traits.f16;

const forms = {
  NN: { transA: false, transB: false },
  NT: { transA: false, transB: true },
  TN: { transA: true, transB: false },
} as const;

describe.each(Object.entries(forms))('matmul %s by matrices of f32', (form, attrs) => {
  const config = configs['f32 16x16x32'] as MatrixConfig;
  const operands = (m: number, n: number, k: number, before: Shape = []) => ({
    a: randomTensor([...before, ...(form[0] === 'T' ? [k, m] : [m, k])], 1),
    b: randomTensor([...before, ...(form[1] === 'T' ? [n, k] : [k, n])], 2),
  });
  const sizes: [number, number, number][] = [
    [1, 1, 1],
    [65, 68, 60],
    [129, 127, 67],
    [64, 128, 96],
  ];

  it.each(sizes)('multiplies to [%i, %i] over %i', async (m, n, k) => {
    await checkOp(device, product, {
      inputs: operands(m, n, k),
      attrs: { ...attrs, batched: false },
      ...settings(config),
    });
  });

  it('multiplies batches, and slices of K', async () => {
    const batched = { ...attrs, batched: true };
    await checkOp(device, product, {
      inputs: operands(20, 13, 37, [3]),
      attrs: batched,
      ...settings(config),
    });
    const inputs = operands(17, 36, 530);
    await checkOp(device, product, {
      inputs,
      attrs: { ...attrs, batched: false },
      ...settings(config, 'matrix-split'),
    });
  });
});

describe.each(Object.entries(configs))('a linear layer by matrices of %s', (_, config) => {
  const inputs = (rows: number, ins: number, outs: number) => ({
    x: randomTensor([rows, ins], 1),
    w: randomTensor([outs, ins], 2),
    b: randomTensor([outs], 3),
  });

  it.for([
    ['none', 67, 33, 70],
    ['relu', 66, 40, 68],
    ['gelu', 65, 32, 64],
  ] as const)('with the epilogue %s, [%i, %i] to %i', async ([activation, rows, ins, outs], { skip }) => {
    skip(needsF16(config), 'shader-f16 is missing');
    const attrs = { activation, rate: 0.3, site: 5 };
    const all = { ...inputs(rows, ins, outs), step: 'step' as const };
    await checkOp(device, layer, { inputs: all, attrs, ...settings(config) });
  });

  it.for([
    ['none', 35, 21, 34],
    ['add', 67, 68, 36],
    ['gelu', 33, 70, 65],
  ] as const)(
    'and its gradients with the epilogue %s, [%i, %i] to %i',
    async ([epilogue, rows, ins, outs], { skip }) => {
      skip(needsF16(config), 'shader-f16 is missing');
      const { x, w } = inputs(rows, ins, outs);
      const tensors = {
        x,
        w,
        dy: randomTensor([rows, outs], 4),
        operand: epilogue === 'none' ? undefined : randomTensor([rows, ins], 5),
      };
      const attrs = { dx: true, dw: true, db: true, epilogue };
      await checkOp(device, layerBackward, { inputs: tensors, attrs, ...settings(config) });
    },
  );
});

it('computes tiles of 128 a side, and slices of K of all gradients', async ({ skip }) => {
  const config = configs['f16 32x16x32'] as MatrixConfig;
  skip(needsF16(config), 'shader-f16 is missing');
  const operands = { x: randomTensor([130, 68], 1), w: randomTensor([132, 68], 2) };
  const attrs = { activation: 'none' } as const;
  await checkOp(device, layer, { inputs: operands, attrs, ...settings(config, 'matrix-128x128') });
  const long = {
    dy: randomTensor([530, 20], 1),
    x: randomTensor([530, 12], 2),
    w: randomTensor([20, 12], 3),
  };
  const all = { dx: true, dw: true, db: true, epilogue: 'none' } as const;
  await checkOp(device, layerBackward, { inputs: long, attrs: all, ...settings(config, 'matrix-split') });
});

it('notices if matrices were multiplied wrongly', async () => {
  const row = 'a_tile[left.block][m * PITCH + at]';
  const wrong = withEmulation(matmulOp, (source) => source.replace(row, row.replace('m', '(m ^ 1u)')));
  const operands = { a: randomTensor([20, 16], 1), b: randomTensor([16, 20], 2) };
  const attrs = { ...forms.NN, batched: false };
  const config = configs['f32 16x16x32'] as MatrixConfig;
  await expect(checkOp(device, wrong, { inputs: operands, attrs, ...settings(config) })).rejects.toThrow(
    errorNaming('matmul'),
  );
});
