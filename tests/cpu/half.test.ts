// Rounding to f16, held against the bits that files have.

import { expect, it } from 'vitest';
import { roundToHalf } from '../../src/cpu/half.ts';
import { fromFloat16, toFloat16 } from '../../src/formats/half.ts';
import { random } from '../../src/random.ts';

it('rounds as the conversion of files, from subnormals to overflow', () => {
  const r = random(3);
  const values = Float32Array.from({ length: 4000 }, () => r.normal() * 2 ** (60 * (r.uniform() - 0.6)));
  const edges = Float32Array.of(
    0,
    2 ** -24,
    2 ** -25,
    2 ** -14,
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    65504,
    65519,
    65520,
    -1e6,
  );
  for (const some of [values, edges]) {
    const want = fromFloat16(toFloat16(some));
    for (const [i, x] of some.entries()) expect(roundToHalf(x) + 0, String(x)).toBe(want[i]! + 0);
  }
  expect(roundToHalf(Number.NaN)).toBeNaN();
});
