// A curve that grows for hours and takes the same memory: when its points are as many as it may have, neighbours become one.

/** A curve of means over stretches of steps. */
export interface Curve {
  /** Steps of the points, each the last of its stretch, and their means; the newest stretch may be unfinished. */
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** The last value as it came; NaN before the first. */
  readonly last: number;
  /** Takes in the value of a step; what is not finite is left out. Steps come in order. */
  add(x: number, y: number): void;
  clear(): void;
}

/** A curve of at most `capacity` points (an even number). */
export function createCurve(capacity = 1024): Curve {
  let xs: number[] = [];
  let ys: number[] = [];
  /** Values that a full point holds, and those in the newest point so far. */
  let width = 1;
  let held = 0;
  let last = Number.NaN;

  /** Every two points become one; the newest point is full when this is called. */
  const halve = () => {
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
      if (held > 0 && held < width) {
        const i = xs.length - 1;
        held++;
        xs[i] = x;
        ys[i] = (ys[i] as number) + (y - (ys[i] as number)) / held;
        return;
      }
      if (xs.length === capacity) halve();
      xs.push(x);
      ys.push(y);
      held = 1;
    },
    clear() {
      xs = [];
      ys = [];
      width = 1;
      held = 0;
      last = Number.NaN;
    },
  };
}
