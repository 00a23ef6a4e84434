// Tables of sinusoidal positions (Vaswani et al., 2017, section 3.5), made on the host in float64: WGSL's sine is too coarse for
// large arguments. A table is an ordinary state of the model that nothing trains.

/** `interleaved`: sines in even columns, cosines in odd ones, as in PyTorch's tutorial; `halves`: first all sines, then all cosines, as Marian. */
export type SinusoidLayout = 'interleaved' | 'halves';

/**
 * Positions [length, width]: angle p / 10000^(2i/width) for pair i. An odd width has one sine more than cosines.
 */
export function sinusoids(length: number, width: number, layout: SinusoidLayout): Float32Array {
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
