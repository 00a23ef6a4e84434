// Resampling piece by piece has the bits of the whole.

import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { Resampler, resample } from '../../../../src/features/speech/audio/resample.ts';

it.each([
  [48_000, 16_000, 128],
  [44_100, 16_000, 1000],
  [8000, 16_000, 777],
  [22_050, 16_000, 1],
])('from %i to %i Hz in pieces of %i samples', (from, to, size) => {
  const r = random(from);
  const samples = Float32Array.from({ length: 6000 }, () => r.normal());
  const stream = new Resampler(from, to);
  const got: number[] = [];
  for (let at = 0; at < samples.length; at += size) {
    stream.push(samples.subarray(at, at + size));
    for (const x of stream.read()) got.push(x);
  }
  // Results come while the samples do.
  expect(got.length).toBeGreaterThan((5500 * to) / from);
  const total = Math.floor((samples.length * to) / from);
  for (const x of stream.end(total)) got.push(x);
  expect(Float32Array.from(got)).toEqual(resample(samples, from, to));
});
