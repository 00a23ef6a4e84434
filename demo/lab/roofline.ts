// Roofline chart: GFLOP/s of each kernel over its arithmetic intensity (FLOP/byte), both logarithmic, with
// the bandwidth and peak of the adapter. The kernel table has the same numbers as text.

import type { KernelResult } from '../../src/bench/check-kernel.ts';
import { roofAt, rooflineAxes } from '../../src/bench/roofline-model.ts';
import { formatNumber, formatPercent } from '../../src/core/format-numbers.ts';
import type { Roofs } from '../../src/engine/index.ts';
import { type Content, html, nothing, Panel, svg } from '../common/panel.ts';
import { pluralize } from './measurement-text.ts';
import {
  isSlower,
  keyOf,
  leftToRight,
  looks,
  neighbour,
  type Point,
  pointsOf,
  type Shown,
} from './roofline-points.ts';

/** A point and its place in the chart, in pixels. */
interface PlacedPoint extends Point {
  readonly x: number;
  readonly y: number;
}

/** Sizes of the chart in pixels, and the place of a value on each axis. */
interface Frame {
  readonly width: number;
  readonly height: number;
  readonly isNarrow: boolean;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

/** Distance in pixels within which the pointer selects a point. */
const reach = 28;

/** The chart. */
export class Roofline extends Panel {
  readonly #onPoint: (name: string | undefined) => void;
  #shown: Shown = { kernels: [], peers: [], roofs: undefined, all: false, baseline: [] };
  #points: readonly PlacedPoint[] = [];
  #frame: Frame;
  /** The selected point. */
  #pointed: PlacedPoint | undefined;
  /** Key of the point that the keyboard has moved to; kept when the chart is redrawn. */
  #current: string | undefined;

  /** `onPoint` is called with the kernel under the pointer. */
  constructor(onPoint: (name: string | undefined) => void) {
    super('roofline');
    this.#onPoint = onPoint;
    this.#frame = frameOf([], undefined, 900);
    this.draw();
    new ResizeObserver(() => this.#place()).observe(this.element);
  }

  /**
   * Shows kernels (their fastest variants, or all) and kernels of other libraries, and the roofline if it is
   * measured.
   */
  show(shown: Shown): void {
    this.#shown = shown;
    this.#place();
  }
  /** Highlights a kernel; undefined: none. */
  highlight(name: string | undefined): void {
    this.#select(this.#points.find((point) => point.best && point.name === name));
  }

  /** Places the points for the width that the chart has. */
  #place(): void {
    const width = Math.max(280, this.element.clientWidth || 900);
    const points = pointsOf(this.#shown);
    this.#frame = frameOf(points, this.#shown.roofs, width);
    const { x, y } = this.#frame;
    const placed = points.map((point) => ({ ...point, x: x(point.intensity), y: y(point.rate) }));
    this.#points = placed.sort((a, b) => Number(a.best) - Number(b.best));
    const pointed = this.#pointed?.name;
    this.#pointed = this.#points.find((point) => point.best && point.name === pointed);
    const isFocused = this.element.querySelector('.place:focus') !== null;
    if (isFocused) this.#current = this.#reachable;
    this.draw();
    if (isFocused) this.#focusCurrent();
  }
  /** Key of the point that has the keyboard focus, or gets it next: by default the leftmost. */
  get #reachable(): string | undefined {
    const [first] = leftToRight(this.#points);
    const hasCurrent = this.#points.some((point) => keyOf(point) === this.#current);
    return hasCurrent ? this.#current : first && keyOf(first);
  }
  #focusCurrent(): void {
    this.element.querySelector<SVGElement>('.place[tabindex="0"]')?.focus();
  }
  #select(point: PlacedPoint | undefined): void {
    this.#pointed = point;
    this.draw();
  }
  /** Selects a point, also in the rest of the page. */
  #point(point: PlacedPoint | undefined): void {
    this.#select(point);
    this.#onPoint(point?.name);
  }
  #pointOf({ target }: Event): PlacedPoint | undefined {
    const key = (target as SVGElement).dataset.point;
    return this.#points.find((point) => keyOf(point) === key);
  }
  #focusIn(event: Event): void {
    this.#point(this.#pointOf(event));
  }
  #leave(): void {
    this.#point(undefined);
  }
  #press(event: KeyboardEvent): void {
    const at = this.#pointOf(event);
    const next = at && neighbour(this.#points, at, event.key);
    if (!next) return;
    event.preventDefault();
    this.#current = keyOf(next);
    this.draw();
    this.#focusCurrent();
  }
  #move(event: PointerEvent): void {
    const box = this.find<SVGElement>('.plot').getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const distance = (point: PlacedPoint) => Math.hypot(point.x - x, point.y - y);
    const [near] = this.#points
      .filter((point) => distance(point) < reach)
      .sort((a, b) => distance(a) - distance(b));
    if (near === this.#pointed) return;
    this.#point(near);
  }

  protected override template(): Content {
    const { roofs } = this.#shown;
    const points = this.#points;
    const reachable = this.#reachable;
    const { width, height } = this.#frame;
    const count = `${points.length} ${points.length === 1 ? 'point' : 'points'}`;
    const label = `Roofline of ${count}: GFLOP/s over FLOP/byte; the arrow keys move through the points.`;
    return html`
      <ul class="legend">
        ${looks.filter(({ look }) => points.some((point) => point.look === look)).map(legendItem)}
      </ul>
      <svg
        class="plot"
        role="group"
        aria-roledescription="chart"
        aria-label=${label}
        width=${width}
        height=${height}
        viewBox="0 0 ${width} ${height}"
        @focusin=${this.#focusIn}
        @focusout=${this.#leave}
        @keydown=${this.#press}
        @pointermove=${this.#move}
        @pointerleave=${this.#leave}
      >
        ${grid(this.#frame)} ${roofs ? roofLines(roofs, this.#frame) : nothing}
        ${points.map((point) => this.#mark(point, reachable))}
      </svg>
      <p class="hint readout">${this.#readout()}</p>`;
  }
  #mark(point: PlacedPoint, reachable: string | undefined): Content {
    const key = keyOf(point);
    const look = `place ${point.look}${isSlower(point) ? ' slower' : ''}`;
    const place = `translate(${point.x.toFixed(1)} ${point.y.toFixed(1)})`;
    return svg`<path
      class=${point.name === this.#pointed?.name ? `${look} pointed` : look}
      data-kernel=${point.name}
      data-point=${key}
      role="img"
      tabindex=${key === reachable ? 0 : -1}
      aria-label=${describe(point, this.#shown.roofs)}
      d=${point.mark}
      transform=${isSlower(point) ? `${place} scale(0.7)` : place}
    ></path>`;
  }
  #readout(): string {
    if (this.#pointed) return describe(this.#pointed, this.#shown.roofs);
    if (this.#points.length > 0) return hint(this.#shown.kernels);
    return 'No measurements yet. Memory bandwidth limits kernels on the left, arithmetic those on the right; kernels near the roofline are efficient.';
  }
}

const legendItem = ({ look, name, mark }: (typeof looks)[number]): Content => html`
  <li>
    <svg class=${look} viewBox="-8 -8 16 16" width="14" height="14" aria-hidden="true">
      <path d=${mark}></path></svg
    >${name}
  </li>`;

/** What the reader can do, while no point is selected. */
function hint(kernels: readonly KernelResult[]): string {
  const none = kernels.filter((k) => k.flops === 0).length;
  const tableOnly =
    none > 0
      ? ` ${pluralize(none, 'kernel')} without arithmetic ${none === 1 ? 'is' : 'are'} only in the table.`
      : '';
  return `Point at a kernel to see its numbers, or move through them with the arrow keys. Kernels whose data fit in a cache may exceed the bandwidth.${tableOnly}`;
}

/** The numbers of a point. */
function describe({ name, detail: also, intensity, rate }: Point, roofs: Roofs | undefined): string {
  const share = roofs ? `, ${formatPercent(rate / roofAt(roofs, intensity))} of the roofline` : '';
  return `${name}${also && ` (${also})`}: ${formatNumber(rate)} GFLOP/s at ${formatNumber(intensity)} FLOP/byte${share}`;
}

/** The axes for the points and the roofs, in a chart of a width. */
function frameOf(points: readonly Point[], roofs: Roofs | undefined, width: number): Frame {
  const height = width < 560 ? 320 : 430;
  const edge = { left: 46, right: 14, top: 14, bottom: 44 };
  const { intensity, rate } = rooflineAxes(points, roofs);
  const across = width - edge.left - edge.right;
  const down = height - edge.top - edge.bottom;
  const isNarrow = width < 560;
  return {
    width,
    height,
    isNarrow,
    x: (value) => edge.left + intensity.at(value) * across,
    y: (value) => height - edge.bottom - rate.at(value) * down,
    left: edge.left,
    right: width - edge.right,
    top: edge.top,
    bottom: height - edge.bottom,
    xTicks: intensity.ticks.filter((_, i) => i % (isNarrow ? 2 : 1) === 0),
    yTicks: rate.ticks,
  };
}

/** Lines and numbers of the axes. */
function grid({ x, y, left, right, top, bottom, height, xTicks, yTicks }: Frame): Content {
  return svg`
    <g aria-hidden="true">
      ${xTicks.map(
        (t) => svg`
          <line class="grid" x1=${x(t)} x2=${x(t)} y1=${top} y2=${bottom}></line>
          <text class="tick" x=${x(t)} y=${bottom + 17} text-anchor="middle">${plain(t)}</text>`,
      )}
      ${yTicks.map(
        (t) => svg`
          <line class="grid" x1=${left} x2=${right} y1=${y(t)} y2=${y(t)}></line>
          <text class="tick" x=${left - 7} y=${y(t) + 4} text-anchor="end">${plain(t)}</text>`,
      )}
      <text class="axis" x=${right} y=${height - 6} text-anchor="end">FLOP/byte</text>
      <text class="axis" x=${left + 6} y=${top + 6}>GFLOP/s</text>
    </g>`;
}

const plain = (t: number): string =>
  t >= 1e4 || t < 1e-3 ? t.toExponential(0).replace('e+', 'e').replace('e-', 'e−') : String(t);

/** The bandwidth slope and the peak line with their values. */
function roofLines({ bandwidth, peak }: Roofs, { x, y, left, right, bottom, isNarrow }: Frame): Content {
  const ridge = peak.rate / bandwidth.rate;
  const level = y(peak.rate);
  // Extend the slope, known from two of its points, to the edge of the frame.
  const slope = (y(bandwidth.rate * ridge) - y((bandwidth.rate * ridge) / 10)) / (x(ridge) - x(ridge / 10));
  const atLeft = level - slope * (x(ridge) - left);
  const start = atLeft > bottom ? [x(ridge) - (level - bottom) / slope, bottom] : [left, atLeft];
  const angle = (Math.atan(slope) * 180) / Math.PI;
  const share = 0.45;
  const middle = [
    (start[0] as number) * (1 - share) + x(ridge) * share,
    (start[1] as number) * (1 - share) + level * share,
  ] as const;
  const format = (n: number) => n.toFixed(1);
  const path = `M${start.map(format).join(' ')}L${format(x(ridge))} ${format(level)}H${format(right)}`;
  const place = `translate(${format(middle[0])} ${format(middle[1] - 9)}) rotate(${format(angle)})`;
  const [slopeText, peakText] = [
    `${formatNumber(bandwidth.rate)} GB/s`,
    `${formatNumber(peak.rate)} GFLOP/s`,
  ];
  return svg`
    <g class="roofs">
      <path class="roof" d=${path}></path>
      <text class="roof-name" text-anchor="middle" transform=${place}>${
        isNarrow ? slopeText : `copies ${slopeText}`
      }</text>
      <text class="roof-name" x=${right - 4} y=${level - 9} text-anchor="end">${
        isNarrow ? peakText : `multiply-adds ${peakText}`
      }</text>
    </g>`;
}
