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
  const divisor = gcd(from, to);
  const phases = Math.min(maxPhases, to / divisor);
  const cutoff = rollOff * Math.min(1, to / from);
  const reach = Math.ceil(crossings / cutoff);
  const filters = Array.from({ length: phases }, (_, phase) => {
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
  const out = new Float32Array(Math.floor((samples.length * to) / from));
  for (let i = 0; i < out.length; i++) {
    const at = (i * from) / to;
    let first = Math.floor(at);
    let phase = Math.round((at - first) * phases);
    if (phase === phases) [first, phase] = [first + 1, 0];
    const filter = filters[phase] as Float64Array;
    let sum = 0;
    for (let k = Math.max(0, reach - 1 - first); k < filter.length; k++) {
      const j = first - reach + 1 + k;
      if (j >= samples.length) break;
      sum += (filter[k] as number) * (samples[j] as number);
    }
    out[i] = sum;
  }
  return out;
}
