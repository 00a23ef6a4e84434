// linear and linear_backward against their references.
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../../../src/core/tensor.ts';
import { checkOp as checkOpOn } from '../../../../src/engine/check-op.ts';
import { openDevice } from '../../../../src/engine/gpu/device.ts';
import type { Activation } from '../../../../src/engine/ops/elementwise/elementwise-ops.ts';
import { linearOp } from '../../../../src/engine/ops/matmul/linear.ts';
import { linearBackwardOp } from '../../../../src/engine/ops/matmul/linear-backward.ts';
import { withEmulation } from '../../../support/emulated-matrix.ts';
import { everyCase, fewerInChrome, gpuHost, sample, testGpu } from '../../../support/gpu.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

// Float32 sums of K products differ from float64 by about sqrt(K) roundings of 6e-8 each, and Φ is within
// 1.5e-7.
const tolerance = 5e-6;
const all: Activation[] = ['none', 'relu', 'gelu', 'silu', 'gelu-tanh', 'quick-gelu'];
/** The kernels of each compile for seconds; the functions themselves are tested as ops. */
const activations = sample(all, (name) => ['none', 'gelu'].includes(name));

/** x, w and b of a layer. */
const layer = (x: Shape, outs: number, bias = true, scale = 1) => ({
  x: randomTensor(x, 1, scale),
  w: randomTensor([outs, x.at(-1) as number], 2),
  b: bias ? randomTensor([outs], 3) : undefined,
});

describe.each(activations)('linear, %s', (activation) => {
  const sizes: [Shape, number][] = [
    [[2, 9, 12], 20],
    [[7, 13], 33],
  ];
  it.each(fewerInChrome(sizes, ([, outs]) => outs === 33))(
    'has output and gradients of its reference for x %j and %i outputs, by every kernel',
    async (x, outs) => {
      const c = { inputs: layer(x, outs), attrs: { activation }, wrt: ['x', 'w', 'b'] as const, tolerance };
      await checkOp(linearOp, c);
    },
  );
});

const dropped: [Activation, number][] = [
  ['none', 20],
  ['relu', 33],
  ['gelu', 20],
];
it.each(everyCase ? dropped : dropped.slice(2))(
  'applies dropout after %s like the reference, and to its gradient, %i wide',
  async (activation, outs) => {
    const attrs = { activation, rate: 0.3, site: 5 };
    await checkOp(linearOp, {
      inputs: { ...layer([2, 9, 12], outs), step: 'step' },
      attrs,
      wrt: ['x', 'w', 'b'],
      tolerance,
    });
  },
);

/** CPU adapters do not split K untuned. */
const splits = gpuHost === 'Dawn' || everyCase;

it.runIf(splits)('applies dropout with split K, and without a bias', async () => {
  const attrs = { activation: 'gelu', rate: 0.3, site: 5 } as const;
  const inputs = { ...layer([40, 520], 36, false), step: 'step' as const };
  const worst = await checkOp(linearOp, { inputs, attrs, tolerance }, { everyKernel: true });
  expect(Object.keys(worst).some((name) => name.includes('split'))).toBe(true);
});

const unbiased: [Shape, number][] = [
  [[1, 1], 1],
  [[33, 64], 65],
  [[40, 520], 36],
];
it.each(fewerInChrome(unbiased, ([, outs]) => outs === 36))(
  'multiplies x %j to %i outputs without a bias',
  async (x, outs) => {
    const inputs = layer(x, outs, false);
    await checkOp(linearOp, { inputs, attrs: { activation: 'none' }, wrt: ['x', 'w'], tolerance });
  },
);

if (everyCase)
  it.each([1e-3, 30])('keeps its accuracy at scale %d through every activation', async (scale) => {
    for (const activation of activations)
      await checkOp(linearOp, { inputs: layer([9, 16], 8, true, scale), attrs: { activation }, tolerance });
  });

describe('linear_backward', () => {
  const rows = 19;
  const inputs = (ins: number, outs: number) => ({
    dy: randomTensor([rows, outs], 1),
    x: randomTensor([rows, ins], 2),
    w: randomTensor([outs, ins], 3),
  });

  it('computes only dx, dw or db, or the latter two', async () => {
    for (const wants of ['dx', 'dw', 'db', 'dw db']) {
      const [dx, dw, db] = ['dx', 'dw', 'db'].map((name) => wants.includes(name)) as [
        boolean,
        boolean,
        boolean,
      ];
      await checkOp(linearBackwardOp, {
        inputs: inputs(24, 20),
        attrs: { dx, dw, db, epilogue: 'none' },
        tolerance,
      });
    }
  });

  const epilogues = [
    ['add', 24],
    ['add', 21],
    ['relu', 24],
    ['gelu', 21],
    ['silu', 24],
    ['gelu-tanh', 24],
  ] as const;
  it.each(fewerInChrome(epilogues, ([name, ins]) => name === 'add' && ins === 21))(
    'applies the epilogue %s to dx, %i wide',
    async (epilogue, ins) => {
      const attrs = { dx: true, dw: true, db: true, epilogue };
      const all = { ...inputs(ins, 20), operand: randomTensor([rows, ins], 4) };
      await checkOp(linearBackwardOp, { inputs: all, attrs, tolerance });
    },
  );

  const withDropout = [
    ['none', 24],
    ['add', 21],
    ['relu', 24],
    ['gelu', 21],
  ] as const;
  it.each(fewerInChrome(withDropout, ([name]) => name === 'gelu'))(
    'applies dropout to dx with the epilogue %s, %i wide',
    async (epilogue, ins) => {
      const attrs = { dx: true, dw: true, db: true, epilogue, rate: 0.3, site: 5 };
      const tensors = {
        ...inputs(ins, 20),
        operand: epilogue === 'none' ? undefined : randomTensor([rows, ins], 4),
      };
      await checkOp(linearBackwardOp, { inputs: { ...tensors, step: 'step' }, attrs, tolerance });
    },
  );

  if (gpuHost === 'Dawn')
    it('computes gradients by subgroup matrices, here emulated (needs 32 KiB of workgroup memory)', async ({
      skip,
    }) => {
      const device = await openDevice(await testGpu());
      const fits = device.traits.maxWorkgroupBytes >= 32768;
      if (!fits) device.destroy();
      skip(!fits, 'workgroups have less memory');
      const matrices = [{ operands: 'f32', m: 16, n: 16, k: 32, lanes: 32 }] as const;
      const all = { ...inputs(70, 34), operand: randomTensor([rows, 70], 4), step: 'step' as const };
      const attrs = { dx: true, dw: true, db: true, epilogue: 'gelu', rate: 0.3, site: 5 } as const;
      const c = { inputs: all, attrs, tolerance, traits: { matrices }, variant: 'matrix-64x64' };
      await checkOpOn(device, withEmulation(linearBackwardOp), c).finally(() => device.destroy());
    });

  it.runIf(splits)('splits K if there are few tiles', async () => {
    const long = {
      dy: randomTensor([530, 20], 1),
      x: randomTensor([530, 12], 2),
      w: randomTensor([20, 12], 3),
    };
    const attrs = { dx: true, dw: true, db: true, epilogue: 'none' } as const;
    const c = { inputs: long, attrs, tolerance };
    const worst = await checkOp(linearBackwardOp, c, { everyKernel: true });
    const dropped = { ...attrs, rate: 0.3, site: 5 };
    await checkOp(linearBackwardOp, { inputs: { ...long, step: 'step' }, attrs: dropped, tolerance });
    expect(Object.keys(worst).some((name) => name.includes('split'))).toBe(true);
  });
});

describe('rows that are padded to whole vectors', () => {
  const sizes: [Shape, number][] = [
    [[7, 13], 33],
    [[2, 20], 31],
    [[40, 520], 35],
  ];
  it.each(fewerInChrome(sizes, ([, outs]) => outs !== 31))(
    'end with zeros for x %j and %i outputs, by every kernel',
    async (x, outs) => {
      const attrs = { activation: 'none', padded: true } as const;
      const c = { inputs: layer(x, outs), attrs, tolerance };
      const worst = await checkOp(linearOp, c, { everyKernel: true });
      if (x[1] === 520) expect(Object.keys(worst).some((name) => name.includes('split'))).toBe(true);
    },
  );

  const gradients: [number, number, number][] = [
    [19, 24, 21],
    [70, 9, 3],
    [530, 12, 18],
  ];
  it.each(fewerInChrome(gradients, ([rows]) => rows === 530))(
    'are read as gradients of [%i, %i] to %i outputs, by every kernel',
    async (rows, ins, outs) => {
      const width = 4 * Math.ceil(outs / 4);
      const dy = randomTensor([rows, width], 1);
      for (let i = 0; i < dy.data.length; i++) if (i % width >= outs) dy.data[i] = 0;
      const inputs = { dy, x: randomTensor([rows, ins], 2), w: randomTensor([outs, ins], 3) };
      await checkOp(linearBackwardOp, {
        inputs,
        attrs: { dx: true, dw: true, db: true, epilogue: 'none' },
        tolerance,
      });
    },
  );
});
