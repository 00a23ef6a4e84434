// Checks a tensor for NaN and infinity on the GPU. The result is a flag in a state that has one for each
// tensor.

import source from '../../../../shaders/optimizer/check-finite.wgsl?raw';
import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { type DType, dim, sizeOf } from '../../../core/tensor.ts';
import { attrsOf, defineOp } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { gridOf, rangesOf, viewOf } from '../work-division.ts';

const shader = { name: 'check-finite', source };

/** Returns whether tensors of a type can contain NaN or infinity. */
export const canOverflow = (dtype: DType): boolean => dtype === 'f32' || dtype === 'f16';

/** Number of 32-bit words per thread. */
const perThread = 16;

/**
 * x (f32 or f16), flags u32 [N] (a state, written): flags[slot] = size - index of the first element of x that
 * is NaN or infinite; unchanged if there is none. See `firstBad`.
 */
export const checkFiniteOp = defineOp({
  name: 'check_finite',
  inputs: ['x', 'flags'],
  /** `slot`: index of the flag. `first`: clear all flags before. */
  attrs: attrsOf<{ readonly slot: number; readonly first: boolean }>(),
  shape({ x, flags }, { slot }) {
    check(canOverflow(x.dtype), () => msg`x is ${x.dtype}, it must be f32 or f16, others are always finite`, {
      area: 'check_finite',
    });
    expectType('check_finite', 'flags', flags, 'u32');
    check(slot >= 0 && slot < dim(flags, 0), () => msg`slot is ${slot}, must be 0 to ${dim(flags, 0) - 1}`, {
      area: 'check_finite',
    });
    return {};
  },
  mutates: ['flags'],
  launch({ x, flags }, _outputs, { slot, first }, { traits }) {
    const size = sizeOf(x.shape);
    return rangesOf('check_finite', [x], traits.maxBindingBytes).map(([start, count], k) => {
      const perWord = x.dtype === 'f16' ? 2 : 1;
      const words = Math.ceil(count / perWord);
      return {
        shader,
        entry: x.dtype === 'f16' ? 'check_f16' : 'check_f32',
        params: { count, words, start, size, slot },
        bind: { x: viewOf(x, start / perWord, [words], 'u32'), flags },
        clear: first && k === 0 ? [flags] : undefined,
        grid: gridOf(Math.ceil(words / perThread), 64),
      };
    });
  },
});

/** Slot and element index of the first flag that is set. `sizes`: number of elements of each tensor. */
export function firstBad(
  flags: ArrayLike<number>,
  sizes: readonly number[],
): { slot: number; element: number } | undefined {
  for (const [slot, size] of sizes.entries()) {
    const flag = flags[slot] ?? 0;
    if (flag > 0) return { slot, element: size - flag };
  }
  return undefined;
}
