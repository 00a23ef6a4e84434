// Reverse-mode differentiation, on ops with known derivatives.

import { describe, expect, it } from 'vitest';
import { createCpuExecutor } from '../../../src/engine/cpu/executor.ts';
import { gradients } from '../../../src/engine/graph/gradient.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { add } from '../../../src/engine/ops/elementwise/elementwise-ops.ts';
import { defineOp, type Value } from '../../../src/engine/ops/op.ts';
import { errorNaming } from '../../support/expect-error.ts';
import { dot, fork, plus, scale, times } from '../../support/toys.ts';

/** A graph with the loss Σ w·f(x, y) for x = [1, 2, 3], y = [5, 7, 11], w = [1, 10, 100]. */
function setUp(f: (g: Graph, x: Value, y: Value) => Value) {
  const graph = new Graph();
  const [x, y, w] = ['x', 'y', 'w'].map((name) => graph.input(name, 'f32', [3])) as [Value, Value, Value];
  const loss = dot(graph, f(graph, x, y), w);
  const run = (values: readonly (Value | undefined)[]) => {
    for (const [i, v] of values.entries()) if (v) graph.output(`${i}`, v);
    const out = createCpuExecutor(graph).run({ x: [1, 2, 3], y: [5, 7, 11], w: [1, 10, 100] });
    return values.map((v, i) => v && Array.from(out[`${i}`] ?? []));
  };
  return { graph, x, y, w, loss, run };
}

describe('gradients', () => {
  it('sums over all uses of a value', () => {
    const { graph, x, loss, run } = setUp((g, a) => add(g, times(g, a, a), a)); // d(x² + x) = 2x + 1
    expect(run(gradients(graph, loss, [x]))).toEqual([[3, 50, 700]]);
  });

  it('sums if one op reads a value twice', () => {
    const { graph, x, loss, run } = setUp((g, a) => add(g, a, a));
    expect(run(gradients(graph, loss, [x]))).toEqual([[2, 20, 200]]);
  });

  it('gives undefined for a value that the loss does not depend on', () => {
    const { graph, x, y, loss, run } = setUp((g, a, b) => {
      times(g, b, b);
      return scale(g, a, 3);
    });
    expect(run(gradients(graph, loss, [y, x]))).toEqual([undefined, [3, 30, 300]]);
  });

  it('gives the gradient of a result as of an input', () => {
    let middle: Value | undefined;
    const { graph, x, loss, run } = setUp((g, a) => {
      middle = scale(g, a, 3);
      return scale(g, middle, 5);
    });
    expect(run(gradients(graph, loss, [middle!, x]))).toEqual([
      [5, 50, 500],
      [15, 150, 1500],
    ]);
  });

  it('passes an op with several outputs the gradients of those that are used', () => {
    const one = setUp((g, a) => fork(g, a).triple);
    expect(one.run(gradients(one.graph, one.loss, [one.x]))).toEqual([[3, 30, 300]]);
    const both = setUp((g, a) => {
      const { double, triple } = fork(g, a);
      return times(g, double, triple); // 6x²
    });
    expect(both.run(gradients(both.graph, both.loss, [both.x]))).toEqual([[12, 240, 3600]]);
  });

  it('never merges equal nodes of several outputs', () => {
    const { graph, x, loss, run } = setUp((g, a) => {
      return times(g, fork(g, a).double, fork(g, a).triple);
    });
    expect(graph.nodes.filter((n) => n.op.name === 'fork')).toHaveLength(2);
    expect(run(gradients(graph, loss, [x]))).toEqual([[12, 240, 3600]]);
  });

  it('adds no nodes for branches that are not differentiated', () => {
    const { graph, x, loss } = setUp((g, a, b) => times(g, scale(g, a, 2), scale(g, scale(g, b, 2), 2)));
    const forward = graph.nodes.length;
    gradients(graph, loss, [x]);
    // times gives gradients for both factors, but only the first one's way is walked on.
    expect(graph.nodes.slice(forward).map((n) => n.op.name)).toEqual(['times', 'times', 'scale']);
  });

  it('gives backward nodes the scope of the forward ones', () => {
    const { graph, x, loss } = setUp((g, a) => g.scope('layers.0', () => scale(g, a, 2)));
    const forward = graph.nodes.length;
    gradients(graph, loss, [x]);
    expect(graph.nodes.slice(forward).map((n) => n.scope)).toEqual(['layers.0']);
  });

  it('ignores nodes after the loss', () => {
    const { graph, x, loss, run } = setUp((g, a) => scale(g, a, 2));
    scale(graph, loss, 9);
    expect(run(gradients(graph, loss, [x]))).toEqual([[2, 20, 200]]);
  });

  it('names the op without a gradient if one is needed, and only then', () => {
    const hard = setUp((g, a, b) => plus(g, a, b));
    expect(() => gradients(hard.graph, hard.loss, [hard.x])).toThrow(errorNaming('plus'));
    const easy = setUp((g, a, b) => add(g, a, plus(g, b, b)));
    expect(easy.run(gradients(easy.graph, easy.loss, [easy.x]))).toEqual([[1, 10, 100]]);
  });

  it('does not call the grad of an op whose outputs the loss does not depend on', () => {
    const shy = defineOp({
      name: 'shy',
      inputs: ['x'],
      outputs: ['y'],
      shape: ({ x }) => ({ y: x }),
      launch: () => [],
      grad() {
        throw new Error('asked');
      },
      reference() {},
    });
    const { graph, x, loss, run } = setUp((g, a) => {
      g.apply(shy, { x: a });
      return scale(g, a, 2);
    });
    expect(run(gradients(graph, loss, [x]))).toEqual([[2, 20, 200]]);
  });
});
