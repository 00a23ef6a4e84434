// The logarithm of a mean of probabilities: the last step of an ensemble's average.

import { tensorType } from '../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { elementwiseVariants } from '../work-division.ts';
import { elementwiseLaunch } from './elementwise-ops.ts';

/** y = log(max(x / count, 1e-37)); y may take the memory of x. */
export const logMeanOp = defineOp({
  name: 'log_mean',
  inputs: ['x'],
  outputs: ['y'],
  /** `count`: number of terms of each sum. */
  attrs: attrsOf<{ readonly count: number }>(),
  shape({ x }) {
    expectType('log_mean', 'x', x, 'f32');
    return { y: tensorType('f32', x.shape) };
  },
  inPlace: { y: 'x' },
  variants: elementwiseVariants,
  launch({ x }, { y }, { count: terms }, { shared, variant }) {
    const inPlace = shared('x', 'y');
    return [elementwiseLaunch('log_mean', variant, y, inPlace ? {} : { x }, { scale: 1 / terms, inPlace })];
  },
});

/**
 * The logarithm of x / count, for a sum x of `count` probabilities.
 *
 * @example
 * const logProbs = logMean(graph, add(graph, softmax(graph, x), softmax(graph, w)), 2);
 */
export const logMean = (builder: Builder, x: Value, count: number): Value =>
  builder.apply(logMeanOp, { x }, { count }).y;
