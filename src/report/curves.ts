// Curves of a training log: averages many steps into a few hundred points, with their range.

/** A point of a curve. */
export interface Point {
  readonly x: number;
  readonly y: number;
  /** Minimum and maximum of the averaged steps. */
  readonly low: number;
  readonly high: number;
}

/** Averages values, ordered by x, into at most `most` points of equally many values each. Values that are not finite are left out. */
export function curve(values: readonly (readonly [x: number, y: number])[], most = 240): Point[] {
  return parts(values, most).map((part) => {
    const known = part.filter(([, y]) => Number.isFinite(y));
    const [first, last] = [known[0], known.at(-1)];
    // A point without values is a gap in the line.
    if (!first || !last) return { x: part[0]?.[0] as number, y: Number.NaN, low: Number.NaN, high: Number.NaN };
    const ys = known.map(([, y]) => y);
    const mean = ys.reduce((sum, y) => sum + y, 0) / ys.length;
    return { x: (first[0] + last[0]) / 2, y: mean, low: Math.min(...ys), high: Math.max(...ys) };
  });
}

/** Returns amounts over time as rates, in at most `most` points: the amount since the previous point, divided by the time since then. */
export function rates(
  values: readonly { readonly x: number; readonly amount: number; readonly time: number }[],
  most = 60,
): Point[] {
  let before = 0;
  return parts(values, most).map((part) => {
    const time = (part.at(-1)?.time ?? 0) - before;
    before += time;
    const rate = time > 0 ? part.reduce((sum, { amount }) => sum + amount, 0) / time : Number.NaN;
    return { x: ((part[0]?.x ?? 0) + (part.at(-1)?.x ?? 0)) / 2, y: rate, low: rate, high: rate };
  });
}

/** Splits a list into at most `most` slices of equal length; the last may be shorter. */
function parts<T>(list: readonly T[], most: number): T[][] {
  const size = Math.max(1, Math.ceil(list.length / most));
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** Returns the runs of consecutive items for which `there` is true: the segments of a line. */
export function runs<T>(items: readonly T[], there: (item: T) => boolean): T[][] {
  const out: T[][] = [];
  let open = false;
  for (const item of items) {
    if (!there(item)) open = false;
    else if (open) out.at(-1)?.push(item);
    else {
      out.push([item]);
      open = true;
    }
  }
  return out;
}
