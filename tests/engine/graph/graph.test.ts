// Graphs: names, slices of states, scopes, the print, and nodes that replace others.

import { describe, expect, it } from 'vitest';
import { Graph, printGraph } from '../../../src/engine/graph/graph.ts';
import type { Node } from '../../../src/engine/ops/op.ts';
import { errorAbout, errorNaming } from '../../support/expect-error.ts';
import { fork, forkOp, scale, scaleOp, times } from '../../support/toys.ts';

describe('names', () => {
  it('gives the same value for the same name, and a clear error for another shape or type', () => {
    const g = new Graph();
    const x = g.input('x', 'f32', [2, 3]);
    expect(g.input('x', 'f32', [2, 3])).toBe(x);
    expect(() => g.input('x', 'f32', [3, 2])).toThrow(
      errorAbout({ area: 'graph', values: ['input', 'x', '[2,3]', '[3,2]'] }),
    );
    const s = g.state('s', 'i32', [4]);
    expect(g.state('s', 'i32', [4])).toBe(s);
    expect(() => g.state('s', 'f32', [4])).toThrow(
      errorAbout({ area: 'graph', values: ['state', 's', 'i32', '[4]'] }),
    );
  });

  it('keeps inputs and states of one name apart', () => {
    const g = new Graph();
    expect(g.input('x', 'f32', [1])).not.toBe(g.state('x', 'f32', [1]));
  });
});

describe('slices of a state', () => {
  const g = new Graph();
  const parameterBuffer = g.state('parameterBuffer', 'f32', [256]);

  it('start at multiples of 64 elements and end within it', () => {
    expect(g.slice(parameterBuffer, 'w', 192, [8, 8]).at).toEqual({ buffer: parameterBuffer, offset: 192 });
    expect(() => g.slice(parameterBuffer, 'w', 193, [1])).toThrow(
      errorAbout({ area: 'graph', values: ['w', '[1]', 193, 'parameterBuffer'] }),
    );
    expect(() => g.slice(parameterBuffer, 'w', 192, [65])).toThrow(
      errorAbout({ area: 'graph', values: ['w', '[65]', 192, 'parameterBuffer'] }),
    );
  });

  it('hold placed results, but no inputs', () => {
    const x = g.input('x', 'f32', [64]);
    const y = scale(g, x, 2);
    g.place(y, parameterBuffer, 64);
    expect(y.at).toEqual({ buffer: parameterBuffer, offset: 64 });
    expect(() => g.place(x, parameterBuffer, 0)).toThrow(
      errorAbout({ area: 'graph', values: ['x', 'input'] }),
    );
    expect(() => g.place(y, parameterBuffer, 250)).toThrow(errorAbout({ area: 'graph', values: [250] }));
  });
});

describe('scopes', () => {
  it('label nodes from the outermost scope to the innermost, also after an exception', () => {
    const g = new Graph();
    const x = g.input('x', 'f32', [1]);
    g.scope('a', () => g.scope('b', () => scale(g, x, 1)));
    expect(() =>
      g.scope('c', () => {
        throw new Error('within');
      }),
    ).toThrow(new Error('within'));
    const y = scale(g, x, 1);
    expect(g.nodes.map((n) => n.scope)).toEqual(['a.b', '']);
    expect(y.name).toBe('scale');
    expect(g.nodes[0]?.outputs[0]?.name).toBe('a.b.scale');
  });
});

describe('printGraph', () => {
  it('shows inputs, states and a line a node', () => {
    const g = new Graph();
    const x = g.input('x', 'f32', [2, 3]);
    const parameterBuffer = g.state('parameterBuffer', 'f32', [64]);
    const w = g.slice(parameterBuffer, 'w', 0, [2, 3]);
    const { double } = g.scope('layer', () => fork(g, times(g, x, w)));
    g.output('y', scale(g, double, 0.5));
    expect(printGraph(g)).toMatchInlineSnapshot(`
      "%0: input x f32 [2,3]
      %1: state parameterBuffer f32 [64]
      %3 f32 [2,3] = times(%0, w)  // layer
      %4 f32 [2,3], %5 f32 [2,3] = fork(%3)  // layer
      %6 f32 [2,3] = scale(%4) {factor: 0.5}
      "
    `);
  });
});

describe('replace', () => {
  /** y = scale(scale(x, 2), 3), z = scale(y, 5). */
  function chain() {
    const g = new Graph();
    const x = g.input('x', 'f32', [4]);
    const between = g.scope('layer', () => scale(g, x, 2));
    const y = g.scope('other', () => scale(g, between, 3));
    const z = scale(g, y, 5);
    return { g, x, between, y, z };
  }

  it('keeps the value that the new node computes, its users and the order of nodes', () => {
    const { g, x, between, y, z } = chain();
    const [first, second] = g.nodes as [Node, Node];
    g.replace([first, second], scaleOp, { x }, { factor: 6 }, { y });
    expect(g.nodes).toHaveLength(2);
    expect(g.nodes[0]).toMatchObject({ attrs: { factor: 6 }, scope: 'layer', inputs: [x] });
    expect(g.nodes[0]?.outputs[0]).toBe(y);
    expect(y.node).toBe(g.nodes[0]);
    expect(g.nodes[1]?.inputs[0]).toBe(y);
    expect(z.node).toBe(g.nodes[1]);
    expect(g.users().get(between)).toBeUndefined();
  });

  it('is in the position of the last of the old nodes', () => {
    const { g, x, y } = chain();
    const [first, , third] = g.nodes as [Node, Node, Node];
    const other = scale(g, y, 7);
    g.replace([first, third], forkOp, { x }, {}, {});
    expect(g.nodes.map((n) => n.op.name)).toEqual(['scale', 'fork', 'scale']);
    expect(g.nodes[2]).toBe(other.node);
  });

  it('rejects a node of another shape', () => {
    const { g, y } = chain();
    const wide = g.input('wide', 'f32', [5]);
    expect(() => g.replace([y.node!], scaleOp, { x: wide }, { factor: 1 }, { y })).toThrow(
      errorNaming('scale', '[5]', 'other.scale', '[4]'),
    );
  });
});

describe('users', () => {
  it('counts a node once however often it reads a value', () => {
    const g = new Graph();
    const x = g.input('x', 'f32', [1]);
    const y = times(g, x, x);
    expect(g.users().get(x)).toEqual([y.node]);
  });
});
