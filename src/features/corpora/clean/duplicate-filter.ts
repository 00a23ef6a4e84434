// Finds duplicates among any number of pairs: sets of 53-bit hashes, 16 to 32 bytes for each pair that is kept.

import { type CleanLimits, type CleanPair, nearText, type RuleName } from './clean-rules.ts';

/** The hashes of a pair. */
export interface PairKeys {
  readonly exact: number;
  /** Hash without case, spaces and punctuation; 0 if a side is too short for near duplicates. */
  readonly near: number;
  readonly target: number;
}

/** A hash of 53 bits that is not 0 (cyrb53: two multiplicative hashes of 32 bits). */
export function hash53(text: string): number {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x9e3779b1);
    b = Math.imul(b ^ code, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return 2 ** 32 * (b & 0x1fffff) + (a >>> 0) || 1;
}

/** The hashes of a pair. */
export function pairKeys({ source, target }: CleanPair, limits: CleanLimits): PairKeys {
  const exact = hash53(`${source}\t${target}`);
  const [a, b] = [nearText(source), nearText(target)];
  const isLong = (text: string) =>
    text.split(' ').length >= limits['near-duplicate-pair'] || text.length >= 40;
  // A target of punctuation only is its own text.
  return {
    exact,
    near: isLong(a) && isLong(b) ? hash53(`${a}\t${b}`) : 0,
    target: hash53(b === '' ? target : b),
  };
}

/** The pairs that were kept so far. */
export class DuplicateFilter {
  readonly #limits: CleanLimits;
  readonly #exact = new HashCounts();
  readonly #near = new HashCounts();
  readonly #targets = new HashCounts();

  constructor(limits: CleanLimits) {
    this.#limits = limits;
  }

  /** The rule that a pair breaks; without one it counts as kept. */
  add({ exact, near, target }: PairKeys): RuleName | undefined {
    const limits = this.#limits;
    if (limits['duplicate-pair'] > 0 && this.#exact.get(exact) > 0) return 'duplicate-pair';
    const hasNear = limits['near-duplicate-pair'] > 0 && near !== 0;
    if (hasNear && this.#near.get(near) > 0) return 'near-duplicate-pair';
    const most = limits['duplicate-target'];
    if (most > 0 && this.#targets.get(target) >= most) return 'duplicate-target';
    if (limits['duplicate-pair'] > 0) this.#exact.add(exact);
    if (hasNear) this.#near.add(near);
    if (most > 0) this.#targets.add(target);
    return undefined;
  }
}

/** Counts by hash: open addressing with linear probing. */
class HashCounts {
  #keys = new Float64Array(1024);
  #counts = new Uint16Array(1024);
  #used = 0;

  get(key: number): number {
    return this.#counts[this.#slot(key)] as number;
  }

  add(key: number): void {
    const slot = this.#slot(key);
    this.#counts[slot] = Math.min(0xffff, (this.#counts[slot] as number) + 1);
    if (this.#keys[slot] !== 0) return;
    this.#keys[slot] = key;
    if (++this.#used > 0.7 * this.#keys.length) this.#grow();
  }

  #slot(key: number): number {
    const mask = this.#keys.length - 1;
    let slot = ((key % 2 ** 31) ^ Math.floor(key / 2 ** 22)) & mask;
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [keys, counts] = [this.#keys, this.#counts];
    this.#keys = new Float64Array(2 * keys.length);
    this.#counts = new Uint16Array(2 * keys.length);
    for (const [i, key] of keys.entries()) {
      if (key === 0) continue;
      const slot = this.#slot(key);
      this.#keys[slot] = key;
      this.#counts[slot] = counts[i] as number;
    }
  }
}
