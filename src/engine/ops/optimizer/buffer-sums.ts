// Sums over parameter buffers, written in place: gradient accumulation, the difference of two versions of the
// weights, and their exponential moving average (EMA).

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { elementwiseLaunch } from '../elementwise/elementwise-ops.ts';
import {
  applyOp,
  attrsOf,
  type Builder,
  defineOp,
  type Launch,
  type LaunchContext,
  type Value,
} from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { type ElementwiseVariant, elementwiseVariants, rangeOf, rangesOf } from '../work-division.ts';

const launches = (
  entry: string,
  acc: Value,
  x: Value,
  scale: number,
  context: LaunchContext<string, string, ElementwiseVariant>,
  step?: Value,
): Launch[] =>
  rangesOf(entry, [acc, x], context.traits.maxBindingBytes).map(([start, count]) => {
    const part = rangeOf(x, start, count);
    const bind = step ? { x: part, step } : { x: part }; // an undefined one would mean in place
    return elementwiseLaunch(entry, context.variant, rangeOf(acc, start, count), bind, { scale, flops: 2 });
  });

/** acc [P] (a state, written), x [P], step; acc = acc * step.keep + x, or x if keep is 0. */
export const accumulateOp = defineOp({
  name: 'accumulate',
  inputs: ['acc', 'x', 'step'],
  shape({ acc, x, step }) {
    expectType('accumulate', 'acc', acc, 'f32');
    expectType('accumulate', 'x', x, 'f32', acc.shape, 'as acc');
    expectStep('accumulate', step);
    return {};
  },
  mutates: ['acc'],
  variants: elementwiseVariants,
  launch: ({ acc, x, step }, _outputs, _attrs, context) => launches('accumulate', acc, x, 0, context, step),
});

/**
 * acc = acc * step.keep + x, buffers of one length.
 *
 * @example
 * accumulate(graph, graph.state('accumulated', 'f32', [1024]), graph.state('gradients', 'f32', [1024]), step);
 */
export function accumulate(builder: Builder, acc: Value, x: Value, step: Value): void {
  applyOp(builder, accumulateOp, { acc, x, step });
}

/** before [P] (a state, written), after [P]; before = after - before. */
export const differenceOp = defineOp({
  name: 'difference',
  inputs: ['before', 'after'],
  shape({ before, after }) {
    expectType('difference', 'before', before, 'f32');
    expectType('difference', 'after', after, 'f32', before.shape, 'as before');
    return {};
  },
  mutates: ['before'],
  variants: elementwiseVariants,
  launch: ({ before, after }, _outputs, _attrs, context) => launches('difference', before, after, 0, context),
});

/**
 * Replaces the state `before` by `after - before`, such as the update of the weights.
 *
 * @example
 * difference(graph, graph.state('previous', 'f32', [1024]), graph.state('weights', 'f32', [1024]));
 */
export function difference(builder: Builder, before: Value, after: Value): void {
  applyOp(builder, differenceOp, { before, after });
}

/** average [P] (a state, written), weights [P]; average = decay * average + (1 - decay) * weights. */
export const emaOp = defineOp({
  name: 'ema',
  inputs: ['average', 'weights'],
  /** `decay`: factor of the old average, such as 0.9999. */
  attrs: attrsOf<{ readonly decay: number }>({ decay: 'number' }),
  shape({ average, weights }, { decay }) {
    expectType('ema', 'average', average, 'f32');
    expectType('ema', 'weights', weights, 'f32', average.shape, 'as the average');
    check(decay >= 0 && decay < 1, msg`a decay of ${decay}, must be from 0 to below 1`, { area: 'ema' });
    return {};
  },
  mutates: ['average'],
  variants: elementwiseVariants,
  launch: ({ average, weights }, _outputs, { decay }, context) =>
    launches('ema', average, weights, 1 - decay, context),
});

/**
 * Moves the state `average` towards the weights.
 *
 * @example
 * ema(graph, graph.state('average', 'f32', [1024]), graph.state('weights', 'f32', [1024]), 0.9999);
 */
export function ema(builder: Builder, average: Value, weights: Value, decay: number): void {
  applyOp(builder, emaOp, { average, weights }, { decay });
}
