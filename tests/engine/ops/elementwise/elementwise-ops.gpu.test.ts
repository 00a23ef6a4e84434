// add, dropout and the activations on the GPU.

import { describe, expect, it } from 'vitest';
import { f32, type Shape, sizeOf } from '../../../../src/core/tensor.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { activationBackwardOp } from '../../../../src/engine/ops/elementwise/activation-backward.ts';
import {
  type Activation,
  activation,
  activationOp,
  addOp,
  dropoutOp,
  logMeanOp,
} from '../../../../src/engine/ops/elementwise/elementwise-ops.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkInPlace } from '../../../support/in-place.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

const sizes: Shape[] = [[1], [255], [256], [257], [3, 5, 19], [1025], [2, 131, 64]];
const scales = [1e-3, 1, 30];

// One rounding of a float32 sum or product: 2^-24, doubled by flushed low bits.
const exact = 1.2e-7;

describe('add', () => {
  for (const shape of sizes)
    it(`adds ${shape.join('x')} and passes the gradient on`, async () => {
      for (const scale of scales)
        await checkOp(addOp, {
          inputs: { a: randomTensor(shape, 1, scale), b: randomTensor(shape, 2, scale) },
          attrs: {},
          wrt: ['a', 'b'],
          tolerance: exact,
        });
    });
});

describe('dropout', () => {
  for (const shape of sizes)
    it(`drops ${shape.join('x')} as the reference does, forward and backward`, async () => {
      for (const rate of [0, 0.1, 0.5, 1])
        await checkOp(dropoutOp, {
          inputs: { x: randomTensor(shape, 3), step: 'step' },
          attrs: { rate, site: 5 },
          step: { seed: 0xdeadbeef, step: 70_000 },
          wrt: ['x'],
          tolerance: exact,
        });
    });
});

describe('log of a mean', () => {
  for (const shape of sizes)
    it(`of ${shape.join('x')} probabilities, also of tiny ones`, async () => {
      const x = randomTensor(shape, 7);
      for (let i = 0; i < x.data.length; i++)
        x.data[i] = i % 9 === 4 ? 0 : Math.exp(-20 * Math.abs(x.data[i] as number));
      for (const count of [1, 2, 3])
        await checkOp(logMeanOp, { inputs: { x }, attrs: { count }, wrt: [], tolerance: 1e-6 });
      await checkInPlace(logMeanOp, { inputs: { x }, attrs: { count: 2 }, tolerance: 1e-6 });
    });
});

describe('activation', () => {
  it('rejects an unknown kind', () => {
    const g = new Graph();
    expect(() => activation(g, g.input('x', 'f32', [4]), 'rleu' as Activation)).toThrow(
      errorAbout({ area: 'activation', values: ['rleu'] }),
    );
  });

  const kinds: Activation[] = ['relu', 'gelu', 'silu', 'gelu-tanh', 'quick-gelu'];
  for (const kind of kinds)
    for (const shape of sizes)
      it(`${kind} of ${shape.join('x')} and its gradient`, async () => {
        // The erf approximation has an error of 1.4e-7, exp of 3 + 2|x| ULP; SiLU near 0 adds a few
        // roundings. Errors are relative to the largest element. A lone element in the tail would fail at
        // scale 30.
        for (const scale of sizeOf(shape) > 1 ? scales : [1e-3, 1])
          await checkOp(activationOp, {
            inputs: { x: randomTensor(shape, 4, scale) },
            attrs: { kind },
            wrt: ['x'],
            tolerance: 1e-6,
            gradTolerance: kind === 'gelu-tanh' ? 2e-6 : 1e-6, // its argument is a cubic
          });
      });

  it('stays finite for large inputs', async () => {
    const x = f32([8], [-3e38, -1e5, -89, -20, 20, 89, 1e5, 3e38]);
    for (const kind of kinds) {
      const errors = await checkOp(activationOp, {
        inputs: { x },
        attrs: { kind },
        wrt: ['x'],
        tolerance: 1e-6,
      });
      expect(Object.values(errors).every(Number.isFinite)).toBe(true);
    }
  });
});

describe('in place', () => {
  for (const shape of sizes)
    it(`the elementwise ops on ${shape.join('x')} give the same`, async () => {
      const [a, b] = [randomTensor(shape, 1), randomTensor(shape, 2)];
      await checkInPlace(addOp, { inputs: { a, b }, attrs: {}, tolerance: exact });
      await checkInPlace(dropoutOp, {
        inputs: { x: a, step: 'step' },
        attrs: { rate: 0.3, site: 2 },
        tolerance: exact,
      });
      // As for the activations above.
      await checkInPlace(activationOp, { inputs: { x: a }, attrs: { kind: 'gelu' }, tolerance: 1e-6 });
      await checkInPlace(activationBackwardOp, {
        inputs: { x: a, dy: b },
        attrs: { kind: 'silu' },
        tolerance: 1e-6,
      });
    });
});
