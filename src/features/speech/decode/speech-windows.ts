// The windows of a recording, as a transcription reads them: of samples that are all there, or of a stream, whose
// features are computed while the samples arrive.

import { type LogMel, LogMelStream, minSamples, sampleRate } from '../audio/log-mel.ts';
import type { SpeechFacts } from './speech-facts.ts';

/** A window of a recording. */
export interface SpeechWindow {
  /** Frames [T, mels], with silence after the recording if the model needs whole windows. */
  readonly frames: Float32Array;
  /** Number of samples of the recording in it. */
  readonly length: number;
}

/** A recording that is read window by window. */
export interface RecordedSpeech {
  /** Whether it is longer than a window; known after the first window was read. */
  readonly isLong: boolean;
  /** Seconds of the recording; of a stream those that have arrived. */
  readonly duration: number;
  /**
   * The window that starts at a sample, when all of it is there; undefined after the end. `onPart` gets the frames
   * of the samples so far, each second, while samples of a stream are awaited.
   */
  window(start: number, onPart?: (frames: Float32Array) => Promise<void>): Promise<SpeechWindow | undefined>;
}

/** What windows depend on: the features and the facts of the model. */
interface Windowing {
  readonly mel: LogMel;
  readonly speech: Pick<SpeechFacts, 'windowSamples' | 'fillsWindow'>;
}

/** The frames of the samples of a window so far; none of a rest that is too short for features. */
const framesOf = (
  stream: LogMelStream,
  { fillsWindow, windowSamples }: Windowing['speech'],
): Float32Array => {
  const length = fillsWindow ? windowSamples : stream.length;
  return length > minSamples ? stream.features(length) : new Float32Array();
};

/** A recording whose samples at 16 kHz are all there. */
export class WholeSpeech implements RecordedSpeech {
  readonly duration: number;
  readonly isLong: boolean;
  readonly #samples: Float32Array;
  readonly #windowing: Windowing;

  constructor(samples: Float32Array, windowing: Windowing) {
    this.#samples = samples;
    this.#windowing = windowing;
    this.duration = samples.length / sampleRate;
    this.isLong = samples.length > windowing.speech.windowSamples;
  }

  async window(start: number): Promise<SpeechWindow | undefined> {
    if (start >= this.#samples.length) return undefined;
    const { mel, speech } = this.#windowing;
    const piece = this.#samples.subarray(start, start + speech.windowSamples);
    const stream = new LogMelStream(mel);
    stream.push(piece);
    return { frames: framesOf(stream, speech), length: piece.length };
  }
}

/** Samples after which the text so far is decoded again. */
const partSamples = sampleRate;

/** A recording whose samples at 16 kHz arrive piece by piece. */
export class StreamedSpeech implements RecordedSpeech {
  readonly #pieces: AsyncIterator<Float32Array>;
  readonly #windowing: Windowing;
  /** The samples from `first` on; those before are not needed any more. */
  #samples = new Float32Array();
  #first = 0;
  #total = 0;
  #isEnded = false;
  #isLong = false;

  constructor(pieces: AsyncIterable<Float32Array>, windowing: Windowing) {
    this.#pieces = pieces[Symbol.asyncIterator]();
    this.#windowing = windowing;
  }

  get isLong(): boolean {
    return this.#isLong;
  }

  get duration(): number {
    return this.#total / sampleRate;
  }

  async window(
    start: number,
    onPart?: (frames: Float32Array) => Promise<void>,
  ): Promise<SpeechWindow | undefined> {
    const { mel, speech } = this.#windowing;
    const { windowSamples } = speech;
    const stream = new LogMelStream(mel);
    const feed = (samples: Float32Array) => stream.push(samples.subarray(0, windowSamples - stream.length));
    while (this.#total <= start && (await this.#next()));
    this.#samples = this.#samples.slice(Math.max(0, start - this.#first));
    this.#first = start;
    feed(this.#samples);
    let heard = 0;
    // A sample more says whether the recording is longer.
    while (this.#samples.length <= windowSamples) {
      if (onPart && stream.length - heard >= partSamples) {
        heard = stream.length;
        await onPart(framesOf(stream, speech));
      }
      const more = await this.#next();
      if (!more) break;
      feed(more);
    }
    if (this.#samples.length > windowSamples) this.#isLong = true;
    const length = Math.min(this.#samples.length, windowSamples);
    return length === 0 ? undefined : { frames: framesOf(stream, speech), length };
  }

  /** Waits for samples and keeps them; undefined after the end. */
  async #next(): Promise<Float32Array | undefined> {
    if (this.#isEnded) return undefined;
    const { done, value } = await this.#pieces.next();
    if (done) {
      this.#isEnded = true;
      return undefined;
    }
    const joined = new Float32Array(this.#samples.length + value.length);
    joined.set(this.#samples);
    joined.set(value, this.#samples.length);
    this.#samples = joined;
    this.#total += value.length;
    return value;
  }
}
