// Weights rounded to 8 bits for quantization-aware training (Jacob et al., 2018): copies of matrices that the forward
// and backward pass read in place of the weights. Their gradients go to the weights themselves (straight-through
// estimator, Bengio et al., 2013).

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { show, sizeOf } from '../../../core/tensor.ts';
import { attrsOf, defineOp, type Launch } from '../op.ts';
import { expectType } from '../type-checks.ts';

/** Elements of a workgroup, and the largest number of workgroups of a part. */
const [share, maxGroups] = [2 ** 14, 256];

/**
 * weights f32 [..], copies of the same shape (a state, written): in each of `parts` equal parts copies = round(w m) /
 * m, with m = 127 / max|w| of the part; ties round to even.
 */
export const roundWeightsOp = defineOp({
  name: 'round_weights',
  inputs: ['weights', 'copies'],
  attrs: attrsOf<{ readonly parts: number }>(),
  shape({ weights, copies }, { parts }) {
    expectType('round_weights', 'weights', weights, 'f32');
    expectType('round_weights', 'copies', copies, 'f32', weights.shape, 'as the weights');
    check(
      sizeOf(weights.shape) % parts === 0,
      () => msg`the weights ${show(weights.shape)} do not have ${parts} equal parts`,
      { area: 'round_weights' },
    );
    return {};
  },
  mutates: ['copies'],
  launch({ weights, copies }, _outputs, { parts }, { scratch, traits }) {
    const size = sizeOf(weights.shape);
    check(
      4 * size <= traits.maxBindingBytes,
      () => msg`the matrix has ${4 * size} bytes, a binding at most ${traits.maxBindingBytes}`,
      { area: 'round_weights' },
    );
    const partials = scratch('f32', [maxGroups]);
    const count = size / parts;
    const groups = Math.min(maxGroups, Math.ceil(count / share));
    return Array.from({ length: parts }, (_, part): Launch[] => {
      const params = { start: part * count, count, groups };
      const common = { shader: 'round-weights', params, grid: [groups, 1, 1] as [number, number, number] };
      return [
        { ...common, entry: 'weight_maxima', bind: { weights, partials_out: partials } },
        { ...common, entry: 'round_weights', bind: { weights, partials, copies }, flops: 4 * count },
      ];
    }).flat();
  },
});
