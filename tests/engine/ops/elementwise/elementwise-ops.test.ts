// add, dropout and the activations on the CPU: gradients compared with finite differences, values by hand,
// errors.

import { describe, expect, it } from 'vitest';
import { f32 } from '../../../../src/core/tensor.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { erf } from '../../../../src/engine/ops/elementwise/activation-references.ts';
import { dropoutMask } from '../../../../src/engine/ops/elementwise/dropout-reference.ts';
import {
  activationOp,
  addOp,
  dropout,
  dropoutOp,
} from '../../../../src/engine/ops/elementwise/elementwise-ops.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkGradient, integers, randomTensor } from '../../../support/op.ts';

describe('gradients', () => {
  it('of add are the gradient of the sum', () => {
    checkGradient(addOp, {
      inputs: { a: randomTensor([3, 4], 1), b: randomTensor([3, 4], 2) },
      attrs: {},
      wrt: ['a', 'b'],
    });
  });

  it('of dropout pass through the kept elements', () => {
    checkGradient(dropoutOp, {
      inputs: { x: randomTensor([50], 1), step: 'step' },
      attrs: { rate: 0.4, site: 3 },
      wrt: ['x'],
    });
  });

  for (const kind of ['none', 'relu', 'gelu', 'silu', 'gelu-tanh', 'quick-gelu'] as const)
    it(`of ${kind} are its derivative`, () => {
      checkGradient(activationOp, { inputs: { x: randomTensor([60], 1, 2) }, attrs: { kind }, wrt: ['x'] });
    });
});

describe('dropout', () => {
  it('drops elements at the rate and keeps the expected value', () => {
    const n = 200_000;
    for (const rate of [0.1, 0.5, 0.9]) {
      const factor = dropoutMask({ seed: 1, step: 2 }, 3, rate);
      let sum = 0;
      let dropped = 0;
      for (let i = 0; i < n; i++) {
        sum += factor(i);
        if (factor(i) === 0) dropped++;
      }
      // Five standard deviations of a mean of n factors.
      expect(Math.abs(dropped / n - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / n));
      expect(Math.abs(sum / n - 1)).toBeLessThan(5 * Math.sqrt(rate / (1 - rate) / n));
    }
  });

  it('gives other masks at another step, site or seed', () => {
    const mask = (seed: number, step: number, site: number) =>
      Array.from({ length: 64 }, (_, i) => dropoutMask({ seed, step }, site, 0.5)(i)).join();
    expect(new Set([mask(1, 1, 1), mask(2, 1, 1), mask(1, 2, 1), mask(1, 1, 2)]).size).toBe(4);
    expect(mask(1, 1, 1)).toBe(mask(1, 1, 1));
  });

  it('of rate 0 adds no node', () => {
    const graph = new Graph();
    const x = graph.input('x', 'f32', [4]);
    expect(dropout(graph, x, graph.input('step', 'u32', [8]), { rate: 0, site: 0 })).toBe(x);
    expect(graph.nodes).toHaveLength(0);
  });
});

describe('errors', () => {
  it('name the op and both sides', () => {
    const shape = (a: number[], b: number[]) => () => addOp.shape({ a: f32(a, []), b: f32(b, []) }, {});
    expect(shape([2, 3], [3, 2])).toThrow(errorAbout({ area: 'add', values: ['[2,3]', '[3,2]'] }));
    expect(() => addOp.shape({ a: integers('i32', [1], [1]), b: f32([1], [1]) }, {})).toThrow(
      errorAbout({ area: 'add', values: ['a', 'i32', '[1]', 'f32'] }),
    );
    expect(() => dropoutOp.shape({ x: f32([1], [1]), step: f32([8], []) }, { rate: 0.5, site: 0 })).toThrow(
      errorAbout({ area: 'dropout', values: ['step', 'f32', '[8]', 'u32'] }),
    );
    expect(() =>
      dropoutOp.shape({ x: f32([1], [1]), step: integers('u32', [8], []) }, { rate: 1.5, site: 0 }),
    ).toThrow(errorAbout({ area: 'dropout', values: [1.5] }));
  });
});

describe('erf', () => {
  it('has its published values', () => {
    // Abramowitz and Stegun, table 7.1, ten digits.
    for (const [x, want] of [
      [0, 0],
      [0.1, 0.112462916],
      [0.5, 0.5204998778],
      [1, 0.8427007929],
      [2, 0.995322265],
    ] as const) {
      expect(Math.abs(erf(x) - want)).toBeLessThan(1e-10);
      expect(erf(-x) + erf(x)).toBe(0);
    }
  });
});
