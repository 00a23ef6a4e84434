// Curves of a training log: many steps as a few hundred points, with the range of what each point stands for.

/** A point of a curve. */
export interface Point {
  readonly x: number;
  readonly y: number;
  /** Smallest and largest value of the steps that it stands for. */
  readonly low: number;
  readonly high: number;
}

/**
 * Values at x, in order, as at most `most` points: the means of equally many values each, those that are not finite left out. `weight`
 * gives the share of each value in its mean.
 */
export function curve(
  values: readonly (readonly [x: number, y: number])[],
  most = 240,
  weight: (index: number) => number = () => 1,
): Point[] {
  const size = Math.max(1, Math.ceil(values.length / most));
  const points: Point[] = [];
  for (let at = 0; at < values.length; at += size) {
    const part = values
      .slice(at, at + size)
      .map(([x, y], i) => ({ x, y, weight: weight(at + i) }))
      .filter(({ y }) => Number.isFinite(y));
    const sum = part.reduce((n, p) => n + p.weight, 0);
    // A point without a value leaves a gap in the line.
    if (part.length === 0 || !(sum > 0)) {
      points.push({ x: values[at]?.[0] as number, y: Number.NaN, low: Number.NaN, high: Number.NaN });
      continue;
    }
    points.push({
      x: (part[0] as { x: number }).x / 2 + (part.at(-1) as { x: number }).x / 2,
      y: part.reduce((n, p) => n + p.y * p.weight, 0) / sum,
      low: Math.min(...part.map((p) => p.y)),
      high: Math.max(...part.map((p) => p.y)),
    });
  }
  return points;
}

/** Runs of neighbours for which `there` holds: what a line is drawn through without lifting the pen. */
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
