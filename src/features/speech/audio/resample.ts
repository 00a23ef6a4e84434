// Changes the sample rate of audio by a windowed sinc filter (Smith, "Digital Audio Resampling"): the cutoff is below
// half of the lower rate, so that nothing folds back into what is heard.

/** Zero crossings of the sinc on each side, and the shape of the Kaiser window: about 80 dB of attenuation. */
const crossings = 32;
const beta = 8;
/** Cutoff, as a part of half of the lower rate. */
const rollOff = 0.95;

/** The modified Bessel function of order 0, by its series. */
function bessel0(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** Maximum number of phases whose filters are kept; rates with a larger ratio are rounded to it. */
const maxPhases = 4096;

/** Samples at rate `from` as samples at rate `to`: floor(n · to / from) of them. */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return samples;
  const stream = new Resampler(from, to);
  stream.push(samples);
  return stream.end(Math.floor((samples.length * to) / from));
}

/** Resamples samples that arrive piece by piece, with the bits of the whole. */
export class Resampler {
  readonly #from: number;
  readonly #to: number;
  readonly #reach: number;
  /** The filter of each phase. */
  readonly #filters: readonly Float64Array[];
  /** The samples that later results read: those from `first` on. */
  #samples = new Float32Array();
  #first = 0;
  #done = 0;

  constructor(from: number, to: number) {
    const phases = Math.min(maxPhases, to / gcd(from, to));
    const cutoff = rollOff * Math.min(1, to / from);
    const reach = Math.ceil(crossings / cutoff);
    this.#from = from;
    this.#to = to;
    this.#reach = reach;
    this.#filters = Array.from({ length: phases }, (_, phase) => {
      const filter = new Float64Array(2 * reach);
      for (let i = 0; i < filter.length; i++) {
        const x = i - reach + 1 - phase / phases;
        const z = Math.PI * cutoff * x;
        const edge = x / reach;
        const window = Math.abs(edge) < 1 ? bessel0(beta * Math.sqrt(1 - edge * edge)) / bessel0(beta) : 0;
        filter[i] = cutoff * (z === 0 ? 1 : Math.sin(z) / z) * window;
      }
      return filter;
    });
  }

  /** Adds samples; `read` and `end` return results. */
  push(samples: Float32Array): void {
    const needed = Math.floor((this.#done * this.#from) / this.#to) - this.#reach;
    const kept = Math.min(this.#samples.length, Math.max(0, needed - this.#first));
    const joined = new Float32Array(this.#samples.length - kept + samples.length);
    joined.set(this.#samples.subarray(kept));
    joined.set(samples, this.#samples.length - kept);
    this.#samples = joined;
    this.#first += kept;
  }

  /** The results that do not depend on later samples, and were not read yet. */
  read(): Float32Array {
    const length = this.#first + this.#samples.length;
    // The last sample that result i reads is that at its place plus `reach`, or one more for a rounded phase.
    const last = Math.floor(((length - this.#reach - 2) * this.#to) / this.#from);
    return this.#results(Math.max(this.#done, last));
  }

  /** The rest, with silence after the last sample; `total`: number of results of all calls. */
  end(total = Math.floor(((this.#first + this.#samples.length) * this.#to) / this.#from)): Float32Array {
    return this.#results(total);
  }

  #results(to: number): Float32Array {
    const [samples, phases, reach] = [this.#samples, this.#filters.length, this.#reach];
    const out = new Float32Array(to - this.#done);
    for (let i = 0; i < out.length; i++) {
      const at = ((this.#done + i) * this.#from) / this.#to;
      let begin = Math.floor(at);
      let phase = Math.round((at - begin) * phases);
      if (phase === phases) [begin, phase] = [begin + 1, 0];
      const filter = this.#filters[phase] as Float64Array;
      const start = begin - reach + 1 - this.#first;
      let sum = 0;
      for (let k = Math.max(0, -start), j = start + k; k < filter.length && j < samples.length; k++, j++)
        sum += (filter[k] as number) * (samples[j] as number);
      out[i] = sum;
    }
    this.#done = to;
    return out;
  }
}
