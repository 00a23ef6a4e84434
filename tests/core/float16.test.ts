// f16 and bf16: every value round-trips, and values in between round to nearest even.
import { expect, it } from 'vitest';
import { fromBfloat16, toBfloat16 } from '../../src/core/bfloat16.ts';
import { fromFloat16, roundToF16, toFloat16 } from '../../src/core/float16.ts';
import { random } from '../../src/core/random.ts';

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

it.each([
  ['float16', fromFloat16, toFloat16, 0x7c00],
  ['bfloat16', fromBfloat16, toBfloat16, 0x7f80],
] as const)('%s: converts all bits that are a number back to themselves', (_, from, to, infinity) => {
  const back = to(from(all));
  expect(all.filter((bits) => back[bits] !== bits && (bits & 0x7fff) <= infinity)).toEqual(
    new Uint16Array(0),
  );
});

it('converts known values', () => {
  expect([...fromFloat16(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x3555))]).toEqual([
    1,
    -2,
    65504,
    2 ** -24,
    2 ** -14,
    0.333251953125,
  ]);
  expect([...fromBfloat16(Uint16Array.of(0x3f80, 0xc049))]).toEqual([1, -3.140625]);
});

it.each([
  ['float16', fromFloat16, toFloat16],
  ['bfloat16', fromBfloat16, toBfloat16],
] as const)('%s: rounds values in between to nearest, ties to even', (_, from, to) => {
  const values = from(all);
  // Neighbours of one sign, each with the point half way, a little under and a little over it; float32 holds
  // all of them.
  for (let bits = 0; bits < 0x7b00; bits += 37) {
    const [a, b] = [values[bits] as number, values[bits + 1] as number];
    const half = (a + b) / 2;
    const even = bits % 2 === 0 ? bits : bits + 1;
    const points = Float32Array.of(half, half - (b - a) / 16, half + (b - a) / 16, -half);
    expect([...to(points)]).toEqual([even, bits, bits + 1, even | 0x8000]);
  }
});

it('converts values above the largest float16 to infinity', () => {
  expect([...toFloat16(Float32Array.of(65519, 65520, -1e9, Number.NaN))]).toEqual([
    0x7bff, 0x7c00, 0xfc00, 0x7e00,
  ]);
});

it('rounds in float64 as the conversion does, from subnormals to overflow', () => {
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
  for (const numbers of [values, edges]) {
    const want = fromFloat16(toFloat16(numbers));
    for (const [i, x] of numbers.entries()) expect(roundToF16(x) + 0, String(x)).toBe(want[i]! + 0);
  }
  expect(roundToF16(Number.NaN)).toBeNaN();
});
