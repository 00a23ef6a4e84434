// Shapes and reference of matmul, without a GPU.
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../../../src/core/tensor.ts';
import { referenceOf } from '../../../../src/engine/cpu/executor.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { matmul, matmulOp } from '../../../../src/engine/ops/matmul/matmul.ts';
import { ReferenceTensor } from '../../../../src/engine/ops/reference-tensor.ts';
import { type ExpectedError, errorAbout } from '../../../support/expect-error.ts';
import { checkGradient, randomTensor } from '../../../support/op.ts';

const product = (a: Shape, b: Shape, attrs = {}) => {
  const graph = new Graph();
  return matmul(graph, graph.input('a', 'f32', a), graph.input('b', 'f32', b), attrs).shape;
};

describe('shapes', () => {
  it('gives the leading axes of a and the columns of b', () => {
    expect(product([2, 3], [3, 4])).toEqual([2, 4]);
    expect(product([5, 2, 3], [4, 3], { transB: true })).toEqual([5, 2, 4]);
    expect(product([5, 2, 3], [5, 2, 4], { transA: true })).toEqual([3, 4]);
    expect(product([5, 6, 2, 3], [5, 6, 3, 4], { batched: true })).toEqual([5, 6, 2, 4]);
    expect(product([5, 2, 3], [5, 2, 4], { transA: true, batched: true })).toEqual([5, 3, 4]);
  });

  it.each<[Shape, Shape, object, ExpectedError]>([
    [[2, 3], [4, 5], {}, { area: 'matmul', values: ['a [2,3] · b [4,5]'] }],
    [[2, 3], [3, 5], { transB: true }, { area: 'matmul', values: ['a [2,3] · b [3,5]ᵀ'] }],
    [[2, 3], [3, 5], { transA: true }, { area: 'matmul', values: ['a [2,3]ᵀ · b [3,5]'] }],
    [[2, 3], [3, 2], { transA: true, transB: true }, { area: 'matmul', values: ['a [2,3]ᵀ · b [3,2]ᵀ'] }],
    [[4, 2, 3], [4, 3, 5], {}, { area: 'matmul', values: ['a [4,2,3] · b [4,3,5]'] }],
    [[4, 2, 3], [5, 3, 2], { batched: true }, { area: 'matmul', values: ['a [4,2,3] · b [5,3,2]'] }],
    [[2, 3, 4], [3, 2, 4], { transA: true }, { area: 'matmul', values: ['a [2,3,4]ᵀ · b [3,2,4]'] }],
    [[3], [3, 2], {}, { area: 'matmul', values: ['a [3] · b [3,2]'] }],
  ])('rejects a %j and b %j with %j', (a, b, attrs, expected) => {
    expect(() => product(a, b, attrs)).toThrow(errorAbout(expected));
  });
});

describe('the reference', () => {
  const run = (a: number[], b: number[], transA: boolean, transB: boolean) => {
    const [x, y] = [a, b].map((data) => new ReferenceTensor([2, 2], Float64Array.from(data))) as [
      ReferenceTensor,
      ReferenceTensor,
    ];
    const c = new ReferenceTensor([2, 2]);
    referenceOf(matmulOp)?.({ a: x, b: y }, { c }, { transA, transB, batched: false });
    return [...c.data];
  };
  it('has products that are computed by hand', () => {
    expect(run([1, 2, 3, 4], [5, 6, 7, 8], false, false)).toEqual([19, 22, 43, 50]);
    expect(run([1, 2, 3, 4], [5, 7, 6, 8], false, true)).toEqual([19, 22, 43, 50]);
    expect(run([1, 3, 2, 4], [5, 6, 7, 8], true, false)).toEqual([19, 22, 43, 50]);
  });
});

it.each([
  [false, false, false],
  [false, true, false],
  [true, false, false],
  [false, false, true],
  [false, true, true],
  [true, false, true],
])('its gradient matches finite differences, transA %s, transB %s, batched %s', (transA, transB, batched) => {
  const before = batched ? [2] : [];
  const a = randomTensor([...before, ...(transA ? [4, 3] : [3, 4])], 1);
  const b = randomTensor([...before, ...(transB ? [5, 4] : [4, 5])], 2);
  checkGradient(matmulOp, { inputs: { a, b }, attrs: { transA, transB, batched }, wrt: ['a', 'b'] });
});
