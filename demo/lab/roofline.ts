// Roofline chart: GFLOP/s of each kernel over its arithmetic intensity (FLOP/byte), both logarithmic, with
// the bandwidth and peak of the adapter. The kernel table has the same numbers as text.

import type { KernelResult } from '../../src/bench/check-kernel.ts';
import { roofAt } from '../../src/bench/roofline-model.ts';
import type { Roofs } from '../../src/engine/index.ts';
import { formatNumber, formatPercent } from '../common/format.ts';
import { say, sayCount } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel, svg } from '../common/panel.ts';
import { deviceFrame, deviceMarks, devicesText } from './recorded-devices.ts';
import { type Frame, frameOf, grid, roofLines } from './roofline-frame.ts';
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

/** Distance in pixels within which the pointer selects a point. */
const reach = 28;

/** The chart. */
export class Roofline extends Panel {
  readonly #onPoint: (name: string | undefined) => void;
  #shown: Shown = { kernels: [], peers: [], roofs: undefined, all: false, baseline: [], device: undefined };
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
    this.#frame = this.#isEmpty
      ? deviceFrame(this.#shown.device, width)
      : frameOf(points, this.#shown.roofs, width);
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

  /** Whether no kernels are measured yet, so that devices are the background. */
  get #isEmpty(): boolean {
    const { roofs, kernels, peers, baseline } = this.#shown;
    return !roofs && kernels.length + peers.length + baseline.length === 0;
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
    const count = sayCount(points.length, '{0} point', '{0} points');
    const label = say`Roofline of ${count}: GFLOP/s over FLOP/byte; the arrow keys move through the points.`;
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
        ${grid(this.#frame)} ${this.#isEmpty ? deviceMarks(this.#shown.device, this.#frame) : nothing}
        ${roofs ? roofLines(roofs, this.#frame) : nothing}
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
    return devicesText(this.#shown.device);
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
      ? ` ${sayCount(none, '{0} kernel without arithmetic is only in the table.', '{0} kernels without arithmetic are only in the table.')}`
      : '';
  return say`Point at a kernel to see its numbers, or move through them with the arrow keys. Kernels whose data fit in a cache may exceed the bandwidth.${tableOnly}`;
}

/** The numbers of a point. */
function describe({ name, detail: also, intensity, rate }: Point, roofs: Roofs | undefined): string {
  const share = roofs ? say`, ${formatPercent(rate / roofAt(roofs, intensity))} of the roofline` : '';
  return say`${name}${also && ` (${also})`}: ${formatNumber(rate)} GFLOP/s at ${formatNumber(intensity)} FLOP/byte${share}`;
}
