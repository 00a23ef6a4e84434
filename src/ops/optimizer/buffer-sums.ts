// Running sums over whole banks: gradient accumulation, and the exponential moving average of the weights.

import { check } from '../../core/errors.ts';
import { elementwise, elementwiseVariants } from '../elementwise-launch.ts';
import { expectStep, expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, type Launch, type LaunchContext, type Value } from '../op.ts';
import { rangeOf, rangesOf } from '../parameter-buffers.ts';
import { readStep } from '../step-scalars.ts';

function launches(entry: string, acc: Value, x: Value, rest: number, context: LaunchContext, step?: Value): Launch[] {
  return rangesOf(entry, [acc, x], context.traits.maxBindingBytes).map(([start, count]) => ({
    shader: 'buffer-sums',
    entry,
    params: { count, rest },
    bind: { acc: rangeOf(acc, start, count), x: rangeOf(x, start, count), ...(step && { step }) },
    ...elementwise(context.variant, count),
    flops: 2 * count,
  }));
}

/** Inputs acc [P] (a state, written), x [P], step; acc = acc * step.keep + x. With keep 0 whatever was in acc is forgotten. */
export const accumulateOp = defineOp({
  name: 'accumulate',
  shape(inputs) {
    const acc = inputAt('accumulate', inputs, 0, 'acc');
    expectType('accumulate', 'acc', acc, 'f32');
    expectType('accumulate', 'x', inputs[1], 'f32', acc.shape, 'as acc');
    expectStep('accumulate', inputs[2]);
    return [];
  },
  mutates: [0],
  variants: elementwiseVariants,
  launch: ({ inputs: [acc, x, step] }, context) => launches('accumulate', acc!, x!, 0, context, step),
  reference({ inputs: [acc, x, step] }) {
    const { keep } = readStep(step!.data);
    for (let i = 0; i < acc!.data.length; i++) acc!.data[i] = (keep === 0 ? 0 : acc!.data[i]! * keep) + x!.data[i]!;
  },
});

/** acc = acc * step.keep + x, banks of one length. */
export function accumulate(builder: Builder, acc: Value, x: Value, step: Value): void {
  builder.apply(accumulateOp, [acc, x, step], {});
}

/** `decay`: what stays of the average, as 0.9999. */
export type EmaAttrs = { readonly decay: number };

/** Inputs average [P] (a state, written), weights [P]; average = decay * average + (1 - decay) * weights. */
export const emaOp = defineOp<EmaAttrs>({
  name: 'ema',
  shape(inputs, { decay }) {
    const average = inputAt('ema', inputs, 0, 'average');
    expectType('ema', 'average', average, 'f32');
    expectType('ema', 'weights', inputs[1], 'f32', average.shape, 'as the average');
    check(decay >= 0 && decay < 1, `ema: a decay of ${decay}, must be from 0 to below 1`);
    return [];
  },
  mutates: [0],
  variants: elementwiseVariants,
  launch: ({ inputs: [average, weights], attrs: { decay } }, context) =>
    launches('ema', average!, weights!, 1 - decay, context),
  reference({ attrs: { decay }, inputs: [average, weights] }) {
    for (let i = 0; i < average!.data.length; i++)
      average!.data[i] = decay * average!.data[i]! + (1 - decay) * weights!.data[i]!;
  },
});

/** Moves the state `average` towards the weights. */
export function ema(builder: Builder, average: Value, weights: Value, decay: number): void {
  builder.apply(emaOp, [average, weights], { decay });
}
