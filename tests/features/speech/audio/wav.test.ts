// WAV files: formats, chunks in any order, damage; and recordings that cannot be speech.

import { describe, expect, it } from 'vitest';
import { resample } from '../../../../src/features/speech/audio/resample.ts';
import { readSpeechFile, speechSamples } from '../../../../src/features/speech/audio/speech-samples.ts';
import { readWav, writeWav } from '../../../../src/features/speech/audio/wav.ts';
import { type ExpectedError, errorAbout } from '../../../support/expect-error.ts';

const tone = (rate: number, seconds: number, hertz = 440) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate));

describe('a WAV file', () => {
  it('of 16 bits has samples of 1/32768', () => {
    const samples = Float32Array.of(0, 1 / 32768, -1, 0.5, 32767 / 32768);
    const { rate, channels } = readWav(writeWav(samples, 16000), 'a.wav');
    expect(rate).toBe(16000);
    expect([...(channels[0] ?? [])]).toEqual([...samples]);
  });

  it('may have other chunks, of odd length, before its data', () => {
    const plain = writeWav(tone(16000, 0.1), 16000);
    const chunk = Uint8Array.of(...new TextEncoder().encode('LIST'), 3, 0, 0, 0, 1, 2, 3, 0);
    const both = new Uint8Array(plain.length + chunk.length);
    both.set(plain.subarray(0, 36));
    both.set(chunk, 36);
    both.set(plain.subarray(36), 36 + chunk.length);
    expect(readWav(both, 'a.wav')).toEqual(readWav(plain, 'a.wav'));
  });

  it('of a program that streams ends with the file, whatever its length says', () => {
    const good = writeWav(tone(16000, 0.1), 16000);
    for (const [file, data] of [
      [0, 0],
      [0xffffffff, 0xffffffff],
      [good.length, 0x7fffffff],
    ] as const) {
      const streamed = good.slice();
      const view = new DataView(streamed.buffer);
      view.setUint32(4, file, true);
      view.setUint32(40, data, true);
      expect(readWav(streamed, 'a.wav')).toEqual(readWav(good, 'a.wav'));
    }
  });

  it('that is damaged is an error that names the file', () => {
    const good = writeWav(tone(16000, 0.1), 16000);
    const changed = (at: number, ...bytes: number[]) => {
      const copy = good.slice();
      copy.set(bytes, at);
      return copy;
    };
    const cases: [Uint8Array, ExpectedError][] = [
      [new Uint8Array(), { area: 'a.wav' }],
      [changed(0, 0x4f), { area: 'a.wav' }],
      [good.slice(0, 30), { area: 'a.wav' }],
      [good.slice(0, 12), { area: 'a.wav' }],
      [good.slice(0, 36), { area: 'a.wav' }],
      [good.slice(0, 100), { area: 'a.wav' }],
      [changed(20, 85), { area: 'a.wav' }],
      [changed(22, 0), { area: 'a.wav' }],
      [changed(24, 1, 0, 0, 0), { area: 'a.wav' }],
      [changed(34, 12), { area: 'a.wav' }],
    ];
    for (const [bytes, expected] of cases)
      expect(() => readWav(bytes, 'a.wav')).toThrow(errorAbout(expected));
    for (let length = 0; length < good.length; length += 7)
      expect(() => {
        try {
          readWav(good.slice(0, length), 'a.wav');
        } catch (error) {
          if (!(error as Error).message.startsWith('a.wav: ')) throw error;
        }
      }).not.toThrow();
  });
});

describe('speech', () => {
  it('is one channel at 16 kHz, the mean of the channels', () => {
    const left = tone(44100, 0.5);
    const got = speechSamples({ rate: 44100, channels: [left, left.map(() => 0)] }, 'a.wav');
    const want = tone(16000, 0.5);
    expect(got).toHaveLength(8000);
    // Not near the ends, where the filter reads zeros.
    for (let i = 500; i < 7500; i++) expect(got[i]).toBeCloseTo((want[i] as number) / 2, 3);
  });

  it('has the bits of a recording that is resampled as a whole, over several steps', () => {
    const samples = tone(44100, 4, 440);
    const got = speechSamples({ rate: 44100, channels: [samples] }, 'a.wav');
    expect(got).toEqual(resample(samples, 44100, 16000));
    const file = writeWav(samples, 44100);
    expect(readSpeechFile(file, 'a.wav')).toEqual(speechSamples(readWav(file, 'a.wav'), 'a.wav'));
  });

  it('loses what is above half of the rate', () => {
    const high = resample(tone(48000, 0.5, 12000), 48000, 16000);
    expect(Math.max(...high.subarray(200, -200).map(Math.abs))).toBeLessThan(1e-3);
  });

  it.each([
    [[], { area: 'a.wav' }],
    [[new Float32Array()], { area: 'a.wav' }],
    [[new Float32Array(16000)], { area: 'a.wav' }],
    [[tone(16000, 0.01)], { area: 'a.wav' }],
    [
      [Float32Array.from(tone(16000, 1), (x, i) => (i === 5 ? Number.NaN : x))],
      { area: 'a.wav', values: [5] },
    ],
  ])('is refused if it cannot be speech: %#', (channels, expected) => {
    expect(() => speechSamples({ rate: 16000, channels }, 'a.wav')).toThrow(errorAbout({ area: 'a.wav' }));
    expect(() => speechSamples({ rate: 16000, channels }, 'a.wav')).toThrow(errorAbout(expected));
  });
});
