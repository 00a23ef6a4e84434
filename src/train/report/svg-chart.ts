// Line charts as SVG of any width: positions are percentages, text and strokes keep their size. A chart also
// carries its points as data, which the script of the page shows under the pointer.

import { formatInteger } from '../../core/format-numbers.ts';
import { type Html, html } from './markup.ts';

/**
 * An axis. `at` returns the position of a value: 0 at the low end, 1 at the high end; not finite if it has
 * none.
 */
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

/**
 * Returns a linear axis from `low` to `high`, extended to round ends unless `exact`, with about `count`
 * steps.
 */
export function linearAxis(low: number, high: number, { count = 4, exact = false } = {}): Axis {
  // Values that differ only by rounding count as one value, with some space around it.
  const pad = high - low > 1e-9 * Math.abs(high) ? 0 : Math.abs(high) / 10 || 1;
  const [from, to] = [low - pad, high + pad];
  const step = roundStep(to - from, count);
  const first = exact ? Math.ceil(from / step - 1e-9) : Math.floor(from / step + 1e-9);
  const last = exact ? Math.floor(to / step + 1e-9) : Math.ceil(to / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(15)),
  );
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

/** A point of a curve. */
export interface Point {
  readonly x: number;
  readonly y: number;
  /** Minimum and maximum of the averaged steps. */
  readonly low: number;
  readonly high: number;
}

/**
 * Averages values, ordered by x, in at most `maxPoints` groups of the same size. Ignores values that are not
 * finite.
 */
export function curve(values: readonly (readonly [x: number, y: number])[], maxPoints = 240): Point[] {
  return parts(values, maxPoints).map((part) => {
    const known = part.filter(([, y]) => Number.isFinite(y));
    const [first, last] = [known[0], known.at(-1)];
    // A point without values is a gap in the line.
    if (!first || !last)
      return { x: part[0]?.[0] as number, y: Number.NaN, low: Number.NaN, high: Number.NaN };
    const ys = known.map(([, y]) => y);
    const mean = ys.reduce((sum, y) => sum + y, 0) / ys.length;
    return { x: (first[0] + last[0]) / 2, y: mean, low: Math.min(...ys), high: Math.max(...ys) };
  });
}

/**
 * Converts amounts over time to rates, in at most `maxPoints` points: the amount per time since the previous
 * point.
 */
export function rates(
  values: readonly { readonly x: number; readonly amount: number; readonly time: number }[],
  maxPoints = 60,
): Point[] {
  let before = 0;
  return parts(values, maxPoints).map((part) => {
    const time = (part.at(-1)?.time ?? 0) - before;
    before += time;
    const rate = time > 0 ? part.reduce((sum, { amount }) => sum + amount, 0) / time : Number.NaN;
    return { x: ((part[0]?.x ?? 0) + (part.at(-1)?.x ?? 0)) / 2, y: rate, low: rate, high: rate };
  });
}

/** Splits a list into at most `maxSlices` slices of equal length; the last may be shorter. */
function parts<T>(list: readonly T[], maxSlices: number): T[][] {
  const size = Math.max(1, Math.ceil(list.length / maxSlices));
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}

/** Groups consecutive items for which `there` is true: the segments of a line. */
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

/** A line of a chart. */
export interface Series {
  readonly name: string;
  /** Colour and stroke of the line, 1 to 4. */
  readonly look: 1 | 2 | 3 | 4;
  readonly points: readonly Point[];
  /** Whether to mark each point, for lines of few points. */
  readonly dots?: boolean;
}

/** A chart. */
export interface Chart {
  readonly series: readonly Series[];
  /** Formats a value for the axis and the pointer. */
  readonly show: (value: number) => string;
  readonly scale?: 'linear' | 'log';
  /** Exact ends of the value axis; `from`: a value that it must include. */
  readonly range?: readonly [number, number];
  readonly from?: number;
  /** Ends of the step axis. [first and last step] */
  readonly steps?: readonly [number, number];
  /** Name of the horizontal axis. [step] */
  readonly across?: string;
  /** Description of the chart for screen readers. */
  readonly label: string;
}

/** Size of the coordinate system of the lines. */
const size = 1000;
const px = (share: number): number => Math.round(share * size * 10) / 10;
const pct = (share: number): string => `${Math.round(share * 10000) / 100}%`;

/** Returns the chart, with a legend if it has several lines. */
export function drawChart(chart: Chart): Html {
  const { series, show, scale = 'linear', range, from = Number.POSITIVE_INFINITY, label } = chart;
  const placed = (value: number) => Number.isFinite(value) && (scale === 'linear' || value > 0);
  const all = series.flatMap((s) => s.points).filter((p) => placed(p.y));
  if (all.length === 0) return html`<p class="none">no values</p>`;
  const bounds = all.flatMap((p) => [p.y, ...[p.low, p.high].filter(placed)]);
  const [low, high] = range ?? [Math.min(...bounds, from), Math.max(...bounds)];
  const vertical =
    scale === 'log' ? logAxis(low, high) : linearAxis(low, high, { count: 5, exact: range !== undefined });
  const [first, last] = chart.steps ?? [Math.min(...all.map((p) => p.x)), Math.max(...all.map((p) => p.x))];
  const across = linearAxis(first, last, { count: 5, exact: true });
  const xOf = first === last ? () => 0.5 : across.at;
  const ticks = first === last ? [first] : across.ticks.filter((t) => Number.isInteger(t));
  const yOf = (value: number) => 1 - vertical.at(value);
  const data = series.map(({ name, look, points }) => ({
    name,
    look,
    points: points
      .filter((p) => placed(p.y))
      .map((p) => [Number(xOf(p.x).toFixed(4)), Number(yOf(p.y).toFixed(4)), formatInteger(p.x), show(p.y)]),
  }));
  const key = series.map(
    (s) =>
      html`<span class="key look${s.look}"><svg width="26" height="10" aria-hidden="true"><path d="M1 5H25"/></svg>${s.name}</span>`,
  );
  return html`${series.length > 1 && html`<p class="keys">${key}</p>`}
<div class="chart" data-chart="${JSON.stringify(data)}"><svg class="plot" role="img" aria-label="${label}">
${grid(vertical, yOf, show)}${ticks.map((t) => html`<text class="x" x="${pct(xOf(t))}" y="100%" dy="20">${formatInteger(t)}</text>`)}
<svg viewBox="0 0 ${size} ${size}" preserveAspectRatio="none" width="100%" height="100%">${series.map((s) => draw(s, xOf, yOf, placed))}</svg>
</svg><span class="axis">${chart.across ?? 'step'}</span></div>`;
}

const grid = (axis: Axis, yOf: (value: number) => number, show: (value: number) => string): Html[] =>
  axis.ticks.map((t) => {
    const y = pct(yOf(t));
    return html`<line class="grid" x1="0" x2="100%" y1="${y}" y2="${y}"/><text class="y" x="-8" y="${y}" dy="4">${show(t)}</text>`;
  });

/** Draws a series: the range of its points as an area, the line, and dots at single or marked points. */
function draw(
  s: Series,
  xOf: (x: number) => number,
  yOf: (y: number) => number,
  placed: (y: number) => boolean,
): Html {
  const parts = runs(s.points, (p) => placed(p.y));
  const at = (p: Point, y: number) => `${px(xOf(p.x))} ${px(yOf(y))}`;
  const ranges = parts
    .filter((run) => run.length > 1 && run.some((p) => p.high > p.low) && run.every((p) => placed(p.low)))
    .map((run) => {
      const back = [...run].reverse();
      return `M${run.map((p) => at(p, p.high)).join('L')}L${back.map((p) => at(p, p.low)).join('L')}Z`;
    });
  const lines = parts
    .filter((run) => run.length > 1)
    .map((run) => `M${run.map((p) => at(p, p.y)).join('L')}`);
  const singles = parts.filter((run) => run.length === 1 || s.dots).flat();
  const dots = singles.map((p) => `M${at(p, p.y)}h0`);
  return html`<g class="look${s.look}">${ranges.length > 0 && html`<path class="range" d="${ranges.join('')}"/>`}${
    lines.length > 0 && html`<path class="line" d="${lines.join('')}"/>`
  }${dots.length > 0 && html`<path class="dots" d="${dots.join('')}"/>`}</g>`;
}
