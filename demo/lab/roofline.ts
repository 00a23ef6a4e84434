// Roofline chart: GFLOP/s of each kernel over its arithmetic intensity (FLOP/byte), both logarithmic, with
// the bandwidth and peak of the adapter. The kernel table has the same numbers as text.

import type { KernelResult } from '../../src/bench/check-kernel.ts';
import { roofAt, rooflineAxes } from '../../src/bench/roofline-model.ts';
import { formatNumber, formatPercent } from '../../src/core/format-numbers.ts';
import type { Roofs } from '../../src/engine/index.ts';
import { el, fill, set, setText, svg } from '../common/dom.ts';
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

/** The roofline chart. */
export interface Roofline {
  readonly element: HTMLElement;
  /**
   * Draws kernels (their fastest variants, or all) and kernels of other libraries, and the roofline if it is
   * measured.
   */
  show(shown: Shown): void;
  /** Highlights a kernel; undefined: none. */
  highlight(name: string | undefined): void;
}

/** Creates an empty chart; `onPoint` is called with the kernel under the pointer. */
export function createRoofline(onPoint: (name: string | undefined) => void): Roofline {
  const plot = svg('svg', { class: 'plot', role: 'group', 'aria-roledescription': 'chart' });
  const readout = el('p', { class: 'hint readout' });
  const legend = el('ul', { class: 'legend' });
  const element = el('div', { class: 'roofline' }, legend, plot, readout);
  let points: (Point & { x: number; y: number })[] = [];
  let shown: Shown | undefined;
  let pointed: string | undefined;

  const idle = () =>
    points.length === 0
      ? 'No measurements yet. Memory bandwidth limits kernels on the left, arithmetic those on the right; kernels near the roofline are efficient.'
      : hint(shown?.kernels ?? []);

  const select = (point: (typeof points)[number] | undefined) => {
    pointed = point?.name;
    for (const node of plot.querySelectorAll('.place'))
      node.classList.toggle('pointed', pointed !== undefined && node.getAttribute('data-kernel') === pointed);
    setText(readout, point ? describe(point, shown?.roofs) : idle());
  };

  const draw = () => {
    if (!shown) return;
    const width = Math.max(280, element.clientWidth || 900);
    const height = width < 560 ? 320 : 430;
    const focused = plot.contains(document.activeElement);
    points = drawInto(plot, shown, width, height);
    const reachable = points.find((p) => keyOf(p) === current) ?? leftToRight(points)[0];
    if (reachable && focused) enter(reachable);
    else if (reachable)
      set(plot.querySelector(`[data-point="${CSS.escape(keyOf(reachable))}"]`) as Element, { tabindex: 0 });
    fill(
      legend,
      ...looks
        .filter(({ look }) => points.some((p) => p.look === look))
        .map(({ look, name, mark: d }) =>
          el(
            'li',
            {},
            svg(
              'svg',
              { viewBox: '-8 -8 16 16', width: 14, height: 14, class: look, 'aria-hidden': 'true' },
              svg('path', { d }),
            ),
            name,
          ),
        ),
    );
    select(points.find((p) => p.best && p.name === pointed));
  };

  /** Key of the point with the keyboard focus, or that gets it next; kept when the chart is redrawn. */
  let current: string | undefined;
  const enter = (point: (typeof points)[number]) => {
    current = keyOf(point);
    for (const node of plot.querySelectorAll<SVGPathElement>('.place')) {
      const own = node.dataset.point === current;
      set(node, { tabindex: own ? 0 : -1 });
      if (own) node.focus();
    }
  };
  plot.addEventListener('focusin', (event) => {
    const key = (event.target as SVGElement).dataset.point;
    const point = points.find((p) => keyOf(p) === key);
    select(point);
    onPoint(point?.name);
  });
  plot.addEventListener('focusout', () => {
    select(undefined);
    onPoint(undefined);
  });
  plot.addEventListener('keydown', (event) => {
    const at = points.find((p) => keyOf(p) === (event.target as SVGElement).dataset.point);
    const next = at && neighbour(points, at, event.key);
    if (!next) return;
    event.preventDefault();
    enter(next);
  });

  plot.addEventListener('pointermove', (event) => {
    const box = plot.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let near: (typeof points)[number] | undefined;
    let distance = 28;
    for (const point of points) {
      const d = Math.hypot(point.x - x, point.y - y);
      if (d < distance) [near, distance] = [point, d];
    }
    if (near?.name === pointed && near?.best) return;
    select(near);
    onPoint(near?.name);
  });
  plot.addEventListener('pointerleave', () => {
    select(undefined);
    onPoint(undefined);
  });
  new ResizeObserver(draw).observe(element);
  setText(readout, idle());
  return {
    element,
    show(given) {
      shown = given;
      draw();
    },
    highlight: (name) => select(points.find((p) => p.best && p.name === name)),
  };
}

function hint(kernels: readonly KernelResult[]): string {
  const none = kernels.filter((k) => k.flops === 0).length;
  const tableOnly =
    none > 0
      ? ` ${pluralize(none, 'kernel')} without arithmetic ${none === 1 ? 'is' : 'are'} only in the table.`
      : '';
  return `Point at a kernel to see its numbers, or move through them with the arrow keys. Kernels whose data fit in a cache may exceed the bandwidth.${tableOnly}`;
}

function describe({ name, detail: also, intensity, rate }: Point, roofs: Roofs | undefined): string {
  const share = roofs ? `, ${formatPercent(rate / roofAt(roofs, intensity))} of the roofline` : '';
  return `${name}${also && ` (${also})`}: ${formatNumber(rate)} GFLOP/s at ${formatNumber(intensity)} FLOP/byte${share}`;
}

function drawInto(plot: SVGSVGElement, shown: Shown, width: number, height: number) {
  const { roofs } = shown;
  const found = pointsOf(shown);
  const edge = { left: 46, right: 14, top: 14, bottom: 44 };
  const { intensity: xAxis, rate: yAxis } = rooflineAxes(found, roofs);
  const x = (value: number) => edge.left + xAxis.at(value) * (width - edge.left - edge.right);
  const y = (value: number) => height - edge.bottom - yAxis.at(value) * (height - edge.top - edge.bottom);
  const [left, right, bottom] = [edge.left, width - edge.right, height - edge.bottom];
  const label = `Roofline of ${found.length} ${found.length === 1 ? 'point' : 'points'}: GFLOP/s over FLOP/byte; the arrow keys move through the points.`;
  set(plot, { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-label': label });
  const each = width < 560 ? 2 : 1;
  const grid = [
    ...xAxis.ticks
      .filter((_, i) => i % each === 0)
      .flatMap((t) => [
        svg('line', { class: 'grid', x1: x(t), x2: x(t), y1: edge.top, y2: bottom }),
        svg('text', { class: 'tick', x: x(t), y: bottom + 17, 'text-anchor': 'middle' }, plain(t)),
      ]),
    ...yAxis.ticks.flatMap((t) => [
      svg('line', { class: 'grid', x1: left, x2: right, y1: y(t), y2: y(t) }),
      svg('text', { class: 'tick', x: left - 7, y: y(t) + 4, 'text-anchor': 'end' }, plain(t)),
    ]),
    svg('text', { class: 'axis', x: right, y: height - 6, 'text-anchor': 'end' }, 'FLOP/byte'),
    svg('text', { class: 'axis', x: left + 6, y: edge.top + 6 }, 'GFLOP/s'),
  ];
  const marks = found
    .map((p) => ({ ...p, x: x(p.intensity), y: y(p.rate) }))
    .sort((a, b) => Number(a.best) - Number(b.best));
  fill(
    plot,
    svg('g', { 'aria-hidden': 'true' }, ...grid),
    roofs ? roofLines(roofs, { x, y, left, right, bottom }, width < 560) : null,
    ...marks.map((p) =>
      svg('path', {
        class: `place ${p.look}${isSlower(p) ? ' slower' : ''}`,
        'data-kernel': p.name,
        'data-point': keyOf(p),
        role: 'img',
        tabindex: -1,
        'aria-label': describe(p, roofs),
        d: p.mark,
        transform: `translate(${p.x.toFixed(1)} ${p.y.toFixed(1)})${isSlower(p) ? ' scale(0.7)' : ''}`,
      }),
    ),
  );
  return marks;
}

const plain = (t: number): string =>
  t >= 1e4 || t < 1e-3 ? t.toExponential(0).replace('e+', 'e').replace('e-', 'e−') : String(t);

interface Frame {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

/** Draws the bandwidth slope and the peak line with their values. */
function roofLines(
  { bandwidth, peak }: Roofs,
  { x, y, left, right, bottom }: Frame,
  narrow: boolean,
): SVGGElement {
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
  return svg(
    'g',
    { class: 'roofs' },
    svg('path', {
      class: 'roof',
      d: `M${start.map(format).join(' ')}L${format(x(ridge))} ${format(level)}H${format(right)}`,
    }),
    svg(
      'text',
      {
        class: 'roof-name',
        'text-anchor': 'middle',
        transform: `translate(${format(middle[0])} ${format(middle[1] - 9)}) rotate(${format(angle)})`,
      },
      narrow ? `${formatNumber(bandwidth.rate)} GB/s` : `copies ${formatNumber(bandwidth.rate)} GB/s`,
    ),
    svg(
      'text',
      { class: 'roof-name', x: right - 4, y: level - 9, 'text-anchor': 'end' },
      narrow ? `${formatNumber(peak.rate)} GFLOP/s` : `multiply-adds ${formatNumber(peak.rate)} GFLOP/s`,
    ),
  );
}
