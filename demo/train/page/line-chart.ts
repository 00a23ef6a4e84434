// One chart of uPlot in the page's colours: lines over steps that may each have steps of their own. Drawn at most once a frame, and only
// while it can be seen. Arrow keys move the line that shows the values.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatNumber } from '../../../src/core/format-numbers.ts';
import { el, onFrame } from '../../common/dom.ts';
import { freshId } from '../../common/form-controls.ts';
import { colour, onThemeChange } from '../../common/theme.ts';
import type { Curve } from './averaged-series.ts';

/** A line of a chart. */
export interface Line {
  readonly name: string;
  readonly curve: Curve;
  readonly look: 1 | 2 | 3 | 4;
  /** Whether each point is marked: for values that are few. */
  readonly dots?: boolean;
}

/** What a chart shows. */
export interface ChartOptions {
  readonly title: string;
  readonly lines: readonly Line[];
  /** How values are written; three digits unless given. */
  readonly show?: (value: number) => string;
  readonly height?: number;
  /** Ends of the axis of values, where they are known. */
  readonly range?: readonly [number, number];
}

/** A chart in the page. */
export interface Chart {
  readonly element: HTMLElement;
  /** Draws at the next frame. */
  update(): void;
  /** Values from bottom to top as they are, or by their logarithm. */
  setScale(scale: 'linear' | 'log'): void;
}

const dashes: Record<Line['look'], number[]> = { 1: [], 2: [7, 4], 3: [2, 4], 4: [12, 4, 2, 4] };

/** Room for the numbers at the axis of values: as wide as the widest, so that curves begin near the edge. */
function axisWidth(_: uPlot, labels: string[] | null): number {
  return 16 + 7 * Math.max(2, ...(labels ?? []).map((label) => label.length));
}

/** Builds a chart; it draws itself once its element has a width. */
export function createChart(options: ChartOptions): Chart {
  const { title, lines, show = formatNumber, height = 190, range } = options;
  const box = el('div', { class: 'plot' });
  // The place is taken before there is anything to draw, so that the page does not move below the reader's eyes.
  box.style.minHeight = `${height + 26}px`;
  const id = freshId('chart');
  const summary = el('p', { class: 'unseen', id });
  const none = el('p', { class: 'none' }, 'no values yet');
  none.style.height = `${height + 26}px`;
  const frame = el(
    'div',
    { class: 'chart', tabindex: 0, role: 'group', 'aria-label': `${title}, a chart`, 'aria-describedby': id },
    box,
    none,
    summary,
  );
  let plot: uPlot | undefined;
  let scale: 'linear' | 'log' = 'linear';
  let seen = true;

  /** All lines over the steps of any of them. */
  const data = (): uPlot.AlignedData => {
    const tables = lines.map(({ curve }): uPlot.AlignedData => {
      const ys = scale === 'log' ? curve.ys.map((y) => (y > 0 ? y : null)) : [...curve.ys];
      return [[...curve.xs], ys];
    });
    return uPlot.join(tables);
  };
  const build = () => {
    plot?.destroy();
    plot = undefined;
    const width = box.clientWidth;
    if (width === 0) return;
    const axis = {
      stroke: colour('--soft'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui',
    };
    plot = new uPlot(
      {
        width,
        height,
        legend: { live: true },
        cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
        scales: {
          x: { time: false },
          y: {
            distr: scale === 'log' ? 3 : 1,
            ...(range && scale === 'linear' && { range: [...range] as [number, number] }),
          },
        },
        axes: [
          {
            ...axis,
            size: 34,
            values: (_, ticks) => ticks.map((t) => (Number.isInteger(t) ? t.toLocaleString('en') : '')),
          },
          { ...axis, size: axisWidth, values: (_, ticks) => ticks.map((t) => (t === null ? '' : show(t))) },
        ],
        series: [
          { label: 'step', value: (_, x) => (x === null ? '–' : x.toLocaleString('en')) },
          ...lines.map(
            ({ name, look, dots }): uPlot.Series => ({
              label: name,
              stroke: colour(`--c${look}`),
              width: 2,
              dash: dashes[look],
              spanGaps: true,
              points: { show: dots ?? false, size: 6, fill: colour(`--c${look}`) },
              value: (_, y) => (y === null ? '–' : show(y)),
            }),
          ),
        ],
      },
      data(),
      box,
    );
  };
  const update = onFrame(() => {
    const empty = lines.every(({ curve }) => curve.xs.length === 0);
    none.hidden = !empty;
    box.hidden = empty;
    if (empty || !seen) return;
    summary.textContent = lines
      .filter(({ curve }) => curve.xs.length > 0)
      .map(({ name, curve }) => `${name}: ${show(curve.last)} at step ${curve.xs.at(-1)}`)
      .join('; ');
    if (!plot) build();
    else plot.setData(data());
  });

  frame.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: Number.NEGATIVE_INFINITY, End: Number.POSITIVE_INFINITY }[
      event.key
    ];
    if (by === undefined || !plot) return;
    event.preventDefault();
    const xs = plot.data[0];
    const index = Math.max(0, Math.min(xs.length - 1, (plot.cursor.idx ?? xs.length) + by));
    plot.setCursor({ left: plot.valToPos(xs[index] ?? 0, 'x'), top: 0 });
  });
  frame.addEventListener('blur', () => plot?.setCursor({ left: -10, top: -10 }));
  new ResizeObserver(() => {
    if (plot && box.clientWidth > 0) plot.setSize({ width: box.clientWidth, height });
    else update();
  }).observe(frame);
  new IntersectionObserver((entries) => {
    seen = entries.at(-1)?.isIntersecting ?? true; // a busy page hears of several changes at once
    if (seen) update();
  }).observe(frame);
  onThemeChange(() => {
    if (plot) build();
  });
  update();

  return {
    element: frame,
    update,
    setScale(wanted) {
      scale = wanted;
      if (plot) build();
    },
  };
}
