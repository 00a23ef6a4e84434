// The definition of an op: declared names, and the errors of a wrong definition or use.

import { expect, it } from 'vitest';
import { tensorType } from '../../../src/core/tensor.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { listed, named } from '../../../src/engine/ops/named-tensors.ts';
import { attrsOf, defineOp, type Node } from '../../../src/engine/ops/op.ts';
import { applicationOf } from '../../../src/engine/ops/op-nodes.ts';
import { errorAbout, errorNaming } from '../../support/expect-error.ts';
import { scaleOp } from '../../support/toys.ts';

const op = defineOp({
  name: 'mix',
  inputs: ['x', 'bias?', 'parts[]'],
  outputs: ['y', 'rest?', 'copies[]'],
  attrs: attrsOf<{ readonly rest: boolean }>(),
  shape: ({ x, parts }, { rest }) => ({
    y: x,
    copies: parts,
    rest: rest ? tensorType('i32', [1]) : undefined,
  }),
  launch: () => [],
  reference() {},
});

it('gives outputs by name, optional ones and lists as their inputs and attributes say', () => {
  const g = new Graph();
  const [x, a, b] = ['x', 'a', 'b'].map((name) => g.input(name, 'f32', [2])) as [never, never, never];
  const few = g.apply(op, { x, parts: [] }, { rest: false });
  expect([few.y.shape, few.rest, few.copies]).toEqual([[2], undefined, []]);
  const many = g.apply(op, { x, bias: a, parts: [a, b] }, { rest: true });
  expect(many.copies.map(({ name }) => name)).toEqual(['mix.copies', 'mix.copies']);
  expect(many.rest?.dtype).toBe('i32');
  const node = g.nodes[1] as Node;
  expect(node.inputs).toEqual([x, a, a, b]);
  expect(node.inputNames).toEqual(['x', 'bias', 'parts', 'parts']);
  expect(applicationOf(node, op)?.inputs).toEqual({ x, bias: a, parts: [a, b] });
  expect(applicationOf(node, scaleOp)).toBeUndefined();
});

it('names an input that is missing', () => {
  const g = new Graph();
  expect(() => g.apply(op, { parts: [] } as never, { rest: false })).toThrow(
    errorAbout({ area: 'mix', values: ['x'] }),
  );
});

it('rejects a name that is declared twice', () => {
  const twice = { name: 'twice', inputs: ['x'], outputs: ['x?'], launch: () => [], reference() {} } as const;
  expect(() => defineOp({ ...twice, shape: () => ({}) })).toThrow(errorNaming('twice', 'x, x'));
});

it('lists values in declared order without gaps, and finds them again by name', () => {
  const { names, list } = listed('mix', op.inputs, { parts: [3, 4], x: 1 });
  expect([names, list]).toEqual([
    ['x', 'parts', 'parts'],
    [1, 3, 4],
  ]);
  expect(named(op.inputs, names, list)).toEqual({ x: 1, bias: undefined, parts: [3, 4] });
});
