// Features of clips without the silence after them equal those of the whole window.
import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { clipFeatures } from '../../../../src/features/speech/audio/clip-features.ts';
import { LogMel } from '../../../../src/features/speech/audio/log-mel.ts';
import { wholeRow } from '../../../../src/features/speech/batches/frame-rows.ts';

const mel = new LogMel(16);
const r = random(5);
const clip = (length: number) => Float32Array.from({ length }, () => r.normal() / 10);

it.each([201, 1600, 1777, 15_300, 15_999, 16_000, 17_000])(
  'of %i samples in a window of 16,000',
  (length) => {
    const samples = clip(length);
    const window = new Float32Array(16_000);
    window.set(samples.subarray(0, 16_000));
    const row = clipFeatures(mel, samples, 16_000);
    expect(row.length).toBe(100);
    expect(wholeRow(row, 16)).toEqual(mel.features(window));
    if (length < 15_000) expect(row.data.length).toBeLessThan(16 * (length / 160 + 4));
  },
);

it('are those of the clip itself without a window', () => {
  const samples = clip(2000);
  expect(clipFeatures(mel, samples)).toEqual({ data: mel.features(samples), length: 12, fill: 0 });
});
