// JSON between processes, with numbers that JSON lacks.
import { expect, it } from 'vitest';
import { decodeJson, encodeJson } from '../../../src/commands/remote/json-transport.ts';

it('preserves JSON values', () => {
  const value = { a: [1, -2.5, 'x', null, true], b: { c: '' } };
  expect(decodeJson(encodeJson(value))).toEqual(value);
});

it('preserves numbers that JSON cannot represent, at any depth', () => {
  const value = { worst: Number.POSITIVE_INFINITY, list: [Number.NaN, Number.NEGATIVE_INFINITY, 0] };
  expect(decodeJson(encodeJson(value))).toEqual(value);
  expect(decodeJson(encodeJson(Number.NaN))).toBeNaN();
});

it('returns undefined for undefined', () => {
  expect(decodeJson(encodeJson(undefined))).toBe(null);
  expect(decodeJson(encodeJson({ a: undefined, b: 1 }))).toEqual({ b: 1 });
});
