// f16 copies of the weights that matrix products read. Each run casts them again, so the f32 parameter
// buffer, which an optimizer, a checkpoint or a user writes, is the only source.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { show, sizeOf } from '../../../core/tensor.ts';
import { defineOp } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { elementwiseVariants, rangeOf, rangesOf } from '../work-division.ts';
import { elementwiseLaunch } from './elementwise-ops.ts';

/** weights f32 [P], copies f16 [N], N at most P (a state, written): copies = the first N weights, rounded. */
export const castWeightsOp = defineOp({
  name: 'cast_weights',
  inputs: ['weights', 'copies'],
  shape({ weights, copies }) {
    expectType('cast_weights', 'weights', weights, 'f32');
    expectType('cast_weights', 'copies', copies, 'f16');
    check(
      sizeOf(copies.shape) <= sizeOf(weights.shape),
      () => msg`copies ${show(copies.shape)} are more than the weights ${show(weights.shape)}`,
      { area: 'cast_weights' },
    );
    return {};
  },
  mutates: ['copies'],
  variants: elementwiseVariants,
  launch({ weights, copies }, _outputs, _attrs, { traits, variant }) {
    // Ranges of both buffers start at multiples of 256 bytes.
    const max = traits.maxBindingBytes - (traits.maxBindingBytes % 512);
    // y is stored as f16 (src/engine/gpu/f16-bindings.ts), so the copy rounds.
    return rangesOf('cast_weights', [copies], max).map(([start, count]) => {
      const x = rangeOf(weights, start, count);
      return elementwiseLaunch('copy', variant, rangeOf(copies, start, count), { x }, { flops: 0 });
    });
  },
});
