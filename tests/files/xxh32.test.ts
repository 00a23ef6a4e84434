// XXH32 equals the values of the reference program (xxhsum -H32), however the bytes are split.

import { expect, it } from 'vitest';
import { createXxh32, xxh32Of } from '../../src/files/xxh32.ts';

const counted = (length: number) => new Uint8Array(length).map((_, i) => (i * 31) ^ (i >> 8));

it.each([
  ['', '02cc5d05'],
  ['a', '550d7456'],
  ['abc', '32d153ff'],
  ['Nobody inspects the spammish repetition', 'e2293b2f'],
])('of %j', (text, hash) => {
  expect(xxh32Of(new TextEncoder().encode(text))).toBe(hash);
});

it.each([
  [15, 'a2cde740'],
  [16, '966847d0'],
  [17, '1131f184'],
  [31, '376af48a'],
  [32, 'c948824d'],
  [33, '2a891cbe'],
  [64, 'd719177a'],
  [100, '3457029e'],
  [4096, 'c6379486'],
  [65_535, '535d05ec'],
  [65_536, '498d01e2'],
  [65_537, 'b3144274'],
  [300_007, '76db01c1'],
])('of %i bytes', (length, hash) => {
  expect(xxh32Of(counted(length))).toBe(hash);
});

it('is the same in parts, and of bytes at any place of a buffer', () => {
  const bytes = counted(300_007);
  const whole = xxh32Of(bytes);
  for (const size of [16, 4096, 65_552]) {
    const hash = createXxh32();
    for (let at = 0; at < bytes.length; at += size) hash.add(bytes.subarray(at, at + size));
    expect(hash.hex(), `${size}`).toBe(whole);
  }
  const moved = new Uint8Array(bytes.length + 3);
  moved.set(bytes, 3);
  expect(xxh32Of(moved.subarray(3))).toBe(whole);
});

it('changes with every bit', () => {
  const bytes = counted(83);
  const hashes = new Set([xxh32Of(bytes)]);
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const other = bytes.slice();
    other.set([(other[bit >> 3] as number) ^ (1 << (bit & 7))], bit >> 3);
    hashes.add(xxh32Of(other));
  }
  expect(hashes.size).toBe(8 * bytes.length + 1);
});

it('of a Buffer of Node that begins between two words', () => {
  const bytes = counted(67);
  const shifted = Buffer.alloc(68);
  shifted.set(bytes, 1);
  expect(xxh32Of(shifted.subarray(1))).toBe(xxh32Of(bytes));
});
