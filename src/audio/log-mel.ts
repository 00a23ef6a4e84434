// Log-mel features of speech as Whisper computes them: frames of 25 ms every 10 ms, their power spectrum by an FFT,
// sums over mel bands, and the logarithm relative to the loudest band. Equal to WhisperFeatureExtractor of
// transformers within 1e-6.

import FFT from 'fft.js';
import { check } from '../core/errors.ts';

/** Samples a second of all audio here. */
export const sampleRate = 16000;
/** Samples between two frames, and of the window of a frame. */
export const hopSamples = 160;
const windowLength = 400;

/** Frames a second: frames of features [T, mels]. */
export const framesPerSecond = sampleRate / hopSamples;

const bins = windowLength / 2 + 1;
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
  readonly #cosines = Float64Array.from({ length: windowLength }, (_, i) =>
    Math.cos((2 * Math.PI * i) / windowLength),
  );
  readonly #part = new Array<number>(partLength).fill(0);
  /** Spectra of the parts, real and imaginary parts interleaved. */
  readonly #spectra = Array.from({ length: parts }, () => this.#fft.createComplexArray());
  readonly #power = new Float64Array(bins);

  constructor(mels: number) {
    check(
      Number.isInteger(mels) && mels >= 1 && mels <= 512,
      `features: ${mels} mel bands, 1 to 512 are supported`,
    );
    this.mels = mels;
    this.#bands = melBands(mels);
  }

  /**
   * Features [T, mels] of samples at 16 kHz, with T = floor(n / 160) of at least 1. Values depend on the loudest
   * band of all frames. Throws a HeddleError if there are 200 samples or fewer.
   */
  features(samples: Float32Array): Float32Array {
    check(samples.length > windowLength / 2, `features: ${samples.length} samples, more than 200 are needed`);
    const frames = Math.max(1, Math.floor(samples.length / hopSamples));
    const out = new Float32Array(frames * this.mels);
    const logs = new Float64Array(out.length);
    let top = Number.NEGATIVE_INFINITY;
    for (let t = 0; t < frames; t++) {
      this.#spectrum(samples, t * hopSamples - windowLength / 2);
      for (const [m, { first, weights }] of this.#bands.entries()) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++)
          sum += (weights[i] as number) * (this.#power[first + i] as number);
        const log = Math.log10(Math.max(sum, 1e-10));
        logs[t * this.mels + m] = log;
        if (log > top) top = log;
      }
    }
    for (let i = 0; i < out.length; i++) out[i] = (Math.max(logs[i] as number, top - 8) + 4) / 4;
    return out;
  }

  /** The power of the bins of the window that starts at a sample; the ends of the clip are mirrored. */
  #spectrum(samples: Float32Array, start: number): void {
    const n = samples.length;
    for (let r = 0; r < parts; r++) {
      for (let m = 0; m < partLength; m++) {
        const i = parts * m + r;
        let at = start + i;
        if (at < 0) at = -at;
        else if (at >= n) at = 2 * (n - 1) - at;
        this.#part[m] = (samples[at] as number) * (this.#hann[i] as number);
      }
      const spectrum = this.#spectra[r] as number[];
      this.#fft.realTransform(spectrum, this.#part);
      this.#fft.completeSpectrum(spectrum);
    }
    // Decimation in time: X[k] = Σ_r exp(-2πi·rk/400) · F_r[k mod 16].
    for (let k = 0; k < bins; k++) {
      const q = 2 * (k % partLength);
      let [re, im] = [0, 0];
      for (let r = 0; r < parts; r++) {
        const angle = (r * k) % windowLength;
        const cos = this.#cosines[angle] as number;
        const sin = this.#cosines[(angle + windowLength / 4) % windowLength] as number; // -sin(2π·angle/400)
        const [a, b] = [this.#spectra[r]?.[q] as number, this.#spectra[r]?.[q + 1] as number];
        re += a * cos - b * sin;
        im += a * sin + b * cos;
      }
      this.#power[k] = re * re + im * im;
    }
  }
}
