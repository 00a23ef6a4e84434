// XXH64 equals the values of the reference program (xxhsum -H64), however the bytes are split.

import { expect, it } from 'vitest';
import { createXxh64, xxh64Of } from '../../src/files/xxh64.ts';

it.each([
  ['', 'ef46db3751d8e999'],
  ['a', 'd24ec4f1a98c6e5b'],
  ['abc', '44bc2cf5ad770999'],
  ['Nobody inspects the spammish repetition', 'fbcea83c8a378bf1'],
])('of %j', async (text, hash) => {
  expect(await xxh64Of(new TextEncoder().encode(text))).toBe(hash);
});

it('is the same in parts of any size', async () => {
  const bytes = new Uint8Array(3 * 2 ** 20 + 5).map((_, i) => (i * 31) ^ (i >> 9));
  const whole = await xxh64Of(bytes);
  for (const size of [7, 4096, 2 ** 20 + 1]) {
    const hash = await createXxh64();
    for (let at = 0; at < bytes.length; at += size) hash?.add(bytes.subarray(at, at + size));
    expect(hash?.hex(), `${size}`).toBe(whole);
  }
  const other = bytes.slice();
  other.set([~(bytes[2 ** 20] as number)], 2 ** 20);
  expect(await xxh64Of(other)).not.toBe(whole);
});
