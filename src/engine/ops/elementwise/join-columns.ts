// Joins two matrices side by side: queries, keys and values from two products.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { matrixOf, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { applyOp, type Builder, defineOp, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { elementwise, elementwiseVariants } from '../work-division.ts';

/** a [..,M], b [..,N]; y [..,M+N], whose rows hold those of a and then those of b. */
export const joinColumnsOp = defineOp({
  name: 'join_columns',
  inputs: ['a', 'b'],
  outputs: ['y'],
  shape({ a, b }) {
    expectType('join_columns', 'a', a, 'f32');
    expectType('join_columns', 'b', b, 'f32');
    const [left, right] = [matrixOf(a.shape), matrixOf(b.shape)];
    check(left.rows === right.rows, () => msg`rows differ, a ${show(a.shape)} and b ${show(b.shape)}`, {
      area: 'join_columns',
    });
    return { y: tensorType('f32', [...a.shape.slice(0, -1), left.cols + right.cols]) };
  },
  variants: elementwiseVariants,
  launch({ a, b }, { y }, _attrs, { variant }) {
    const count = sizeOf(y.shape);
    const { cols: wide } = matrixOf(y.shape);
    return [
      {
        shader: 'columns',
        entry: 'join_columns',
        params: { count, wide, narrow: matrixOf(b.shape).cols, first: matrixOf(a.shape).cols, scale: 1 },
        bind: { x: a, u: b, y },
        ...elementwise(variant, count),
      },
    ];
  },
});

/**
 * a [..,M] and b [..,N] side by side: [..,M+N].
 *
 * @example
 * const [a, b] = [graph.input('a', 'f32', [8, 64]), graph.input('b', 'f32', [8, 128])];
 * const y = joinColumns(graph, a, b); // [8, 192]
 */
export const joinColumns = (builder: Builder, a: Value, b: Value): Value =>
  applyOp(builder, joinColumnsOp, { a, b }).y;
