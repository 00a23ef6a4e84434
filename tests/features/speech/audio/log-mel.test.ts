// Log-mel features: a plain DFT of the formulas gives the same numbers, for short clips and odd lengths too.

import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { LogMel, LogMelStream } from '../../../../src/features/speech/audio/log-mel.ts';
import { errorAbout } from '../../../support/expect-error.ts';

/** The formulas of ../shared/golden-whisper/README.md, term by term. */
function plainFeatures(samples: Float32Array, mels: number): number[][] {
  const n = samples.length;
  const at = (i: number) => samples[i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i] as number;
  const mel = (f: number) => (f < 1000 ? (3 * f) / 200 : 15 + (27 * Math.log(f / 1000)) / Math.log(6.4));
  const hertz = (m: number) => (m < 15 ? (200 * m) / 3 : 1000 * Math.exp((Math.log(6.4) * (m - 15)) / 27));
  const edges = Array.from({ length: mels + 2 }, (_, i) => hertz((mel(8000) * i) / (mels + 1)));
  const frames = Math.max(1, Math.floor(n / 160));
  const logs = Array.from({ length: frames }, (_, t) => {
    const power = Array.from({ length: 201 }, (_, k) => {
      let [re, im] = [0, 0];
      for (let i = 0; i < 400; i++) {
        const x = at(160 * t - 200 + i) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / 400));
        re += x * Math.cos((2 * Math.PI * i * k) / 400);
        im -= x * Math.sin((2 * Math.PI * i * k) / 400);
      }
      return re * re + im * im;
    });
    return Array.from({ length: mels }, (_, m) => {
      const [a, b, c] = edges.slice(m, m + 3) as [number, number, number];
      const sum = power.reduce((total, p, k) => {
        const f = 40 * k;
        return total + (p * Math.max(0, Math.min((f - a) / (b - a), (c - f) / (c - b))) * 2) / (c - a);
      }, 0);
      return Math.log10(Math.max(sum, 1e-10));
    });
  });
  const top = Math.max(...logs.flat());
  return logs.map((row) => row.map((y) => (Math.max(y, top - 8) + 4) / 4));
}

it.each([
  [80, 1600],
  [128, 1133],
  [80, 201],
])('%i bands of %i samples are those of the formulas', (mels, length) => {
  const r = random(length);
  const samples = Float32Array.from({ length }, (_, i) => Math.sin(i / 7) * 0.3 + r.normal() * 0.01);
  const got = new LogMel(mels).features(samples);
  const want = plainFeatures(samples, mels).flat();
  expect(got).toHaveLength(want.length);
  const worst = Math.max(...want.map((x, i) => Math.abs(x - (got[i] as number))));
  expect(worst).toBeLessThan(1e-6);
});

it('needs more samples than half a window', () => {
  expect(() => new LogMel(80).features(new Float32Array(200))).toThrow(
    errorAbout({ area: 'features', values: [200] }),
  );
});

it.each([
  [1, 700],
  [128, 4000],
  [1000, 16_001],
  [16_000, 40_000],
])('pieces of %i samples have the bits of the whole of %i', (size, length) => {
  const r = random(size);
  const samples = Float32Array.from({ length }, () => r.normal() / 10);
  const mel = new LogMel(40);
  const stream = new LogMelStream(mel);
  for (let at = 0; at < length; at += size) {
    stream.push(samples.subarray(at, at + size));
    // Features in between change nothing.
    if (stream.length > 200 && at % 3 === 0)
      expect(stream.features()).toEqual(mel.features(samples.subarray(0, stream.length)));
  }
  expect(stream.features()).toEqual(mel.features(samples));
  const window = new Float32Array(length + 2345);
  window.set(samples);
  expect(stream.features(window.length)).toEqual(mel.features(window));
  expect(stream.frames).toBe(Math.floor((length - 200) / 160) + 1);
  expect(stream.logs(0)).toHaveLength(stream.frames * 40);
});
