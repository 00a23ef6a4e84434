// A series of points in bounded memory: when it is full, every two neighbours are averaged into one
// (decimation).

/** A series of at most `capacity` points (an even number), which are means over equal ranges of steps. */
export class Series {
  readonly #capacity: number;
  /** Last step of each range and the mean of its values; the newest range may be incomplete. */
  #xs: number[] = [];
  #ys: number[] = [];
  /** Values averaged into a full point, and into the newest point so far. */
  #width = 1;
  #count = 0;
  #last = Number.NaN;

  constructor(capacity = 1024) {
    this.#capacity = capacity;
  }

  /** Last step of each range. */
  get xs(): readonly number[] {
    return this.#xs;
  }

  /** Mean of the values of each range. */
  get ys(): readonly number[] {
    return this.#ys;
  }

  /** The last value that was added; NaN before the first. */
  get last(): number {
    return this.#last;
  }

  /** Adds the value of a step; steps must be in order. Values that are not finite are ignored. */
  add(x: number, y: number): void {
    if (!Number.isFinite(y)) return;
    this.#last = y;
    const i = this.#xs.length - 1;
    if (this.#count > 0 && this.#count < this.#width) {
      const mean = this.#ys[i] as number;
      this.#count++;
      this.#xs[i] = x;
      this.#ys[i] = mean + (y - mean) / this.#count;
      return;
    }
    if (this.#xs.length === this.#capacity) this.#decimate();
    this.#xs.push(x);
    this.#ys.push(y);
    this.#count = 1;
  }

  clear(): void {
    this.#xs = [];
    this.#ys = [];
    this.#width = 1;
    this.#count = 0;
    this.#last = Number.NaN;
  }

  /** Averages every two points into one; the newest point must be full. */
  #decimate(): void {
    const half = this.#capacity / 2;
    const ys = this.#ys;
    this.#xs = Array.from({ length: half }, (_, i) => this.#xs[2 * i + 1] as number);
    this.#ys = Array.from(
      { length: half },
      (_, i) => ((ys[2 * i] as number) + (ys[2 * i + 1] as number)) / 2,
    );
    this.#width *= 2;
  }
}
