import { expect, it } from 'vitest';
import { decode, encode } from '../../src/host/json-transport.ts';

it('keeps what JSON keeps', () => {
  const value = { a: [1, -2.5, 'x', null, true], b: { c: '' } };
  expect(decode(encode(value))).toEqual(value);
});

it('keeps numbers that JSON cannot write, wherever they stand', () => {
  const value = { worst: Number.POSITIVE_INFINITY, list: [Number.NaN, Number.NEGATIVE_INFINITY, 0] };
  expect(decode(encode(value))).toEqual(value);
  expect(decode(encode(Number.NaN))).toBeNaN();
});

it('gives nothing for what is undefined', () => {
  expect(decode(encode(undefined))).toBe(null);
  expect(decode(encode({ a: undefined, b: 1 }))).toEqual({ b: 1 });
});
