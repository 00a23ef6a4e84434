// A series of points in bounded memory: when it is full, every two neighbours are averaged into one
// (decimation).

/** A series whose points are means over equal ranges of steps. */
export interface Series {
  /** Last step of each range and the mean of its values; the newest range may be incomplete. */
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** The last value that was added; NaN before the first. */
  readonly last: number;
  /** Adds the value of a step; steps must be in order. Values that are not finite are ignored. */
  add(x: number, y: number): void;
  clear(): void;
}

/** Creates a series of at most `capacity` points (an even number). */
export function createSeries(capacity = 1024): Series {
  let xs: number[] = [];
  let ys: number[] = [];
  /** Values averaged into a full point, and into the newest point so far. */
  let width = 1;
  let count = 0;
  let last = Number.NaN;

  /** Averages every two points into one; the newest point must be full. */
  const decimate = () => {
    const half = capacity / 2;
    for (let i = 0; i < half; i++) {
      xs[i] = xs[2 * i + 1] as number;
      ys[i] = ((ys[2 * i] as number) + (ys[2 * i + 1] as number)) / 2;
    }
    xs.length = ys.length = half;
    width *= 2;
  };
  return {
    get xs() {
      return xs;
    },
    get ys() {
      return ys;
    },
    get last() {
      return last;
    },
    add(x, y) {
      if (!Number.isFinite(y)) return;
      last = y;
      if (count > 0 && count < width) {
        const i = xs.length - 1;
        count++;
        xs[i] = x;
        ys[i] = (ys[i] as number) + (y - (ys[i] as number)) / count;
        return;
      }
      if (xs.length === capacity) decimate();
      xs.push(x);
      ys.push(y);
      count = 1;
    },
    clear() {
      xs = [];
      ys = [];
      width = 1;
      count = 0;
      last = Number.NaN;
    },
  };
}
