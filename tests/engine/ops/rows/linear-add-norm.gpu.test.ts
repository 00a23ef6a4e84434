// A linear layer with residual and norm on the GPU: both variants, compared with their reference.

import { describe, it } from 'vitest';
import { linearAddNormOp, type NextLayerAttrs } from '../../../../src/engine/ops/rows/linear-add-norm.ts';
import { sample } from '../../../support/gpu.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

const whole = (n: number): number => Math.ceil(n / 64) * 64;

describe('linear_add_norm', () => {
  const cases = [
    { rows: 3, D: 12, inner: 8, rms: false, rate: 0, next: 0 },
    { rows: 17, D: 256, inner: 24, rms: true, rate: 0.25, next: 768 },
    { rows: 40, D: 260, inner: 20, rms: false, rate: 0.1, next: 36 },
    { rows: 16, D: 768, inner: 64, rms: false, rate: 0, next: 0 },
    { rows: 64, D: 512, inner: 2048, rms: false, rate: 0.1, next: 1536 },
  ];
  for (const { rows, D, inner, rms, rate, next } of sample(cases, ({ D }) => D === 12 || D === 260))
    it(`${rows} rows of ${D}, products of ${inner}, next ${next}, dropout ${rate}`, async () => {
      const W = whole(D);
      const after: NextLayerAttrs = {
        nextColumns: next,
        nextAt: whole(D * inner),
        activation: rms ? 'none' : 'relu',
        nextBiasAt: rms ? undefined : 3 * W,
        nextRate: rate,
        nextSite: 4,
      };
      await checkOp(linearAddNormOp, {
        inputs: {
          x: randomTensor([1, rows, inner], 1),
          matrices: randomTensor([whole(D * inner) + D * next], 2, 0.3),
          vectors: randomTensor([3 * W + next], 3),
          residual: randomTensor([1, rows, D], 4),
          step: rate > 0 ? 'step' : undefined,
        },
        attrs: {
          eps: 1e-5,
          rate,
          site: 2,
          at: 0,
          biasAt: rms ? undefined : 0,
          gammaAt: W,
          betaAt: rms ? undefined : 2 * W,
          ...(next > 0 ? after : {}),
        },
        step: { seed: 5, step: 3 },
        // f32 sums of up to 2,048 products.
        tolerance: 2e-5,
      });
    });
});
