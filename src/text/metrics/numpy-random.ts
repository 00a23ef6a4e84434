// The random numbers of NumPy's default generator, with which sacreBLEU resamples: PCG64 (O'Neill, 2014), its seed
// (https://www.pcg-random.org/posts/developing-a-seed_seq-alternative.html), and bounded integers (Lemire, 2019).

const mask32 = 0xffffffffn;
const mask64 = (1n << 64n) - 1n;
const mask128 = (1n << 128n) - 1n;
const multiplier = 0x2360ed051fc65da44385df649fccf645n;

/** `numpy.random.default_rng(seed)`, as far as `choice` of indices needs it. */
export class NumpyRandom {
  #state: bigint;
  readonly #increment: bigint;
  /** The upper half of the last number, which the next call of `#next32` gives. */
  #half: number | undefined;

  /** `seed`: a whole number below 2^32. */
  constructor(seed: number) {
    const words = seedWords(seed);
    const number = (i: number) => (BigInt(words[i + 1] as number) << 32n) | BigInt(words[i] as number);
    const state = (number(0) << 64n) | number(2);
    const stream = (number(4) << 64n) | number(6);
    this.#increment = ((stream << 1n) | 1n) & mask128;
    this.#state = (this.#increment + state) & mask128;
    this.#step();
  }

  /** `count` whole numbers below `n`, as `integers(0, n, count)`. */
  integers(n: number, count: number): Uint32Array {
    const out = new Uint32Array(count);
    if (n < 2) return out;
    const threshold = (2 ** 32 - n) % n;
    for (let i = 0; i < count; i++) {
      let product = this.#product(n);
      while (product[1] < threshold) product = this.#product(n);
      out[i] = product[0];
    }
    return out;
  }

  /** The upper and lower 32 bits of a random number of 32 bits times n. */
  #product(n: number): readonly [number, number] {
    const x = this.#next32();
    // In two parts: a product of 64 bits is not exact.
    const low = (x & 0xffff) * n;
    const high = (x >>> 16) * n + Math.floor(low / 65536);
    return [Math.floor(high / 65536), (high % 65536) * 65536 + (low % 65536)];
  }

  #next32(): number {
    if (this.#half !== undefined) {
      const half = this.#half;
      this.#half = undefined;
      return half;
    }
    this.#step();
    // XSL-RR: the halves of the state, combined and rotated.
    const mixed = (this.#state >> 64n) ^ (this.#state & mask64);
    const turn = this.#state >> 122n;
    const number = ((mixed >> turn) | (mixed << ((64n - turn) & 63n))) & mask64;
    this.#half = Number(number >> 32n);
    return Number(number & mask32);
  }

  #step(): void {
    this.#state = (this.#state * multiplier + this.#increment) & mask128;
  }
}

/** The state of NumPy's SeedSequence for a seed: eight words of 32 bits. */
function seedWords(seed: number): Uint32Array {
  const pool = new Uint32Array(4);
  let constant = 0x43b0d7e5;
  const hashed = (value: number): number => {
    let x = (value ^ constant) >>> 0;
    constant = Math.imul(constant, 0x931e8875) >>> 0;
    x = Math.imul(x, constant) >>> 0;
    return (x ^ (x >>> 16)) >>> 0;
  };
  const mixed = (x: number, y: number): number => {
    const result = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) >>> 0;
    return (result ^ (result >>> 16)) >>> 0;
  };
  for (let i = 0; i < pool.length; i++) pool[i] = hashed(i === 0 ? seed >>> 0 : 0);
  for (let from = 0; from < pool.length; from++)
    for (let to = 0; to < pool.length; to++)
      if (from !== to) pool[to] = mixed(pool[to] as number, hashed(pool[from] as number));
  const out = new Uint32Array(8);
  let mix = 0x8b51f9dd;
  for (let i = 0; i < out.length; i++) {
    let x = ((pool[i % pool.length] as number) ^ mix) >>> 0;
    mix = Math.imul(mix, 0x58f38ded) >>> 0;
    x = Math.imul(x, mix) >>> 0;
    out[i] = (x ^ (x >>> 16)) >>> 0;
  }
  return out;
}
