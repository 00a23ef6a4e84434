// Shapes, kernel choice and activations of linear layers, without a GPU.
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../../../src/core/tensor.ts';
import { storeAsF16 } from '../../../../src/engine/graph/f16-storage.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { defaultTraits } from '../../../../src/engine/ops/device-traits.ts';
import {
  activate,
  activationDerivative,
  erf,
} from '../../../../src/engine/ops/elementwise/activation-references.ts';
import { type LinearAttrs, linear, linearOp } from '../../../../src/engine/ops/matmul/linear.ts';
import { linearBackwardOp } from '../../../../src/engine/ops/matmul/linear-backward.ts';
import { makePlan } from '../../../../src/engine/plan/planner.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkGradient, randomTensor } from '../../../support/op.ts';

const apply = (shapes: Record<'x' | 'w', Shape> & { b?: Shape }, attrs: LinearAttrs) => {
  const graph = new Graph();
  const [x, w] = [graph.input('x', 'f32', shapes.x), graph.input('w', 'f32', shapes.w)];
  return graph.apply(linearOp, { x, w, b: shapes.b && graph.input('b', 'f32', shapes.b) }, attrs);
};

describe('linear', () => {
  it('stores the input of GELU and SiLU for their gradient, and none for the others', () => {
    const shapes = { x: [2, 3, 4], w: [5, 4], b: [5] };
    const gelu = apply(shapes, { activation: 'gelu' });
    expect([gelu.y.shape, gelu.z?.shape]).toEqual([
      [2, 3, 5],
      [2, 3, 5],
    ]);
    const relu = apply(shapes, { activation: 'relu' });
    expect([relu.y.shape, relu.z]).toEqual([[2, 3, 5], undefined]);
  });

  it.each([1, 3, 8, 16])('guesses a kernel for %i rows that reads the weights once', (rows) => {
    const graph = new Graph();
    linear(graph, graph.input('x', 'f32', [rows, 512]), graph.input('w', 'f32', [8000, 512]));
    const [pass] = makePlan(graph).passes;
    expect([pass?.variant, pass?.grid]).toEqual([expect.stringMatching(/^dots-/), [500, 1, 1]]);
  });

  it('stages tiles as f16 if both operands are stored so', () => {
    const shaderOf = (f16: readonly ('x' | 'w')[]) => {
      const graph = new Graph();
      const inputs = { x: graph.input('x', 'f32', [64, 512]), w: graph.input('w', 'f32', [512, 512]) };
      linear(graph, inputs.x, inputs.w);
      storeAsF16(
        graph,
        f16.map((name) => inputs[name]),
      );
      return makePlan(graph, { traits: { ...defaultTraits, f16: true } }).passes[0]?.shader;
    };
    expect(shaderOf(['x', 'w'])).toBe('matmul-tiled-f16');
    expect(shaderOf(['w'])).toBe('matmul-tiled');
  });

  it('rejects shapes that do not fit and names both sides', () => {
    const attrs = { activation: 'none' } as const;
    expect(() => apply({ x: [2, 3], w: [5, 4], b: [5] }, attrs)).toThrow(
      errorAbout({ area: 'linear', values: ['[2,3]', '[5,4]'] }),
    );
    expect(() => apply({ x: [2, 4], w: [5, 4], b: [4] }, attrs)).toThrow(
      errorAbout({ area: 'linear', values: ['b', 'f32', '[4]'] }),
    );
  });

  it.each(['none', 'relu', 'gelu', 'silu', 'gelu-tanh', 'quick-gelu'] as const)(
    'its gradient matches finite differences with %s',
    (activation) => {
      const inputs = { x: randomTensor([2, 3, 4], 1), w: randomTensor([5, 4], 2), b: randomTensor([5], 3) };
      checkGradient(linearOp, { inputs, attrs: { activation }, wrt: ['x', 'w', 'b'] });
      const attrs = { activation, rate: 0.4, site: 2 };
      checkGradient(linearOp, { inputs: { ...inputs, step: 'step' }, attrs, wrt: ['x', 'w', 'b'] });
    },
  );
});

it('linear_backward rejects shapes that do not fit', () => {
  const graph = new Graph();
  const inputs = {
    dy: graph.input('dy', 'f32', [6, 5]),
    x: graph.input('x', 'f32', [6, 4]),
    w: graph.input('w', 'f32', [4, 5]),
  };
  const attrs = { dx: true, dw: true, db: true, epilogue: 'none' } as const;
  expect(() => graph.apply(linearBackwardOp, inputs, attrs)).toThrow(
    errorAbout({ area: 'linear_backward', values: ['[6,5]', '[6,4]', '[4,5]'] }),
  );
});

describe('activations', () => {
  it('has the tabulated values of the error function', () => {
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
    expect(activationDerivative(0, 'relu')).toBe(0);
    expect(activate(1, 'gelu')).toBeCloseTo(0.8413447461, 9);
    expect(activate(1, 'silu')).toBeCloseTo(0.7310585786, 9);
  });
});
