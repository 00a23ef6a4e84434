// SpeechModel.transcribe: audio of any kind as samples, and the transcriber of a model on its engine.

import type { ModelEngine } from '../../api/model-engine.ts';
import { withCallbacks } from '../../core/callbacks.ts';
import { check, checkSignal, HeddleError } from '../../core/errors.ts';
import { boolean, checkFields, choice, custom, type FieldTable, integer } from '../../core/fields.ts';
import { msg } from '../../core/message.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import type { Engine } from '../../engine/engine.ts';
import { readable } from '../../files/blob-files.ts';
import { checkInputSize } from '../../files/read-input.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { LogMel, minSamples, sampleRate } from './audio/log-mel.ts';
import { maxRecording } from './audio/read-recording.ts';
import { Resampler } from './audio/resample.ts';
import {
  checkSample,
  maxHours,
  partsOf,
  silence,
  speechSamples,
  speechSteps,
} from './audio/speech-samples.ts';
import { isWav, openWav, type Sound, type SoundParts } from './audio/wav.ts';
import { speechOf } from './decode/frame-facts.ts';
import { StreamedSpeech, WholeSpeech } from './decode/speech-windows.ts';
import type { TranscribeOptions, Transcription } from './decode/transcribe-options.ts';
import { Transcriber } from './decode/transcriber.ts';
import { type SpeechTurn, transcribeRecording } from './decode/transcription.ts';

/** Audio as an AudioBuffer of the Web Audio API has it. */
interface BufferOfAudio {
  readonly sampleRate: number;
  readonly numberOfChannels: number;
  getChannelData(channel: number): Float32Array;
}

/** A recording whose samples are still arriving, such as those of a microphone: pieces of one channel, in order. */
export interface SpeechStream {
  /** Samples a second. */
  readonly rate: number;
  /** Samples from -1 to 1; the recording ends with the last piece. */
  readonly pieces: AsyncIterable<Float32Array>;
}

/**
 * A recording: samples at 16 kHz; samples of each channel at any rate; an AudioBuffer; or the bytes of a WAV file,
 * and in a page of any file that the browser decodes.
 */
export type SpeechInput = Float32Array | Sound | BufferOfAudio | Uint8Array | ArrayBuffer | Blob;

const text = custom<string>({
  unit: 'text',
  words: 'a text',
  typescript: 'string',
  accepts: (value): value is string => typeof value === 'string',
});
const temperatures = custom<number | readonly number[]>({
  unit: 't',
  words: 'a number from 0 to 100, or a list of them',
  typescript: 'number | readonly number[]',
  accepts: (value): value is number | readonly number[] => {
    const all: unknown[] = [value].flat();
    return all.length > 0 && all.every((t) => typeof t === 'number' && (t === 0 || (t >= 1e-3 && t <= 100)));
  },
});

/** The options of a transcription that are checked; functions and the signal are not. */
const fields = {
  language: { type: text },
  task: { type: choice(['transcribe', 'translate']) },
  timestamps: { type: boolean },
  attention: { type: boolean },
  beams: { type: integer(1, 'n', 64) },
  temperature: { type: temperatures },
  prompt: { type: text },
  conditionOnPrevious: { type: boolean },
  maxCompressionRatio: { type: { kind: 'number', above: 0, unit: 'ratio' } },
  minLogProb: { type: { kind: 'number', max: 0, unit: 'log' } },
  noSpeechThreshold: { type: { kind: 'number', min: 0, max: 1, unit: 'p' } },
  seed: { type: integer(0, 'n', 2 ** 32 - 1) },
} as const satisfies FieldTable;

const transcribers = new WeakMap<
  Engine,
  { readonly parameters: ParameterList; readonly transcriber: Transcriber }
>();

/**
 * Transcribes a recording with a model on its engine; see `SpeechModel.transcribe`. The model is free for other calls
 * while the samples of a stream are awaited.
 */
export function transcribeSpeech(
  model: ModelEngine,
  audio: SpeechInput | SpeechStream,
  given: TranscribeOptions,
  name = 'transcribe',
): Promise<Transcription> {
  return withCallbacks(given, async (options) => {
    const { onSegment, onPartial, onProgress, signal, ...others } = options;
    checkFields({ area: 'transcribe' }, fields, others);
    checkSignal(signal);
    const { saved } = model;
    const speech = speechOf(saved);
    check(speech, 'the model does not read speech; use a Whisper model', { area: 'transcribe' });
    const windowing = { mel: new LogMel(saved.config.frameWidth), speech };
    const turn: SpeechTurn = (work) => model.inTurn(async () => work(await transcriberOf(model)), signal);
    return untilAborted(signal, async () => {
      const recording = isStream(audio)
        ? new StreamedSpeech(streamOf(audio, name), windowing)
        : new WholeSpeech(await samplesOf(audio, name, signal), windowing);
      return transcribeRecording(saved, speech, recording, options, turn);
    });
  });
}

/** What decodes speech on the engine of a model. Call it within a turn. */
async function transcriberOf(model: ModelEngine): Promise<Transcriber> {
  const engine = await model.engine();
  const { parameters, saved } = model;
  const known = transcribers.get(engine);
  if (known?.parameters === parameters) return known.transcriber;
  const transcriber = new Transcriber(engine, saved, parameters, (peak) => model.write(peak));
  transcribers.set(engine, { parameters, transcriber });
  return transcriber;
}

const isStream = (audio: SpeechInput | SpeechStream): audio is SpeechStream =>
  typeof audio === 'object' && audio !== null && 'pieces' in audio;

/** The pieces of a stream at 16 kHz; throws what `speechSamples` throws, in part when the stream ends. */
async function* streamOf({ rate, pieces }: SpeechStream, name: string): AsyncGenerator<Float32Array, void> {
  check(rate >= 1000 && rate <= 768000, msg`a sample rate of ${rate} Hz, 1000 to 768000 are supported`, {
    area: name,
  });
  const resampler = rate === sampleRate ? undefined : new Resampler(rate, sampleRate);
  let [length, loudest] = [0, 0];
  for await (const piece of pieces) {
    check(piece instanceof Float32Array, 'a piece of the stream is not a Float32Array', { area: name });
    for (const [i, x] of piece.entries()) {
      checkSample(x, length + i, name);
      loudest = Math.max(loudest, Math.abs(x));
    }
    length += piece.length;
    check(length <= maxHours * 3600 * rate, msg`more than ${maxHours} hours`, { kind: 'input', area: name });
    resampler?.push(piece);
    const ready = resampler?.read() ?? piece;
    if (ready.length > 0) yield ready;
  }
  // Throws as for a whole recording.
  if (loudest <= silence || length * sampleRate <= minSamples * rate)
    speechSamples({ rate, channels: [new Float32Array(length)] }, name);
  const rest = resampler?.end();
  if (rest && rest.length > 0) yield rest;
}

/** Milliseconds between two turns of the event loop while a recording is read, so that an abort arrives. */
const turnInterval = 50;

/**
 * Samples of a recording at 16 kHz. Throws a HeddleError that starts with `name` if it is none, and the signal's
 * reason if it is aborted.
 */
export async function samplesOf(
  audio: SpeechInput,
  name: string,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const own = audio instanceof File ? audio.name : name;
  const steps = speechSteps(await partsOfInput(audio, own), own);
  for (let last = performance.now(); ; ) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - last < turnInterval) continue;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    last = performance.now();
  }
}

/** The parts of a recording. Throws as `samplesOf`. */
async function partsOfInput(audio: SpeechInput, name: string): Promise<SoundParts> {
  if (audio instanceof Float32Array) return partsOf({ rate: sampleRate, channels: [audio] });
  if (audio instanceof Blob) {
    const file = await readable(audio, name);
    checkInputSize(file.size, name, maxRecording);
    return partsOfInput(new Uint8Array(await file.arrayBuffer()), name);
  }
  if (audio instanceof ArrayBuffer) return partsOfInput(new Uint8Array(audio), name);
  if (audio instanceof Uint8Array) {
    if (isWav(audio) || !canDecode()) return openWav(audio, name);
    return partsOf(soundOf(await decodeInBrowser(audio, name)));
  }
  if (typeof audio === 'object' && audio !== null && 'getChannelData' in audio)
    return partsOf(soundOf(audio));
  if (typeof audio === 'object' && audio !== null && 'channels' in audio) return partsOf(audio);
  throw new HeddleError(
    'give samples at 16 kHz (Float32Array), { rate, channels }, an AudioBuffer, or the bytes of a file',
    { area: name },
  );
}

const soundOf = (buffer: BufferOfAudio): Sound => ({
  rate: buffer.sampleRate,
  channels: Array.from({ length: buffer.numberOfChannels }, (_, c) => buffer.getChannelData(c)),
});

/** The part of the Web Audio API that decodes files. */
type OfflineContext = new (
  channels: number,
  length: number,
  rate: number,
) => { decodeAudioData(bytes: ArrayBuffer): Promise<BufferOfAudio> };

const canDecode = (): boolean => 'OfflineAudioContext' in globalThis;

/** Decodes a file of any kind that the browser knows. */
async function decodeInBrowser(bytes: Uint8Array, name: string): Promise<BufferOfAudio> {
  const { OfflineAudioContext } = globalThis as unknown as { OfflineAudioContext: OfflineContext };
  try {
    // The rate of most files; the context resamples others to it.
    return await new OfflineAudioContext(1, 1, 48000).decodeAudioData(bytes.slice().buffer);
  } catch (cause) {
    throw new HeddleError('the browser cannot decode this file; convert it to WAV', {
      area: name,
      cause,
      kind: 'input',
    });
  }
}
