// WAV files: reads PCM of 8 to 32 bits, floats, A-law and µ-law, any number of channels; writes 16 bit.

import {
  type BitDepth,
  bufferToFloat32Channels,
  encodeWaveFromFloat32Channels,
  type SampleFormat,
} from '@echogarden/wave-codec';
import { check, HeddleError } from '../../../core/errors.ts';
import { type Message, msg } from '../../../core/message.ts';

/** A recording as samples, as `readWav` decodes it. */
export interface Sound {
  /** Samples a second. */
  readonly rate: number;
  /** Samples of each channel, from -1 to 1. */
  readonly channels: readonly Float32Array[];
}

/** Audio whose samples are decoded part by part: a long recording takes seconds and much memory as a whole. */
export interface SoundParts {
  /** Samples a second. */
  readonly rate: number;
  /** Samples of a channel. */
  readonly length: number;
  /** Samples of each channel from `start` to before `end`. */
  part(start: number, end: number): readonly Float32Array[];
}

/** `format` of a `fmt ` chunk whose true format is in its extension. */
const extensible = 0xfffe;

/** Bits that a sample may have in each format: PCM, floats, A-law, µ-law. */
const bitsOf: Readonly<Record<number, readonly number[]>> = {
  1: [8, 16, 24, 32],
  3: [32, 64],
  6: [8],
  7: [8],
};

/** Sample rates that are taken for real. */
const [minRate, maxRate] = [1000, 768000];

/** Whether bytes are a WAV file by their first ones. */
export const isWav = (bytes: Uint8Array): boolean =>
  bytes.length >= 12 && textOf(bytes, 0) === 'RIFF' && textOf(bytes, 8) === 'WAVE';

const textOf = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

/** Throws a HeddleError that starts with `name` if the first bytes are not those of a WAV file. */
export function checkWav(bytes: Uint8Array, name: string): void {
  check(isWav(bytes), 'not a WAV file; convert it, for example with ffmpeg -i FILE -ar 16000 -ac 1 out.wav', {
    area: name,
  });
}

/**
 * Opens a WAV file. Throws a HeddleError that starts with `name` if it is damaged or of a kind that is not supported.
 */
export function openWav(bytes: Uint8Array, name: string): SoundParts {
  const fail = (reason: Message): never => {
    throw new HeddleError(reason, { area: name });
  };
  checkWav(bytes, name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: { kind: number; channels: number; rate: number; frame: number; bits: number } | undefined;
  let data: Uint8Array | undefined;
  // A chunk is a name, a length and its bytes, and a byte of padding if the length is odd. A program that
  // streams does not know the length of the data, which then end with the file: it writes 0 or a huge number.
  const isOpen = (size: number) => size >= 0x7fff0000 || (size === 0 && view.getUint32(4, true) === 0);
  for (let at = 12; at + 8 <= bytes.length && !data; ) {
    const [id, size, start] = [textOf(bytes, at), view.getUint32(at + 4, true), at + 8];
    if (id === 'fmt ') {
      if (size < 16 || start + size > bytes.length) fail(msg`its format chunk is cut off`);
      const kind = view.getUint16(start, true);
      format = {
        kind: kind === extensible && size >= 26 ? view.getUint16(start + 24, true) : kind,
        channels: view.getUint16(start + 2, true),
        rate: view.getUint32(start + 4, true),
        frame: view.getUint16(start + 12, true),
        bits: view.getUint16(start + 14, true),
      };
    } else if (id === 'data') {
      data = bytes.subarray(start, isOpen(size) ? undefined : start + size);
      if (data.length < size && !isOpen(size))
        fail(msg`it is cut off: ${data.length} of ${size} bytes of samples are there`);
    }
    at = start + size + (size % 2);
  }
  if (!format || !data)
    return fail(msg`there is no ${format ? 'data' : 'format'} chunk; the file is damaged`);
  const { kind, channels, rate, frame, bits } = format;
  if (!bitsOf[kind]?.includes(bits))
    fail(msg`format ${kind} with ${bits} bits is not supported; convert it to PCM of 16 bits`);
  if (channels < 1 || channels > 64 || frame !== (channels * bits) / 8)
    fail(msg`${channels} channels in frames of ${frame} bytes do not fit; the file is damaged`);
  if (rate < minRate || rate > maxRate)
    fail(msg`a sample rate of ${rate} Hz, ${minRate} to ${maxRate} are supported; the file is damaged`);
  return {
    rate,
    length: Math.floor(data.length / frame),
    // The decoder reads its buffer from the start.
    part: (start, end) =>
      bufferToFloat32Channels(
        data.slice(start * frame, end * frame),
        channels,
        bits as BitDepth,
        kind as SampleFormat,
      ),
  };
}

/** Reads all samples of a WAV file. Throws as `openWav`. */
export function readWav(bytes: Uint8Array, name: string): Sound {
  const { rate, length, part } = openWav(bytes, name);
  return { rate, channels: part(0, length) };
}

/**
 * A WAV file of 16 bits from the samples of one channel, from -1 to 1, at `rate` Hz. Throws a HeddleError if heddle reads no
 * recordings of this rate.
 */
export function writeWav(samples: Float32Array, rate: number): Uint8Array {
  check(rate >= minRate && rate <= maxRate, msg`a sample rate of ${rate} Hz`, { area: 'audio' });
  return encodeWaveFromFloat32Channels([samples], rate, 16);
}
