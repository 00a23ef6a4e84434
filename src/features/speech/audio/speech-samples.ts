// Speech as the models read it: one channel at 16 kHz, checked for what cannot be speech.

import { HeddleError } from '../../../core/errors.ts';
import { type Message, msg } from '../../../core/message.ts';
import { runSteps, type Steps } from '../../../core/steps.ts';
import { minSamples, sampleRate } from './log-mel.ts';
import { Resampler } from './resample.ts';
import { openWav, type Sound, type SoundParts } from './wav.ts';

/** Maximum length of a recording, in hours. */
export const maxHours = 24;

/** Amplitude below which a whole recording is silence: less than the last bit of 16. */
export const silence = 1 / 32768;

/** Throws a HeddleError that starts with `name` if sample `i` is not finite. */
export function checkSample(x: number, i: number, name: string): void {
  if (!Number.isFinite(x))
    throw new HeddleError(msg`sample ${i} is ${x}; the file is damaged`, { area: name });
}

/** Samples that are read in one step: some milliseconds of work. */
const stepSamples = 2 ** 16;

/** The parts of a sound that is decoded. */
export const partsOf = ({ rate, channels }: Sound): SoundParts => ({
  rate,
  length: channels[0]?.length ?? 0,
  part: (start, end) => channels.map((channel) => channel.subarray(start, end)),
});

/** The mean of channels. */
function meanOf(channels: readonly Float32Array[]): Float32Array {
  const [first] = channels as readonly [Float32Array];
  if (channels.length === 1) return first;
  const mean = new Float32Array(first.length);
  for (const channel of channels)
    for (let i = 0; i < mean.length; i++)
      mean[i] = (mean[i] as number) + (channel[i] as number) / channels.length;
  return mean;
}

/**
 * Samples of a recording at 16 kHz: the mean of its channels, resampled; its progress is in seconds. Throws a
 * HeddleError that starts with `name` if it is empty, silent (unless `maybeSilent`), longer than a day, or has samples that are not finite.
 */
export function* speechSteps(
  { rate, length, part }: SoundParts,
  name: string,
  { maybeSilent = false } = {},
): Steps<Float32Array> {
  const fail = (reason: Message): never => {
    throw new HeddleError(reason, { area: name });
  };
  if (length === 0) return fail(msg`there is no audio in it`);
  const seconds = length / rate;
  if (seconds > 3600 * maxHours)
    fail(msg`${Math.round(seconds / 3600)} hours long, at most ${maxHours} are supported`);
  if (seconds * sampleRate <= minSamples)
    fail(msg`${(1000 * seconds).toFixed(1)} ms long, too short for speech`);
  const out = new Float32Array(Math.floor((length * sampleRate) / rate));
  const resampler = rate === sampleRate ? undefined : new Resampler(rate, sampleRate);
  let [loudest, filled] = [0, 0];
  for (let start = 0; start < length; start += stepSamples) {
    const mono = meanOf(part(start, Math.min(length, start + stepSamples)));
    for (let i = 0; i < mono.length; i++) {
      const x = mono[i] as number;
      checkSample(x, start + i, name);
      loudest = Math.max(loudest, Math.abs(x));
    }
    resampler?.push(mono);
    const ready = resampler?.read() ?? mono;
    out.set(ready, filled);
    filled += ready.length;
    yield { task: 'read audio', done: start / rate, total: seconds };
  }
  if (loudest <= silence && !maybeSilent) fail(msg`it is silent`);
  if (resampler) out.set(resampler.end(out.length), filled);
  return out;
}

/** The result of `speechSteps` at once. */
export const speechSamples = (sound: Sound, name: string): Float32Array =>
  runSteps(speechSteps(partsOf(sound), name));

/** Samples of a WAV file at 16 kHz; see `openWav` and `speechSteps`. */
export const readSpeechFile = (
  bytes: Uint8Array,
  name: string,
  options?: { readonly maybeSilent?: boolean },
): Float32Array => runSteps(speechSteps(openWav(bytes, name), name, options));
