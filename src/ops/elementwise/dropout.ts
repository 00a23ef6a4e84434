// Dropout. The mask is a function of seed, step, site and element, so the backward pass computes it again instead of
// storing it.

import { sizeOf } from '../../core/tensor.ts';
import type { DropoutAttrs } from '../dropout-mask.ts';
import { attrsOf, type Builder, defineOp, tensorType, type Value } from '../op.ts';
import { expectDropout, expectStep, expectType } from '../type-checks.ts';
import { elementwiseVariants } from '../work-division.ts';
import { elementwiseLaunch } from './elementwise-launch.ts';

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
    const launch = shared('x', 'y')
      ? elementwiseLaunch('dropout_in_place', variant, y, { step }, attrs)
      : elementwiseLaunch('dropout', variant, y, { x, step }, attrs);
    return [{ ...launch, flops: sizeOf(y.shape) }];
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
