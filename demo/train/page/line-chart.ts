// A line chart over steps, drawn by uPlot in the colours of the page: at most once per frame, and only while
// it is visible. Arrow keys move the cursor that shows the values.

import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatNumber } from '../../../src/core/format-numbers.ts';
import { el, onFrame } from '../../common/dom.ts';
import { freshId } from '../../common/form-controls.ts';
import { colour, onThemeChange } from '../../common/theme.ts';
import type { Series } from './averaged-series.ts';

/** The library, which is loaded for the first chart that is drawn. */
let library: typeof uPlot | undefined;
const loadLibrary = async (): Promise<void> => {
  library ??= (await import('uplot')).default;
};

/** A line of a chart. */
export interface Line {
  readonly name: string;
  readonly series: Series;
  /** Index of its colour and, unless `dash` is given, of its dashes. */
  readonly look: 1 | 2 | 3 | 4;
  readonly dash?: 1 | 2 | 3 | 4;
  /** Whether to mark each point, for series with few values. */
  readonly dots?: boolean;
}

/** Options of a chart. */
export interface ChartOptions {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Formats values; default: three digits. */
  readonly format?: (value: number) => string;
  readonly height?: number;
  /** Range of the y axis; default: the range of the values. */
  readonly range?: readonly [number, number];
  /** Initial scale of the y axis; default: linear. */
  readonly scale?: 'linear' | 'log';
  /** Text while there are no values; default: `no values yet`. */
  readonly empty?: string;
}

/** A line chart. */
export interface LineChart {
  readonly element: HTMLElement;
  /** Draws in the next frame. */
  update(): void;
  /** Sets the scale of the y axis. */
  setScale(scale: 'linear' | 'log'): void;
  /** Draws again on a new canvas. */
  rebuild(): void;
  /** Replaces the lines. */
  setLines(lines: readonly Line[]): void;
  /** The chart with its title and legend as a PNG image; undefined while it is not drawn. */
  toPng(): Promise<Blob | undefined>;
}

const dashes: Record<Line['look'], number[]> = { 1: [], 2: [7, 4], 3: [2, 4], 4: [12, 4, 2, 4] };

/** Width of the y axis in pixels: the width of its widest label. */
function axisWidth(_: uPlot, labels: string[] | null): number {
  return 16 + 7 * Math.max(2, ...(labels ?? []).map((label) => label.length));
}

/** Creates a chart; it is drawn once its element has a width. */
export function createLineChart(options: ChartOptions): LineChart {
  const { title, format = formatNumber, height = 190, range, empty: emptyText = 'no values yet' } = options;
  let { lines } = options;
  const box = el('div', { class: 'plot' });
  // Reserve the height, so that the layout does not shift when the first values arrive.
  box.style.minHeight = `${height + 26}px`;
  const id = freshId('chart');
  const summary = el('p', { class: 'unseen', id });
  const none = el('p', { class: 'none' }, emptyText);
  none.style.height = `${height + 26}px`;
  const frame = el(
    'div',
    { class: 'chart', tabindex: 0, role: 'group', 'aria-label': `${title} (chart)`, 'aria-describedby': id },
    box,
    none,
    summary,
  );
  let plot: uPlot | undefined;
  let { scale = 'linear' } = options;
  let visible = true;

  /** Joins the series on their steps. */
  const data = ({ join }: typeof uPlot): uPlot.AlignedData => {
    const tables = lines.map(({ series }): uPlot.AlignedData => {
      const ys = scale === 'log' ? series.ys.map((y) => (y > 0 ? y : null)) : [...series.ys];
      return [[...series.xs], ys];
    });
    return join(tables);
  };
  const build = () => {
    plot?.destroy();
    plot = undefined;
    const width = box.clientWidth;
    if (width === 0 || !library) return;
    const axis = {
      stroke: colour('--soft'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui',
    };
    plot = new library(
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
          { ...axis, size: axisWidth, values: (_, ticks) => ticks.map((t) => (t === null ? '' : format(t))) },
        ],
        series: [
          { label: 'step', value: (_, x) => (x === null ? '–' : x.toLocaleString('en')) },
          ...lines.map(
            ({ name, look, dash, dots }): uPlot.Series => ({
              label: name,
              stroke: colour(`--c${look}`),
              width: 2,
              dash: dashes[dash ?? look],
              spanGaps: true,
              points: { show: dots ?? false, size: 6, fill: colour(`--c${look}`) },
              value: (_, y) => (y === null ? '–' : format(y)),
            }),
          ),
        ],
      },
      data(library),
      box,
    );
  };
  const update = onFrame(() => {
    const empty = lines.every(({ series }) => series.xs.length === 0);
    none.hidden = !empty;
    box.hidden = empty;
    if (empty || !visible) return;
    summary.textContent = lines
      .filter(({ series }) => series.xs.length > 0)
      .map(({ name, series }) => `${name}: ${format(series.last)} at step ${series.xs.at(-1)}`)
      .join('; ');
    if (!library) void loadLibrary().then(update);
    else if (!plot) build();
    else plot.setData(data(library));
  });

  frame.addEventListener('keydown', (event) => {
    const by = {
      ArrowLeft: -1,
      ArrowRight: 1,
      Home: Number.NEGATIVE_INFINITY,
      End: Number.POSITIVE_INFINITY,
    }[event.key];
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
    visible = entries.at(-1)?.isIntersecting ?? true; // a busy page gets several entries at once
    if (visible) update();
  }).observe(frame);
  onThemeChange(() => {
    if (plot) build();
  });
  // A crash of the GPU process may lose the canvas; the browser restores it empty.
  box.addEventListener('contextrestored', () => plot && build(), true);
  update();

  return {
    element: frame,
    update,
    rebuild: () => plot && build(),
    setLines(next) {
      lines = next;
      if (plot) build();
      update();
    },
    async toPng() {
      if (!plot) return undefined;
      const { canvas } = plot.ctx;
      const scale = window.devicePixelRatio;
      const image = el('canvas', {
        width: canvas.width,
        height: canvas.height + (24 + 20 * lines.length) * scale,
      });
      const draw = image.getContext('2d') as CanvasRenderingContext2D;
      draw.fillStyle = colour('--card');
      draw.fillRect(0, 0, image.width, image.height);
      draw.drawImage(canvas, 0, 0);
      draw.scale(scale, scale);
      draw.font = '13px system-ui';
      draw.lineWidth = 2;
      for (const [i, { name, look, dash }] of [
        { name: title, look: 1, dash: undefined } as const,
        ...lines,
      ].entries()) {
        const y = canvas.height / scale + 14 + 20 * i;
        draw.strokeStyle = colour(`--c${look}`);
        draw.setLineDash(dashes[dash ?? look]);
        if (i > 0) draw.strokeRect(12, y - 4, 32, 0);
        draw.fillStyle = colour('--ink');
        draw.fillText(name, i > 0 ? 52 : 12, y);
      }
      return new Promise((resolve) => image.toBlob((blob) => resolve(blob ?? undefined)));
    },
    setScale(next) {
      scale = next;
      if (plot) build();
    },
  };
}
