// Elementwise sum of two tensors of one shape: residual connections, and gradients of a value with several readers.

import { check } from '../../core/errors.ts';
import { sameShape, show, sizeOf } from '../../core/tensor.ts';
import { type Builder, defineOp, tensorType, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { elementwiseVariants } from '../work-division.ts';
import { elementwiseLaunch } from './elementwise-launch.ts';

/** y = a + b; y may take the memory of either. */
export const addOp = defineOp({
  name: 'add',
  inputs: ['a', 'b'],
  outputs: ['y'],
  shape({ a, b }) {
    expectType('add', 'a', a, 'f32');
    expectType('add', 'b', b, 'f32');
    check(sameShape(a.shape, b.shape), () => `add: shapes differ, a ${show(a.shape)} + b ${show(b.shape)}`);
    return { y: tensorType('f32', a.shape) };
  },
  inPlace: { y: ['a', 'b'] },
  f16Storage: ['a', 'b', 'y'],
  variants: elementwiseVariants,
  launch({ a, b }, { y }, _attrs, { shared, variant }) {
    const flops = sizeOf(y.shape);
    const inPlace = shared('a', 'y') ? b : shared('b', 'y') ? a : undefined;
    if (inPlace) return [{ ...elementwiseLaunch('add_in_place', variant, y, { b: inPlace }), flops }];
    return [{ ...elementwiseLaunch('add', variant, y, { x: a, b }), flops }];
  },
});

/**
 * a + b, both of one shape.
 *
 * @example
 * const residual = add(graph, x, w);
 */
export const add = (builder: Builder, a: Value, b: Value): Value => builder.apply(addOp, { a, b }).y;
