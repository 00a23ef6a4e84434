// Fingerprints of bytes.
import { expect, it } from 'vitest';
import { fingerprintOf } from '../../src/core/fingerprint.ts';

it('gives equal fingerprints for equal bytes at any address, and another after any change', () => {
  const weights = Float32Array.from({ length: 1001 }, (_, i) => Math.sin(i));
  const before = fingerprintOf([weights]);
  expect(before).toMatch(/^[0-9a-f]{16}$/);
  const shifted = new Uint8Array(4 * weights.length + 4);
  shifted.set(new Uint8Array(weights.buffer), 4);
  const odd = new Uint8Array(4 * weights.length + 3);
  odd.set(new Uint8Array(weights.buffer), 3);
  expect(fingerprintOf([odd.subarray(3)])).toBe(before);
  expect(fingerprintOf([shifted.subarray(4)])).toBe(before);
  for (const i of [0, 500, 1000]) {
    const other = weights.slice();
    other[i] = -(other[i] as number) - 1e-6;
    expect(fingerprintOf([other])).not.toBe(before);
  }
  const text = new TextEncoder().encode('abcdefg');
  expect(fingerprintOf([text.subarray(1)])).not.toBe(fingerprintOf([text]));
});
