// Zeros in a range of a tensor, which has no gradient there: the biases of keys in a model without them.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { gridOf } from '../work-division.ts';

/** The range: elements `first` to `end` - 1. */
export type ZeroRangeAttrs = { readonly first: number; readonly end: number };

/** x of any shape; y = x with zeros in the range. */
export const zeroRangeOp = defineOp({
  name: 'zero_range',
  inputs: ['x'],
  outputs: ['y'],
  attrs: attrsOf<ZeroRangeAttrs>(),
  shape({ x }, { first, end }) {
    expectType('zero_range', 'x', x, 'f32');
    check(
      first >= 0 && first < end && end <= sizeOf(x.shape),
      () => msg`elements ${first} to ${end} are not in x ${show(x.shape)}`,
      { area: 'zero_range' },
    );
    return { y: tensorType('f32', x.shape) };
  },
  launch: ({ x }, { y }, { first, end }) => [
    {
      shader: 'zero-range',
      entry: 'zero_range',
      params: { count: sizeOf(x.shape), first, end },
      bind: { x, y },
      grid: gridOf(sizeOf(x.shape), 256),
    },
  ],
});

/** x with zeros in elements `first` to `end` - 1. */
export const zeroRange = (builder: Builder, x: Value, range: ZeroRangeAttrs): Value =>
  builder.apply(zeroRangeOp, { x }, range).y;
