// Line charts as SVG of any width: positions are percentages, text and strokes keep their size. A chart also carries its points as data,
// which the script of the page shows under the pointer.

import { formatInteger } from '../core/format-numbers.ts';
import { type Axis, linearAxis, logAxis } from './axis.ts';
import { type Point, runs } from './curves.ts';
import { type Html, html } from './markup.ts';

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
</svg><span class="axis">step</span></div>`;
}

const grid = (axis: Axis, yOf: (value: number) => number, show: (value: number) => string): Html[] =>
  axis.ticks.map((t) => {
    const y = pct(yOf(t));
    return html`<line class="grid" x1="0" x2="100%" y1="${y}" y2="${y}"/><text class="y" x="-8" y="${y}" dy="4">${show(t)}</text>`;
  });

/** Draws a series: the range of its points as an area, the line, and dots at single or marked points. */
function draw(s: Series, xOf: (x: number) => number, yOf: (y: number) => number, placed: (y: number) => boolean): Html {
  const parts = runs(s.points, (p) => placed(p.y));
  const at = (p: Point, y: number) => `${px(xOf(p.x))} ${px(yOf(y))}`;
  const ranges = parts
    .filter((run) => run.length > 1 && run.some((p) => p.high > p.low) && run.every((p) => placed(p.low)))
    .map((run) => {
      const back = [...run].reverse();
      return `M${run.map((p) => at(p, p.high)).join('L')}L${back.map((p) => at(p, p.low)).join('L')}Z`;
    });
  const lines = parts.filter((run) => run.length > 1).map((run) => `M${run.map((p) => at(p, p.y)).join('L')}`);
  const alone = parts.filter((run) => run.length === 1 || s.dots).flat();
  const dots = alone.map((p) => `M${at(p, p.y)}h0`);
  return html`<g class="look${s.look}">${ranges.length > 0 && html`<path class="range" d="${ranges.join('')}"/>`}${
    lines.length > 0 && html`<path class="line" d="${lines.join('')}"/>`
  }${dots.length > 0 && html`<path class="dots" d="${dots.join('')}"/>`}</g>`;
}
