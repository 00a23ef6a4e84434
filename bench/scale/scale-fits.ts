// How costs grow: the exponent of each cost along each axis, and the limits of the exponents.

import type { AxisCosts, Cost, Fit, Sizes } from './scale-report.ts';

/** A cost and the largest allowed exponent along some axes. */
interface ScaleLimit {
  readonly cost: Exclude<keyof Cost, 'firstMs' | 'fillMs'>;
  readonly axes: readonly (keyof Sizes)[];
  readonly exponent: number;
}

/**
 * The limits. Times vary by a few percent between runs; their limits include that. Decoding is one step with
 * a full cache, whose cost is linear in the length.
 */
export const limits: readonly ScaleLimit[] = [
  { cost: 'memory', axes: ['length', 'batch', 'vocabulary', 'layers'], exponent: 1.05 },
  { cost: 'dispatches', axes: ['length', 'batch', 'vocabulary'], exponent: 0.05 },
  { cost: 'jsMs', axes: ['length', 'batch', 'vocabulary'], exponent: 0.15 },
  { cost: 'attentionFlops', axes: ['length'], exponent: 2.01 },
  { cost: 'otherFlops', axes: ['length', 'batch', 'vocabulary', 'layers'], exponent: 1.01 },
  { cost: 'stepMs', axes: ['batch', 'vocabulary', 'layers'], exponent: 1.15 },
  { cost: 'stepMs', axes: ['length'], exponent: 2.15 },
];

/**
 * Returns the exponent b of y = a·x^b: the slope of the least-squares line through the logarithms. With
 * `tail`, the exponent of the last three points if it is larger, to detect growth at the end. NaN for fewer
 * than three points.
 */
export function exponentOf(points: readonly (readonly [x: number, y: number])[], tail: boolean): number {
  const slope = (list: typeof points) => {
    const [xs, ys] = [list.map(([x]) => Math.log(x)), list.map(([, y]) => Math.log(y))];
    const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
    const [mx, my] = [mean(xs), mean(ys)];
    const product = (a: readonly number[], b: readonly number[], ma: number, mb: number) =>
      a.reduce((sum, x, i) => sum + (x - ma) * ((b[i] as number) - mb), 0);
    return product(xs, ys, mx, my) / product(xs, xs, mx, mx);
  };
  if (points.length < 3) return Number.NaN;
  return tail ? Math.max(slope(points), slope(points.slice(-3))) : slope(points);
}

/** Fits every cost along every axis. */
export function fitsOf(all: readonly AxisCosts[]): Fit[] {
  const costs: (keyof Cost)[] = [
    'memory',
    'dispatches',
    'attentionFlops',
    'otherFlops',
    'jsMs',
    'fillMs',
    'stepMs',
    'firstMs',
  ];
  return all.flatMap(({ axis, run, points }) =>
    costs.flatMap((cost): Fit[] => {
      const known = points.flatMap(({ value, cost: c }) => (c[cost] ? [[value, c[cost]] as const] : []));
      // Dispatches may increase by a few: the loss has up to 8 chunks.
      const exponent = exponentOf(known, cost !== 'dispatches' && cost !== 'jsMs');
      if (Number.isNaN(exponent)) return [];
      const limit = limits.find((b) => b.cost === cost && b.axes.includes(axis))?.exponent;
      return [
        {
          run,
          axis,
          cost,
          exponent,
          limit,
          passed: !(exponent > (limit ?? Infinity)),
        },
      ];
    }),
  );
}
