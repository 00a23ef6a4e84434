// Layer norm on the CPU: gradients compared with finite differences, values by hand, errors.

import { describe, expect, it } from 'vitest';
import { f32 } from '../../../../src/core/tensor.ts';
import { referenceOf } from '../../../../src/engine/cpu/executor.ts';
import { addLayerNormOp, layerNormOp } from '../../../../src/engine/ops/norm/layer-norm.ts';
import { layerNormBackwardOp, rowsPerBlock } from '../../../../src/engine/ops/norm/layer-norm-backward.ts';
import { ReferenceTensor } from '../../../../src/engine/ops/reference-tensor.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkGradient, randomTensor } from '../../../support/op.ts';

const [x, residual, gamma, beta] = [[3, 7], [3, 7], [7], [7]].map((shape, i) =>
  randomTensor(shape, i + 1),
) as [
  ReturnType<typeof randomTensor>,
  ReturnType<typeof randomTensor>,
  ReturnType<typeof randomTensor>,
  ReturnType<typeof randomTensor>,
];

describe('gradients', () => {
  it('of layer norm are right for x, gamma and beta', () => {
    checkGradient(layerNormOp, {
      inputs: { x, gamma, beta },
      attrs: { eps: 1e-5 },
      wrt: ['x', 'gamma', 'beta'],
    });
  });

  it('of more rows than a block are right', () => {
    const inputs = { x: randomTensor([35, 4], 9), gamma: randomTensor([4], 10), beta: randomTensor([4], 11) };
    checkGradient(layerNormOp, { inputs, attrs: { eps: 1e-3 }, wrt: ['gamma', 'beta'] });
  });

  for (const rate of [0, 0.3])
    for (const through of [['y'], ['s'], ['y', 's']] as const)
      it(`of the fused form are right through outputs ${through.join()}, dropout ${rate}`, () => {
        const inputs = { x, residual, gamma, beta, step: rate > 0 ? ('step' as const) : undefined };
        const addends = ['x', 'residual'] as const;
        const wrt = through[0] === 's' ? addends : ([...addends, 'gamma', 'beta'] as const);
        checkGradient(addLayerNormOp, { inputs, attrs: { eps: 1e-5, rate, site: 2 }, wrt, through });
      });
});

describe('values', () => {
  it('of a small row are those computed by hand', () => {
    const tensor = (...values: number[]) =>
      new ReferenceTensor([1, values.length], Float64Array.from(values));
    const [y, stats] = [new ReferenceTensor([1, 4]), new ReferenceTensor([1, 2])];
    const inputs = { x: tensor(1, 2, 3, 6), gamma: tensor(1, 1, 2, 1), beta: tensor(0, 1, 0, 0) };
    referenceOf(layerNormOp)?.(inputs, { y, stats }, { eps: 0.25 });
    // Mean 3, variance (4 + 1 + 0 + 9) / 4 = 3.5, with eps 3.75.
    const rstd = 1 / Math.sqrt(3.75);
    expect(Array.from(stats.data)).toEqual([3, rstd]);
    expect(Array.from(y.data)).toEqual([-2 * rstd, -1 * rstd + 1, 0, 3 * rstd]);
  });

  it('of rowsPerBlock make at most 128 blocks until a block has 64 rows', () => {
    expect([1, 2048, 2049, 4096, 4097, 8192, 100_000].map(rowsPerBlock)).toEqual([
      16, 16, 32, 32, 64, 64, 64,
    ]);
  });
});

describe('errors', () => {
  it('name both sides', () => {
    expect(() => layerNormOp.shape({ x, gamma: f32([6], []), beta }, { eps: 1e-5 })).toThrow(
      errorAbout({ area: 'layer_norm', values: ['gamma', 'f32', '[6]'] }),
    );
    expect(() =>
      addLayerNormOp.shape({ x, residual: f32([7, 3], []), gamma, beta }, { eps: 1e-5, rate: 0, site: 0 }),
    ).toThrow(errorAbout({ area: 'add_layer_norm', values: ['x [3,7] + residual [7,3]'] }));
    expect(() =>
      layerNormBackwardOp.shape({ dy: x, s: x, stats: f32([4, 2], []), gamma }, { rate: 0, site: 0 }),
    ).toThrow(errorAbout({ area: 'layer_norm_backward', values: ['stats', 'f32', '[4,2]'] }));
  });
});
