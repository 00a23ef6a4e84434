// Axes of charts: positions of values, and ticks at round values.

/** An axis. `at` returns the position of a value: 0 at the low end, 1 at the high end; not finite if it has none. */
export interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Returns a round step: 1, 2 or 5 times a power of ten, about `count` of which cover `span`. */
function roundStep(span: number, count: number): number {
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((f) => f * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Returns a linear axis from `low` to `high`, extended to round ends unless `exact`, with about `count` steps. */
export function linearAxis(low: number, high: number, { count = 4, exact = false } = {}): Axis {
  // Values that differ by rounding only are one value, with some space around it.
  const pad = high - low > 1e-9 * Math.abs(high) ? 0 : Math.abs(high) / 10 || 1;
  const [from, to] = [low - pad, high + pad];
  const step = roundStep(to - from, count);
  const first = exact ? Math.ceil(from / step - 1e-9) : Math.floor(from / step + 1e-9);
  const last = exact ? Math.floor(to / step + 1e-9) : Math.ceil(to / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(15)));
  const [start, end] = exact ? [from, to] : [ticks[0] as number, ticks.at(-1) as number];
  return { at: (value) => (value - start) / (end - start), ticks };
}

/** Returns a logarithmic axis for positive values from `low` to `high`. */
export function logAxis(low: number, high: number): Axis {
  const [from, to] = high > low * (1 + 1e-9) ? [low, high] : [low / 2, high * 2];
  const decades = Math.log10(to / from);
  const marks = decades > 3 ? [1] : decades > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8];
  const all: number[] = [];
  for (let e = Math.floor(Math.log10(from)) - 1; e <= Math.ceil(Math.log10(to)); e++)
    for (const m of marks) all.push(Number((m * 10 ** e).toPrecision(15)));
  const start = Math.max(...all.filter((t) => t <= from * (1 + 1e-9)));
  const end = Math.min(...all.filter((t) => t >= to * (1 - 1e-9)), Number.MAX_VALUE);
  const inside = all.filter((t) => t >= start && t <= end);
  const each = Math.ceil(inside.length / 7);
  const span = Math.log(end / start);
  return {
    at: (value) => (value > 0 ? Math.log(value / start) / span : Number.NaN),
    ticks: inside.filter((_, i) => i % each === 0),
  };
}
