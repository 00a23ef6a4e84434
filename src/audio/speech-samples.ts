// Speech as the models read it: one channel at 16 kHz, checked for what cannot be speech.

import { HeddleError } from '../core/errors.ts';
import { minSamples, sampleRate } from './log-mel.ts';
import { resample } from './resample.ts';
import { readWav, type Sound } from './wav.ts';

/** Maximum length of a recording, in hours. */
export const maxHours = 24;

/** Amplitude below which a whole recording is silence: less than the last bit of 16. */
export const silence = 1 / 32768;

/** Throws a HeddleError that starts with `name` if sample `i` is not finite. */
export function checkSample(x: number, i: number, name: string): void {
  if (!Number.isFinite(x))
    throw new HeddleError(`${name}: sample ${i} is ${x}; the file is damaged`, { kind: 'input' });
}

/**
 * Samples of a recording at 16 kHz: the mean of its channels, resampled. Throws a HeddleError that starts with
 * `name` if it is empty, silent, longer than a day, or has samples that are not finite.
 */
export function speechSamples({ rate, channels }: Sound, name: string): Float32Array {
  const fail = (reason: string): never => {
    throw new HeddleError(`${name}: ${reason}`, { kind: 'input' });
  };
  const [first] = channels;
  const length = first?.length ?? 0;
  if (!first || length === 0) return fail('there is no audio in it');
  const seconds = length / rate;
  if (seconds > 3600 * maxHours)
    fail(`${Math.round(seconds / 3600)} hours long, at most ${maxHours} are supported`);
  if (seconds * sampleRate <= minSamples)
    fail(`${(1000 * seconds).toFixed(1)} ms long, too short for speech`);
  const mono = channels.length === 1 ? first : new Float32Array(length);
  if (channels.length > 1)
    for (const channel of channels)
      for (let i = 0; i < length; i++)
        mono[i] = (mono[i] as number) + (channel[i] as number) / channels.length;
  let loudest = 0;
  for (let i = 0; i < length; i++) {
    const x = mono[i] as number;
    checkSample(x, i, name);
    loudest = Math.max(loudest, Math.abs(x));
  }
  if (loudest <= silence) fail('it is silent');
  return resample(mono, rate, sampleRate);
}

/** Samples of a WAV file at 16 kHz; see `readWav` and `speechSamples`. */
export const readSpeechFile = (bytes: Uint8Array, name: string): Float32Array =>
  speechSamples(readWav(bytes, name), name);
