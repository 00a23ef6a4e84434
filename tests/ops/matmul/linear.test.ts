import { describe, expect, it } from 'vitest';
import type { Shape } from '../../../src/core/tensor.ts';
import { Graph } from '../../../src/graph/graph.ts';
import { activate, activationSlope, erf } from '../../../src/ops/elementwise/activation-functions.ts';
import { type LinearAttrs, linearOp } from '../../../src/ops/matmul/linear.ts';
import { linearBackwardOp } from '../../../src/ops/matmul/linear-backward.ts';
import { checkGradient, randomTensor } from '../../support/op.ts';

const apply = (shapes: Shape[], attrs: LinearAttrs) => {
  const graph = new Graph();
  const inputs = shapes.map((shape, i) => graph.input(`in${i}`, 'f32', shape));
  return graph.apply(linearOp, inputs, attrs).map((v) => v.shape);
};

describe('linear', () => {
  it('keeps what GELU and SiLU are taken of, and nothing for the others', () => {
    const shapes = [[2, 3, 4], [5, 4], [5]];
    expect(apply(shapes, { activation: 'gelu', bias: true })).toEqual([
      [2, 3, 5],
      [2, 3, 5],
    ]);
    expect(apply(shapes, { activation: 'relu', bias: true })).toEqual([[2, 3, 5]]);
  });

  it('refuses what does not fit, with both sides', () => {
    const attrs = { activation: 'none', bias: true } as const;
    expect(() => apply([[2, 3], [5, 4], [5]], attrs)).toThrow('linear: inner sizes differ, x [2,3] · w [5,4]ᵀ');
    expect(() => apply([[2, 4], [5, 4], [4]], attrs)).toThrow('linear: b is f32 [4], must be f32 [5]');
    expect(() =>
      apply(
        [
          [2, 4],
          [5, 4],
        ],
        attrs,
      ),
    ).toThrow('linear: input 2, b, is missing');
  });

  it.each(['none', 'relu', 'gelu', 'silu'] as const)('has the gradient of its reference with %s', (activation) => {
    const inputs = [randomTensor([2, 3, 4], 1), randomTensor([5, 4], 2), randomTensor([5], 3)];
    checkGradient(linearOp, { inputs, attrs: { activation, bias: true }, wrt: [0, 1, 2] });
    const attrs = { activation, bias: true, rate: 0.4, site: 2 };
    checkGradient(linearOp, { inputs: [...inputs, 'step'], attrs, wrt: [0, 1, 2] });
  });
});

it('linear_backward refuses what does not fit', () => {
  const graph = new Graph();
  const inputs = [
    [6, 5],
    [6, 4],
    [4, 5],
  ].map((shape, i) => graph.input(`in${i}`, 'f32', shape));
  const attrs = { dx: true, dw: true, db: true, extra: 'none' } as const;
  expect(() => graph.apply(linearBackwardOp, inputs, attrs)).toThrow('dy [6,5], x [6,4] and w [4,5] do not fit');
});

describe('activations', () => {
  it('has the error function of the tables', () => {
    // Abramowitz and Stegun, table 7.1.
    const known = [
      [0, 0],
      [0.5, 0.5204998778],
      [1, 0.8427007929],
      [-2, -0.995322265],
      [7, 1],
    ];
    for (const [x, y] of known) expect(erf(x as number)).toBeCloseTo(y as number, 9);
  });

  it('has the values of PyTorch', () => {
    expect(activate(-1, 'relu')).toBe(0);
    expect(activationSlope(0, 'relu')).toBe(0);
    expect(activate(1, 'gelu')).toBeCloseTo(0.8413447461, 9);
    expect(activate(1, 'silu')).toBeCloseTo(0.7310585786, 9);
  });
});
