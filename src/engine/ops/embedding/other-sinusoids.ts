// Tables of sinusoidal positions that few models have: those of fairseq and of Marian.

/**
 * Table of fairseq's sinusoidal positions [length, width], as in M2M100: row padId + k is that of the k-th
 * token that is not padding, from 1; row padId, that of padding, is zero. Angle p / 10000^(i/(h-1)) with h =
 * floor(width/2), all sines before all cosines, and a zero column if the width is odd.
 */
export function fairseqSinusoids(length: number, width: number, padId: number): Float32Array {
  const table = new Float32Array(length * width);
  const half = Math.floor(width / 2);
  for (let p = 0; p < length; p++)
    for (let i = 0; i < half && p !== padId; i++) {
      const angle = p * Math.exp((-Math.log(10000) * i) / Math.max(1, half - 1));
      table[p * width + i] = Math.sin(angle);
      table[p * width + half + i] = Math.cos(angle);
    }
  return table;
}

/**
 * Table of Marian's sinusoidal positions [length, width]: angle p / 10000^(i/(h - 1)) with h = width/2, all
 * sines before all cosines. If the width is odd, h is a fraction, and the middle column, which the last sine
 * and the first cosine share, has the sine.
 */
export function marianSinusoids(length: number, width: number): Float32Array {
  const table = new Float32Array(length * width);
  const [half, steps] = [Math.floor(width / 2), width / 2 - 1 || 1];
  const angle = (p: number, i: number) => p * Math.exp((-Math.log(10000) * i) / steps);
  for (let p = 0; p < length; p++) {
    for (let i = 0; half + i < width; i++) table[p * width + half + i] = Math.cos(angle(p, i));
    for (let i = 0; i < width / 2; i++) table[p * width + i] = Math.sin(angle(p, i));
  }
  return table;
}
