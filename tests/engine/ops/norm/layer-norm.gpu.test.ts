// Layer norm, by itself and with the residual connection, forward and backward on the GPU.

import { describe, it } from 'vitest';
import { f32, type Shape } from '../../../../src/core/tensor.ts';
import { columnSumOp } from '../../../../src/engine/ops/elementwise/column-sum.ts';
import { addLayerNormOp, layerNormOp } from '../../../../src/engine/ops/norm/layer-norm.ts';
import { layerNormBackwardOp } from '../../../../src/engine/ops/norm/layer-norm-backward.ts';
import { everyCase, fewerInChrome, sample } from '../../../support/gpu.ts';
import { checkInPlace } from '../../../support/in-place.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

// Sizes around the 4, 16 and 32 rows of a workgroup and the 16, 32 and 128 threads of a row group; primes;
// widths read as vec4 and others. No width of 2: its gradient is only rounding error.
const allShapes: Shape[] = [
  [1, 3],
  [3, 5],
  [15, 31],
  [1, 4],
  [4, 4, 32],
  [33, 124],
  [15, 132],
  [131, 36],
  [17, 33],
  [2, 33, 127],
  [131, 129],
  [5, 513],
  [2, 1028],
];
/** Each row group with widths read four at a time, and with others. */
const sampled = sample(allShapes, ([rows]) => [2, 3, 4, 5, 33].includes(rows!));
const shapes = fewerInChrome(sampled, ([rows]) => [4, 5].includes(rows!));

// Sums of up to 513 terms in float32, then a product of about six factors.
const tolerance = 4e-6;
// Gradients of gamma sum over up to 131 rows as well.
const gradTolerance = 1e-5;

const affine = (cols: number) => ({
  gamma: f32(
    [cols],
    randomTensor([cols], 8, 0.3).data.map((v) => v + 1),
  ),
  beta: randomTensor([cols], 9),
});

describe('layer_norm', () => {
  for (const shape of shapes)
    it(`normalizes ${shape.join('x')}`, async () => {
      for (const scale of [1e-2, 1, 30])
        await checkOp(layerNormOp, {
          inputs: { x: randomTensor(shape, 1, scale), ...affine(shape.at(-1)!) },
          attrs: { eps: 1e-5 },
          wrt: ['x', 'gamma', 'beta'],
          tolerance,
          gradTolerance,
        });
    });

  it('gives beta for one column and for constant rows', async () => {
    const gamma = f32([1], [2]);
    const beta = f32([1], [0.5]);
    await checkOp(layerNormOp, {
      inputs: { x: f32([3, 1], [1, 2, 3]), gamma, beta },
      attrs: { eps: 1e-5 },
      tolerance,
    });
    await checkOp(layerNormOp, {
      inputs: { x: f32([2, 64], new Float32Array(128).fill(7)), ...affine(64) },
      attrs: { eps: 1e-3 },
      tolerance,
    });
  });

  it('is accurate if the mean is large compared with the deviation', async () => {
    const x = f32(
      [9, 200],
      randomTensor([9, 200], 3).data.map((v) => v + 1000),
    );
    // The mean, near 1000, rounds to 3e-5 of the deviation.
    await checkOp(layerNormOp, { inputs: { x, ...affine(200) }, attrs: { eps: 1e-5 }, tolerance: 1e-4 });
  });

  if (everyCase)
    it('folds a grid of more than 65,535 workgroups', async () => {
      const rows = 4 * 65_535 + 5;
      await checkOp(layerNormOp, {
        inputs: { x: randomTensor([rows, 4], 1), ...affine(4) },
        attrs: { eps: 1e-3 },
        tolerance,
      });
    });

  it('takes more rows than 128 blocks of 16', async () => {
    await checkOp(layerNormOp, {
      inputs: { x: randomTensor([2051, 24], 1), ...affine(24) },
      attrs: { eps: 1e-5 },
      wrt: ['x', 'gamma', 'beta'],
      tolerance,
      gradTolerance,
    });
  });
});

describe('add_layer_norm', () => {
  for (const rate of [0, 0.2])
    for (const shape of shapes)
      it(`adds and normalizes ${shape.join('x')}, dropout ${rate}`, async () => {
        const inputs = {
          x: randomTensor(shape, 1),
          residual: randomTensor(shape, 2),
          ...affine(shape.at(-1)!),
          step: rate > 0 ? ('step' as const) : undefined,
        };
        for (const through of [['y'], ['y', 's']] as const)
          await checkOp(addLayerNormOp, {
            inputs,
            attrs: { eps: 1e-5, rate, site: 3 },
            wrt: ['x', 'residual', 'gamma', 'beta'],
            through,
            tolerance,
            gradTolerance,
          });
      });
});

describe('in place', () => {
  const few: Shape[] = [
    [3, 5],
    [33, 124],
    [131, 129],
  ];
  for (const shape of sample(few, ([rows]) => rows! < 131))
    for (const rate of sample([0, 0.2], (rate) => rate > 0)) {
      const step = rate ? { step: 'step' as const } : {};
      const cols = shape.at(-1)!;
      const [a, b, c] = [randomTensor(shape, 1), randomTensor(shape, 2), randomTensor(shape, 3)];

      it(`the sum of ${shape.join('x')} takes the memory of either addend, dropout ${rate}`, async () => {
        const inputs = { x: a, residual: b, ...affine(cols), ...step };
        await checkInPlace(addLayerNormOp, { inputs, attrs: { eps: 1e-5, rate, site: 3 }, tolerance });
      });

      it(`the gradients of ${shape.join('x')} take the memory of dy and ds, dropout ${rate}`, async () => {
        const rows = shape[0]!;
        const stats = f32(
          [rows, 2],
          Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? 1.1 : 0.05)),
        );
        const { gamma } = affine(cols);
        const attrs = { rate, site: 3 };
        const inputs = { dy: a, s: b, stats, gamma, ...step };
        await checkInPlace(layerNormBackwardOp, {
          inputs: { ...inputs, ds: c },
          attrs,
          tolerance: gradTolerance,
        });
        await checkInPlace(layerNormBackwardOp, { inputs, attrs, tolerance: gradTolerance });
      });
    }
});

describe('column_sum', () => {
  const shapesToSum: Shape[] = [
    [1, 2],
    [63, 64],
    [2, 37, 130],
  ];
  for (const shape of shapesToSum)
    it(`sums the rows of ${shape.join('x')}, whole and in two slices`, async () => {
      for (const slices of [1, 2])
        await checkOp(columnSumOp, {
          inputs: { partials: randomTensor(shape, 1) },
          attrs: { slices },
          tolerance,
        });
    });
});
