// Log-mel features of speech as Whisper computes them: frames of 25 ms every 10 ms, their power spectrum by an FFT,
// sums over mel bands, and the logarithm relative to the loudest band. Equal to WhisperFeatureExtractor of
// transformers within 1e-6.

import FFT from 'fft.js';
import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';

/** Samples a second of all audio here. */
export const sampleRate = 16000;
/** Samples between two frames, and of the window of a frame. */
export const hopSamples = 160;
const windowLength = 400;

/** Frames a second: frames of features [T, mels]. */
export const framesPerSecond = sampleRate / hopSamples;

const bins = windowLength / 2 + 1;
/** Smallest power of a band. */
const floor = 1e-10;
/** The window has `parts` interleaved parts of `partLength` samples, each with an FFT of its own. */
const partLength = 16;
const parts = windowLength / partLength;

/** Frequency in Hz of a mel, and the inverse (Slaney, 1998, "Auditory Toolbox"): linear below 1000 Hz. */
const melOf = (hertz: number): number =>
  hertz < 1000 ? (3 * hertz) / 200 : 15 + (27 * Math.log(hertz / 1000)) / Math.log(6.4);
const hertzOf = (mel: number): number =>
  mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp((Math.log(6.4) * (mel - 15)) / 27);

/** Weights of the bins of one band, from bin `first` on. */
interface Band {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Triangular bands of equal area over the bins, equally wide in mel from 0 to 8000 Hz. */
function melBands(mels: number): Band[] {
  const edge = Array.from({ length: mels + 2 }, (_, i) => hertzOf((melOf(sampleRate / 2) * i) / (mels + 1)));
  return Array.from({ length: mels }, (_, m) => {
    const [low, mid, high] = edge.slice(m, m + 3) as [number, number, number];
    const weight = (k: number) => {
      const hertz = (k * sampleRate) / windowLength;
      return (
        (Math.max(0, Math.min((hertz - low) / (mid - low), (high - hertz) / (high - mid))) * 2) / (high - low)
      );
    };
    const used = Array.from({ length: bins }, (_, k) => k).filter((k) => weight(k) > 0);
    return { first: used[0] ?? 0, weights: Float64Array.from(used, weight) };
  });
}

/** Computes features with a number of mel bands; the tables are made once. */
export class LogMel {
  readonly mels: number;
  readonly #bands: readonly Band[];
  readonly #fft = new FFT(partLength);
  readonly #hann = Float64Array.from(
    { length: windowLength },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / windowLength),
  );
  /** cos and -sin of 2π·rk/400, [bins, parts]. */
  readonly #cosines = twiddles((angle) => Math.cos((2 * Math.PI * angle) / windowLength));
  readonly #sines = twiddles((angle) =>
    Math.cos((2 * Math.PI * ((angle + windowLength / 4) % windowLength)) / windowLength),
  );
  readonly #part = new Float64Array(partLength);
  /** Spectra of the parts, [parts, 16] complex numbers, and a view of each. */
  readonly #spectrum = new Float64Array(2 * parts * partLength);
  readonly #spectra = Array.from({ length: parts }, (_, r) =>
    this.#spectrum.subarray(2 * r * partLength, 2 * (r + 1) * partLength),
  );
  readonly #power = new Float64Array(bins);

  constructor(mels: number) {
    check(
      Number.isInteger(mels) && mels >= 1 && mels <= 512,
      msg`${mels} mel bands, 1 to 512 are supported`,
      { area: 'features' },
    );
    this.mels = mels;
    this.#bands = melBands(mels);
  }

  /**
   * Features [T, mels] of samples at 16 kHz, with T = floor(n / 160) of at least 1. Values depend on the loudest
   * band of all frames. Throws a HeddleError if there are 200 samples or fewer.
   */
  features(samples: Float32Array): Float32Array {
    const stream = new LogMelStream(this);
    stream.push(samples);
    return stream.features();
  }

  /**
   * Writes the logarithms of the bands of the frame that starts at sample `start` of a clip of `length` samples:
   * its ends are mirrored. `samples` has those from `first` on; silence follows them.
   */
  writeFrame(
    out: Float64Array,
    samples: Float32Array,
    { start, first, length }: { readonly start: number; readonly first: number; readonly length: number },
  ): void {
    for (let r = 0; r < parts; r++) {
      for (let m = 0; m < partLength; m++) {
        const i = parts * m + r;
        let at = start + i;
        if (at < 0) at = -at;
        else if (at >= length) at = 2 * (length - 1) - at;
        this.#part[m] = (samples[at - first] ?? 0) * (this.#hann[i] as number);
      }
      const spectrum = this.#spectra[r] as Float64Array;
      this.#fft.realTransform(spectrum, this.#part);
      this.#fft.completeSpectrum(spectrum);
    }
    this.#combine();
    for (const [m, band] of this.#bands.entries()) {
      const { weights } = band;
      let sum = 0;
      for (let i = 0; i < weights.length; i++)
        sum += (weights[i] as number) * (this.#power[band.first + i] as number);
      out[m] = Math.log10(Math.max(sum, floor));
    }
  }

  /** The power of the bins. Decimation in time: X[k] = Σ_r exp(-2πi·rk/400) · F_r[k mod 16]. */
  #combine(): void {
    const [cosines, sines, spectrum] = [this.#cosines, this.#sines, this.#spectrum];
    for (let k = 0, n = 0; k < bins; k++) {
      let [re, im] = [0, 0];
      for (let r = 0, q = 2 * (k % partLength); r < parts; r++, n++, q += 2 * partLength) {
        const [cos, sin] = [cosines[n] as number, sines[n] as number];
        const [a, b] = [spectrum[q] as number, spectrum[q + 1] as number];
        re += a * cos - b * sin;
        im += a * sin + b * cos;
      }
      this.#power[k] = re * re + im * im;
    }
  }
}

/** A function of the angle rk mod 400 of each bin k and part r. */
const twiddles = (of: (angle: number) => number): Float64Array =>
  Float64Array.from({ length: bins * parts }, (_, n) =>
    of(((n % parts) * Math.floor(n / parts)) % windowLength),
  );

/** Samples on each side of the middle of a frame. */
const reach = windowLength / 2;

/** A clip has features if it has more samples. */
export const minSamples = reach;

/**
 * Features of samples that arrive piece by piece. A frame is computed once, when its samples are there, so the
 * features of all pieces have the bits of those of the whole.
 */
export class LogMelStream {
  readonly #mel: LogMel;
  /** Logarithms of the frames so far, with room for more. */
  #logs: Float64Array;
  #frames = 0;
  #length = 0;
  /** The samples that later frames read: those from `first` on. */
  #samples = new Float32Array();
  #first = 0;

  constructor(mel: LogMel) {
    this.#mel = mel;
    this.#logs = new Float64Array(framesPerSecond * mel.mels);
  }

  /** Number of samples so far. */
  get length(): number {
    return this.#length;
  }

  /** Number of frames that are computed; the last two of a clip depend on its end. */
  get frames(): number {
    return this.#frames;
  }

  /** Logarithms of the bands of computed frames [to - from, mels], log10 of at least 1e-10. */
  logs(from: number, to: number = this.#frames): Float64Array {
    return this.#logs.subarray(from * this.#mel.mels, to * this.#mel.mels);
  }

  /** Adds samples at 16 kHz. */
  push(samples: Float32Array): void {
    const kept = Math.max(0, (this.#frames - 2) * hopSamples - reach - this.#first);
    const joined = new Float32Array(this.#samples.length - kept + samples.length);
    joined.set(this.#samples.subarray(kept));
    joined.set(samples, this.#samples.length - kept);
    this.#samples = joined;
    this.#first += kept;
    this.#length += samples.length;
    // The mirrored start reads samples 1 to 200.
    if (this.#length <= reach) return;
    const whole = Math.floor((this.#length - reach) / hopSamples) + 1;
    this.#logs = withRoom(this.#logs, whole * this.#mel.mels);
    this.#write(this.#logs, this.#frames, whole, this.#length);
    this.#frames = whole;
  }

  /**
   * Features [T, mels] of the samples so far, or with silence after them up to `length` samples; more samples can
   * follow. Throws a HeddleError if there are 200 samples or fewer.
   */
  features(length: number = this.#length): Float32Array {
    check(length > reach, msg`${length} samples, more than ${reach} are needed`, { area: 'features' });
    const { mels } = this.#mel;
    const frames = Math.max(1, Math.floor(length / hopSamples));
    const logs = new Float64Array(frames * mels).fill(Math.log10(floor));
    const known = this.#frames;
    logs.set(this.#logs.subarray(0, known * mels));
    // Frames after these are silence.
    const heard = Math.min(frames, Math.ceil((this.#length + reach) / hopSamples));
    this.#write(logs, known, heard, length);
    let top = Number.NEGATIVE_INFINITY;
    for (const log of logs) if (log > top) top = log;
    return Float32Array.from(logs, (log) => (Math.max(log, top - 8) + 4) / 4);
  }

  #write(out: Float64Array, from: number, to: number, length: number): void {
    const { mels } = this.#mel;
    for (let t = from; t < to; t++)
      this.#mel.writeFrame(out.subarray(t * mels, (t + 1) * mels), this.#samples, {
        start: t * hopSamples - reach,
        first: this.#first,
        length,
      });
  }
}

/** An array with the same numbers and room for `size` of them. */
function withRoom(numbers: Float64Array, size: number): Float64Array {
  if (numbers.length >= size) return numbers;
  const larger = new Float64Array(Math.max(size, 2 * numbers.length));
  larger.set(numbers);
  return larger;
}
