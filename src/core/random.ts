// Seeded random numbers. `philox` is the counter-based generator of dropout, on the GPU too
// (shaders/shared/random.wgsl gives the same bits); `Random` is a stream of its numbers, to initialize
// weights, shuffle and generate corpora. Nothing here reads the clock.

import { checkTypes } from './errors.ts';

const M = 0xd256d193;
const W = 0x9e3779b9;

/**
 * Philox 2x32-10 (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"). Writes the two 32-bit
 * words of counter (c0, c1) and `key` to `out[0]` and `out[1]`.
 */
export function philox(c0: number, c1: number, key: number, out: Uint32Array): void {
  let x = c0 >>> 0;
  let y = c1 >>> 0;
  let k = key >>> 0;
  for (let round = 0; round < 10; round++) {
    const lo = Math.imul(M, x) >>> 0;
    const hi = mulHigh(M, x);
    x = (hi ^ k ^ y) >>> 0;
    y = lo;
    k = (k + W) >>> 0;
  }
  out[0] = x;
  out[1] = y;
}

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit words. */
function mulHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const mid = a1 * b0 + ((a0 * b0) >>> 16);
  const mid2 = a0 * b1 + (mid & 0xffff);
  return (a1 * b1 + Math.floor(mid / 65536) + (mid2 >>> 16)) >>> 0;
}

/**
 * Hashes words into one 32-bit key (FNV-1a, then the finalizer of MurmurHash3), so that streams for different
 * purposes differ.
 */
export function hash(...words: number[]): number {
  let h = 0x811c9dc5;
  for (const w of words)
    for (let s = 0; s < 32; s += 8) h = Math.imul(h ^ ((w >>> s) & 0xff), 0x01000193) >>> 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Returns the 32-bit key of a name, as in `random(seed, keyOf('shuffle'), epoch)`.
 *
 * @example
 * const r = random(42, keyOf('shuffle'));
 */
export function keyOf(name: string): number {
  checkTypes('keyOf', 'a text', { name });
  return hash(...Array.from(name, (c) => c.codePointAt(0) ?? 0));
}

/** A stream of random numbers. Each number depends only on the key of the stream and its position. */
export interface Random {
  /** 32 random bits. */
  next(): number;
  /** Uniform in [0, 1), 24 bits. */
  uniform(): number;
  /** Uniform integer in [0, n), unbiased. */
  int(n: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** A random element of a non-empty list. */
  pick<T>(list: readonly T[]): T;
  /** Shuffles a list in place (Fisher-Yates) and returns it. */
  shuffle<L extends { length: number; [i: number]: unknown }>(list: L): L;
}

/**
 * Creates a stream of random numbers. Equal words give equal streams.
 *
 * @example
 * const r = random(42, keyOf('init'));
 * r.uniform(); // in [0, 1)
 */
export function random(...words: number[]): Random {
  checkTypes('random', 'a number', Object.fromEntries(words.map((word, i) => [`word ${i + 1}`, word])));
  const key = hash(...words);
  const pair = new Uint32Array(2);
  let counter = 0;
  let spare: number | undefined;
  const next = () => {
    if ((counter & 1) === 0) philox(Math.floor(counter / 2) >>> 0, Math.floor(counter / 2 ** 33), key, pair);
    return pair[counter++ & 1] as number;
  };
  const uniform = () => (next() >>> 8) / 2 ** 24;
  const int = (n: number) => {
    const limit = Math.floor(2 ** 32 / n) * n;
    let x = next();
    while (x >= limit) x = next();
    return x % n;
  };
  return {
    next,
    uniform,
    int,
    normal() {
      if (spare !== undefined) {
        const z = spare;
        spare = undefined;
        return z;
      }
      const r = Math.sqrt(-2 * Math.log(1 - uniform()));
      const a = 2 * Math.PI * uniform();
      spare = r * Math.sin(a);
      return r * Math.cos(a);
    },
    pick: (list) => list[int(list.length)] as (typeof list)[number],
    shuffle(list) {
      for (let i = list.length - 1; i > 0; i--) {
        const j = int(i + 1);
        const t = list[i];
        list[i] = list[j];
        list[j] = t;
      }
      return list;
    },
  };
}
