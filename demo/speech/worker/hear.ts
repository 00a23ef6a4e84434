// Hears a recording with a model: its text, its cross-attention and its features.

import {
  LogMel,
  LogMelStream,
  Resampler,
  readSpeech,
  type SpeechAttention,
  type SpeechModel,
  writeWav,
} from '../../../src/entries/speech.ts';
import { doubtfulWords } from '../../common/doubtful-words.ts';
import { english } from '../../common/english.ts';
import type { Heard, Reply } from '../speech-protocol.ts';

/** Samples a second of what models read. */
const rate = 16_000;

/**
 * A word with a token of a lower probability is doubtful. On 162 clips of six voices of espeak-ng, half of them with words
 * that the built-in model does not know: of the 111 texts with an error 83 % have a mark, of the 51 right ones 24 %.
 */
const leastSure = 0.8;

/** Number of bands of the spectrogram that is drawn while the microphone records. */
const drawnMels = 80;

/** Transcribes a file. */
export async function hearFile(
  model: SpeechModel,
  sound: Blob,
  language: string | undefined,
  post: (reply: Reply) => void,
): Promise<Heard> {
  const samples = await readSpeech(sound, sound instanceof File ? sound.name : english`the recording`);
  const begin = performance.now();
  const { text, segments, duration, ...heard } = await model.transcribe(samples, {
    language,
    attention: true,
    onPartial: (partial) => post({ type: 'partial', heard: partial }),
  });
  const mels = model.config.frameWidth;
  return {
    text,
    doubts: doubtsOf(text, heard.attention ?? []),
    duration,
    language: heard.language,
    attention: heard.attention ?? [],
    mels,
    segments: segments.map(({ start, end, text: own }) => ({ start, end, text: own })),
    features: new LogMel(mels).features(samples),
    seconds: (performance.now() - begin) / 1000,
    sound: wavOf(samples),
  };
}

/** Ranges of the words that the model is not sure of. */
const doubtsOf = (text: string, windows: readonly SpeechAttention[]): Heard['doubts'] =>
  doubtfulWords(
    text,
    windows.flatMap(({ tokens, logProbs }) =>
      tokens.map((token, t) => ({ token, logProb: logProbs[t] as number })),
    ),
    leastSure,
  );

/** Transcribes a stream while it arrives; events tell the text so far and the new frames. */
export async function hearStream(
  model: SpeechModel,
  given: { readonly rate: number; readonly pieces: AsyncIterable<Float32Array> },
  language: string | undefined,
  post: (reply: Reply) => void,
): Promise<Heard> {
  const stream = new LogMelStream(new LogMel(model.config.frameWidth));
  const all: Float32Array[] = [];
  let ended = 0;
  async function* pieces(): AsyncGenerator<Float32Array, void> {
    for await (const piece of drawn(given, post)) {
      all.push(piece);
      stream.push(piece);
      yield piece;
    }
    ended = performance.now();
  }
  const { text, segments, duration, ...heard } = await model.transcribe(
    { rate, pieces: pieces() },
    { language, attention: true, onPartial: (partial) => post({ type: 'partial', heard: partial }) },
    english`the recording`,
  );
  return {
    text,
    doubts: doubtsOf(text, heard.attention ?? []),
    duration,
    language: heard.language,
    attention: heard.attention ?? [],
    segments: segments.map(({ start, end, text: own }) => ({ start, end, text: own })),
    mels: model.config.frameWidth,
    features: stream.features(),
    seconds: (performance.now() - ended) / 1000,
    sound: wavOf(joined(all)),
  };
}

/** A stream as a WAV file; events tell the new frames. */
export async function recordStream(
  given: { readonly rate: number; readonly pieces: AsyncIterable<Float32Array> },
  post: (reply: Reply) => void,
): Promise<Uint8Array> {
  const all: Float32Array[] = [];
  for await (const piece of drawn(given, post)) all.push(piece);
  return writeWav(joined(all), rate);
}

/** Samples below it are silence, and how many of them stay before the first sound. */
const silence = 0.01;
const keptSilence = 1600;

/**
 * A stream at 16 kHz from its first sound on: between the press of a button and the first word passes time, which small
 * models have not learned to skip. A stream without a sound keeps its last silence.
 */
async function* fromFirstSound(stream: AsyncIterable<Float32Array>): AsyncGenerator<Float32Array, void> {
  let before: Float32Array | undefined = new Float32Array();
  for await (const piece of stream) {
    if (!before) {
      yield piece;
      continue;
    }
    const all = joined([before, piece]);
    const first = all.findIndex((sample) => Math.abs(sample) >= silence);
    before = first < 0 ? all.slice(-keptSilence) : undefined;
    if (first >= 0) yield all.slice(Math.max(0, first - keptSilence));
  }
  if (before) yield before;
}

/** A stream at 16 kHz. */
async function* resampled(given: {
  readonly rate: number;
  readonly pieces: AsyncIterable<Float32Array>;
}): AsyncGenerator<Float32Array, void> {
  const resampler = given.rate === rate ? undefined : new Resampler(given.rate, rate);
  for await (const raw of given.pieces) {
    resampler?.push(raw);
    yield resampler?.read() ?? raw;
  }
  const rest = resampler?.end();
  if (rest) yield rest;
}

/** A stream at 16 kHz, whose frames are posted as they come. */
async function* drawn(
  given: { readonly rate: number; readonly pieces: AsyncIterable<Float32Array> },
  post: (reply: Reply) => void,
): AsyncGenerator<Float32Array, void> {
  const stream = new LogMelStream(new LogMel(drawnMels));
  let shown = 0;
  for await (const piece of fromFirstSound(resampled(given))) {
    stream.push(piece);
    const { frames } = stream;
    if (frames > shown)
      post({ type: 'frames', logs: Float32Array.from(stream.logs(shown)), mels: drawnMels });
    shown = frames;
    yield piece;
  }
}

const wavOf = (samples: Float32Array): Blob =>
  new Blob([writeWav(samples, rate) as BlobPart], { type: 'audio/wav' });

function joined(pieces: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
