// Search for numbers that are not finite: each position, each kind, float32 and float16, and tensors without
// any.

import { describe, expect, it } from 'vitest';
import type { DType, Tensor } from '../../../../src/core/tensor.ts';
import { checkFiniteOp, firstBad } from '../../../../src/engine/ops/optimizer/check-finite.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { integers } from '../../../support/op.ts';
import { runOp } from '../../../support/run-op.ts';

const bits = {
  f32: { infinite: 0xff800000, nan: 0x7f800001, largest: 0x7f7fffff },
  f16: { infinite: 0xfc00, nan: 0x7c01, largest: 0x7bff },
};

/** A tensor of the largest finite number, but for some places. */
function tensorWith(dtype: 'f32' | 'f16', size: number, bad: Record<number, number>): Tensor {
  const words = dtype === 'f16' ? new Uint16Array(size) : new Uint32Array(size);
  words.fill(bits[dtype].largest);
  for (const [place, value] of Object.entries(bad)) words[Number(place)] = value;
  const data = dtype === 'f16' ? (words as Uint16Array) : new Float32Array(words.buffer);
  return { dtype: dtype as DType, shape: [size], data };
}

const flagsBefore = integers('u32', [3], [7, 0, 9]);
async function flagsOf(x: Tensor, slot = 1, first = false): Promise<number[]> {
  const { states } = await runOp(checkFiniteOp, { x, flags: flagsBefore }, { slot, first });
  return Array.from(states.flags);
}

describe('check_finite', () => {
  for (const dtype of ['f32', 'f16'] as const) {
    const { infinite, nan } = bits[dtype];
    // Sizes around those of a thread and of a workgroup, and odd ones, whose last word has one float16 only.
    for (const size of [1, 2, 63, 1024, 1025, 2051])
      it(`finds the first of several in ${dtype} [${size}], at the end too, and none if all are finite`, async () => {
        expect(await flagsOf(tensorWith(dtype, size, {}))).toEqual([7, 0, 9]);
        for (const place of new Set([0, size >> 1, size - 1])) {
          const flags = await flagsOf(tensorWith(dtype, size, { [place]: nan, [size - 1]: infinite }));
          expect(flags).toEqual([7, size - place, 9]);
          expect(firstBad(flags.slice(1), [size])).toEqual({ slot: 0, element: place });
        }
      });
  }

  it('sets only its own flag, and clears the others only if it is the first', async () => {
    const x = tensorWith('f32', 5, { 2: bits.f32.infinite });
    expect(await flagsOf(x, 0)).toEqual([7, 0, 9]); // 3 is less than the 7 that is there
    expect(await flagsOf(x, 2, true)).toEqual([0, 0, 3]);
  });

  it('checks tensors larger than a binding range by range', async () => {
    const x = tensorWith('f32', 3000, { 2100: bits.f32.nan, 2999: bits.f32.nan });
    const run = await runOp(
      checkFiniteOp,
      { x, flags: flagsBefore },
      { slot: 1, first: true },
      { traits: { maxBindingBytes: 4096 } },
    );
    expect(run.dispatches).toBe(3);
    expect(Array.from(run.states.flags)).toEqual([0, 900, 0]);
  });

  it('rejects types that cannot overflow, and a missing flag', async () => {
    await expect(flagsOf(integers('i32', [2], [1, 2]))).rejects.toThrow(
      errorAbout({ area: 'check_finite', values: ['i32'] }),
    );
    await expect(flagsOf(tensorWith('f32', 2, {}), 3)).rejects.toThrow(
      errorAbout({ area: 'check_finite', values: [3, 2] }),
    );
  });
});
