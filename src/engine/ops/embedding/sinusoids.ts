// Tables of sinusoidal positions: those of the paper, of fairseq and of Marian. They are computed on the host.

import { checkTypes } from '../../../core/errors.ts';

/**
 * `interleaved`: sines in even columns, cosines in odd ones (as PyTorch's tutorial); `halves`: sines first
 * (Marian).
 */
export type SinusoidLayout = 'interleaved' | 'halves';

/**
 * Table of sinusoidal positions [length, width] (Vaswani et al., 2017, section 3.5): angle p /
 * 10000^(2i/width) for pair i. An odd width has one sine more than cosines. Computed on the host in float64,
 * since WGSL's sine is too coarse for large arguments; nothing trains it.
 *
 * @example
 * const table = sinusoids(512, 64, 'interleaved');
 * console.log(table.length); // 512 * 64
 */
export function sinusoids(length: number, width: number, layout: SinusoidLayout): Float32Array {
  checkTypes('sinusoids', 'a number', { length, width });
  checkTypes('sinusoids', 'a text', { layout });
  const table = new Float32Array(length * width);
  const half = Math.ceil(width / 2);
  for (let p = 0; p < length; p++)
    for (let c = 0; c < width; c++) {
      const angle = p * Math.exp((-Math.log(10000) * 2 * Math.floor(c / 2)) / width);
      const column = layout === 'interleaved' ? c : Math.floor(c / 2) + (c % 2) * half;
      table[p * width + column] = c % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
  return table;
}

/** Frequencies of fairseq's sinusoidal positions: 1 / 10000^(i/(h-1)) for i below h = floor(width/2). */
export const fairseqFrequencies = (width: number): Float32Array => {
  const half = Math.floor(width / 2);
  return Float32Array.from({ length: half }, (_, i) =>
    Math.exp((-Math.log(10000) * i) / Math.max(1, half - 1)),
  );
};

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
