// Weights of the products as f16: a copy of the first part of the bank of weights, made anew in every run, so that what an optimizer,
// a checkpoint or a user puts into the f32 bank is what counts.

import { check } from '../../core/errors.ts';
import { show, sizeOf } from '../../core/tensor.ts';
import { elementwise, elementwiseVariants } from '../elementwise-launch.ts';
import { expectType, inputAt } from '../expect.ts';
import { defineOp, type Value } from '../op.ts';
import { rangeOf, rangesOf } from '../parameter-buffers.ts';

/** Inputs weights f32 [P], halves f16 [N], N at most P (a state, written): halves = the first N weights, rounded. */
export const halfWeightsOp = defineOp({
  name: 'half_weights',
  shape(inputs) {
    const weights = inputAt('half_weights', inputs, 0, 'weights');
    const halves = inputAt('half_weights', inputs, 1, 'halves');
    expectType('half_weights', 'weights', weights, 'f32');
    expectType('half_weights', 'halves', halves, 'f16');
    check(
      sizeOf(halves.shape) <= sizeOf(weights.shape),
      () => `half_weights: halves ${show(halves.shape)} are more than the weights ${show(weights.shape)}`,
    );
    return [];
  },
  mutates: [1],
  variants: elementwiseVariants,
  launch({ inputs }, { traits, variant }) {
    const [weights, halves] = inputs as [Value, Value];
    // Ranges of both banks start at multiples of 256 bytes.
    const most = traits.maxBindingBytes - (traits.maxBindingBytes % 512);
    return rangesOf('half_weights', [halves], most).map(([start, count]) => ({
      shader: 'copy', // into memory that holds f16 (src/gpu/half.ts), so it rounds
      entry: 'copy',
      params: { count },
      bind: { x: rangeOf(weights, start, count), y: rangeOf(halves, start, count) },
      ...elementwise(variant, count),
    }));
  },
  reference({ inputs: [weights, halves] }) {
    halves!.data.set(weights!.data.subarray(0, halves!.data.length));
  },
});
