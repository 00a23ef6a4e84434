// Looking for numbers that are not finite in a tensor, on the GPU; what is found waits in a state of flags, one a tensor.

import { check } from '../../core/errors.ts';
import { type DType, sizeOf } from '../../core/tensor.ts';
import { expectType } from '../expect.ts';
import { defineOp, gridOf, type Value } from '../op.ts';
import { rangesOf, viewOf } from '../parameter-buffers.ts';

/** `slot`: which flag. `first`: set all flags to 0 before. */
export type CheckFiniteAttrs = { readonly slot: number; readonly first: boolean };

/** Whether a tensor of the type can hold something that is not finite. */
export const canOverflow = (dtype: DType): boolean => dtype === 'f32' || dtype === 'f16';

/** Words of 32 bits that a thread looks at. */
const perThread = 16;

/**
 * Inputs x (f32 or f16), flags u32 [N] (a state, written): flags[slot] = size - index of the first element of x that is NaN or
 * infinite, or what it was if there is none. See `firstBad`.
 */
export const checkFiniteOp = defineOp<CheckFiniteAttrs>({
  name: 'check_finite',
  shape([x, flags], { slot }) {
    check(
      x !== undefined && canOverflow(x.dtype),
      () => `check_finite: x is ${x?.dtype}, it must be f32 or f16, others are always finite`,
    );
    expectType('check_finite', 'flags', flags, 'u32');
    const count = flags?.shape[0] ?? 0;
    check(slot >= 0 && slot < count, () => `check_finite: flag ${slot} of ${count}`);
    return [];
  },
  mutates: [1],
  launch({ inputs, attrs: { slot, first } }, { traits }) {
    const [x, flags] = inputs as [Value, Value];
    const size = sizeOf(x.shape);
    return rangesOf('check_finite', [x], traits.maxBindingBytes).map(([start, count], k) => {
      const perWord = x.dtype === 'f16' ? 2 : 1;
      const words = Math.ceil(count / perWord);
      return {
        shader: 'check-finite',
        entry: x.dtype === 'f16' ? 'check_f16' : 'check_f32',
        params: { count, words, start, size, slot },
        bind: { x: viewOf(x, start / perWord, [words], 'u32'), flags },
        ...(first && k === 0 && { clear: [flags] }),
        grid: gridOf(Math.ceil(words / perThread), 64),
      };
    });
  },
  reference({ attrs: { slot, first }, inputs: [x, flags] }) {
    if (first) flags!.data.fill(0);
    const bad = x!.data.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0) flags!.data[slot] = x!.data.length - bad;
  },
});

/** The first flag that is up: its slot, and the index of the first bad element of a tensor of the size that `sizes` says. */
export function firstBad(
  flags: ArrayLike<number>,
  sizes: readonly number[],
): { slot: number; element: number } | undefined {
  const slot = sizes.findIndex((_, i) => (flags[i] ?? 0) > 0);
  return slot < 0 ? undefined : { slot, element: (sizes[slot] as number) - (flags[slot] as number) };
}
