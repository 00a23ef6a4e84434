// Dropout. The mask is a function of seed, step, site and element, so the backward pass computes it again instead of
// storing it.

import { sizeOf } from '../../core/tensor.ts';
import { type DropoutAttrs, dropoutFields } from '../dropout-mask.ts';
import { attrsOf, type Builder, defineOp, tensorType, type Value } from '../op.ts';
import { expectDropout, expectStep, expectType } from '../type-checks.ts';
import { elementwise, elementwiseVariants } from '../work-division.ts';

/** y = x * mask / (1 - rate). The mask depends on the row-major index of an element. */
export const dropoutOp = defineOp({
  name: 'dropout',
  inputs: ['x', 'step'],
  outputs: ['y'],
  attrs: attrsOf<DropoutAttrs>(),
  shape({ x, step }, { rate }) {
    expectType('dropout', 'x', x, 'f32');
    expectStep('dropout', step);
    expectDropout('dropout', rate, step);
    return { y: tensorType('f32', x.shape) };
  },
  inPlace: { y: 'x' },
  f16Storage: ['x', 'y'],
  variants: elementwiseVariants,
  launch({ x, step }, { y }, attrs, { shared, variant }) {
    const count = sizeOf(y.shape);
    const params = { count, ...dropoutFields(attrs) };
    const common = { shader: 'dropout', params, flops: count, ...elementwise(variant, count) };
    return shared('x', 'y')
      ? [{ ...common, entry: 'dropout_in_place', bind: { y, step } }]
      : [{ ...common, entry: 'dropout', bind: { x, y, step } }];
  },
});

/**
 * Dropout of x at a site; x itself if the rate is 0. `step` is the graph's step input.
 *
 * @example
 * const y = dropout(graph, x, graph.input('step', 'u32', [stepWords]), { rate: 0.1, site: 0 });
 */
export const dropout = (builder: Builder, x: Value, step: Value, attrs: DropoutAttrs): Value =>
  attrs.rate === 0 ? x : builder.apply(dropoutOp, { x, step }, attrs).y;
