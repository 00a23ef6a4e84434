// Word alignments of the rows of a corpus, as links between its tokens, for guided alignment.

import type { BatchShape } from '../../../text/batches/buckets.ts';

/** Links of rows: ranges of one list of positions in the target and the source, in turn. */
export class AlignedRows {
  readonly #from: Uint32Array;
  readonly #to: Uint32Array;
  #positions = new Uint16Array(1024);
  #used = 0;

  /** Rows without links. */
  constructor(count: number) {
    this.#from = new Uint32Array(count);
    this.#to = new Uint32Array(count);
  }

  /** Number of links. */
  get links(): number {
    return this.#used / 2;
  }

  /** Sets the links `[source position, target position]` of rows that have the same pair. */
  set(rows: Iterable<number>, links: readonly (readonly [source: number, target: number])[]): void {
    const from = this.#used;
    while (this.#used + 2 * links.length > this.#positions.length) {
      const larger = new Uint16Array(2 * this.#positions.length);
      larger.set(this.#positions);
      this.#positions = larger;
    }
    for (const [source, target] of links) {
      this.#positions[this.#used++] = target;
      this.#positions[this.#used++] = source;
    }
    for (const row of rows) {
      this.#from[row] = from;
      this.#to[row] = this.#used;
    }
  }

  /** Writes the links of the rows of a batch: bits u32 [B,T,ceil(S / 32)], see `guidedAlignmentOp`. */
  fill(out: Uint32Array, { source: S, target: T }: BatchShape, rows: Uint32Array): void {
    out.fill(0);
    const words = Math.ceil(S / 32);
    for (const [b, row] of rows.entries())
      for (let at = this.#from[row] as number; at < (this.#to[row] as number); at += 2) {
        const [t, s] = [this.#positions[at] as number, this.#positions[at + 1] as number];
        const word = (b * T + t) * words + (s >>> 5);
        if (t < T && s < S) out[word] = (out[word] as number) | (1 << (s & 31));
      }
  }
}
