// A line chart over steps, drawn by uPlot in the colours of the page: at most once per frame, and only while
// it is visible. Arrow keys move the cursor that shows the values.

import type uPlot from 'uplot';
import { formatInteger, formatNumber, formatTick } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import 'uplot/dist/uPlot.min.css';
import { freshId, onFrame } from '../../common/dom.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
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
  /** Whether it is behind the others, in grey: a run to compare with. */
  readonly isBehind?: boolean;
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

const dashes: Record<Line['look'], number[]> = { 1: [], 2: [7, 4], 3: [2, 4], 4: [12, 4, 2, 4] };

/** Width of the y axis in pixels: the width of its widest label. */
function axisWidth(_: uPlot, labels: string[] | null): number {
  return 16 + 7 * Math.max(2, ...(labels ?? []).map((label) => label.length));
}

/** Steps that a key moves the cursor by. */
const moves: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** A chart; it is drawn once its element has a width. */
export class LineChart extends Panel {
  readonly #options: ChartOptions;
  readonly #format: (value: number) => string;
  readonly #height: number;
  readonly #summaryId = freshId('chart');
  readonly #box: HTMLElement;
  #lines: readonly Line[];
  #scale: 'linear' | 'log';
  #plot: uPlot | undefined;
  #isVisible = true;
  /** Draws in the next frame. */
  readonly update = onFrame(() => this.#update());

  constructor(options: ChartOptions) {
    super('chart');
    this.#options = options;
    this.#format = options.format ?? formatNumber;
    this.#height = options.height ?? 190;
    this.#lines = options.lines;
    this.#scale = options.scale ?? 'linear';
    const frame = this.element;
    frame.tabIndex = 0;
    frame.role = 'group';
    frame.ariaLabel = say`${options.title} (chart)`;
    frame.setAttribute('aria-describedby', this.#summaryId);
    this.draw();
    this.#box = this.find('.plot');
    // Reserve the height, so that the layout does not shift when the first values arrive.
    this.#box.style.minHeight = `${this.#height + 26}px`;
    this.find<HTMLElement>('.none').style.height = `${this.#height + 26}px`;
    this.#listen();
    this.update();
  }

  /** Sets the scale of the y axis. */
  setScale(scale: 'linear' | 'log'): void {
    this.#scale = scale;
    this.rebuild();
  }

  /** Replaces the lines. */
  setLines(lines: readonly Line[]): void {
    this.#lines = lines;
    this.rebuild();
    this.update();
  }

  /** Draws again on a new canvas. */
  rebuild(): void {
    if (this.#plot) this.#build();
  }

  /** The chart with its title and legend as a PNG image; undefined while it is not drawn. */
  async toPng(): Promise<Blob | undefined> {
    return this.#plot && pngOf(this.#plot.ctx.canvas, this.#options.title, this.#lines);
  }

  #listen(): void {
    const frame = this.element;
    frame.addEventListener('keydown', (event) => this.#press(event));
    frame.addEventListener('blur', () => this.#plot?.setCursor({ left: -10, top: -10 }));
    new ResizeObserver(() => {
      const width = this.#box.clientWidth;
      if (this.#plot && width > 0) this.#plot.setSize({ width, height: this.#height });
      else this.update();
    }).observe(frame);
    new IntersectionObserver((entries) => {
      this.#isVisible = entries.at(-1)?.isIntersecting ?? true; // a busy page gets several entries at once
      if (this.#isVisible) this.update();
    }).observe(frame);
    onThemeChange(() => this.rebuild());
    // A crash of the GPU process may lose the canvas; the browser restores it empty.
    this.#box.addEventListener('contextrestored', () => this.rebuild(), true);
  }

  #press(event: KeyboardEvent): void {
    const by = moves[event.key];
    const plot = this.#plot;
    if (by === undefined || !plot) return;
    event.preventDefault();
    const xs = plot.data[0];
    const index = Math.max(0, Math.min(xs.length - 1, (plot.cursor.idx ?? xs.length) + by));
    plot.setCursor({ left: plot.valToPos(xs[index] ?? 0, 'x'), top: 0 });
  }

  get #isEmpty(): boolean {
    return this.#lines.every(({ series }) => series.xs.length === 0);
  }

  #update(): void {
    if (this.#isVisible || this.#isEmpty) this.draw();
    if (this.#isEmpty || !this.#isVisible) return;
    if (!library) void loadLibrary().then(this.update);
    else if (!this.#plot) this.#build();
    else this.#plot.setData(this.#data(library));
  }

  /** Joins the series on their steps. */
  #data({ join }: typeof uPlot): uPlot.AlignedData {
    const isLog = this.#scale === 'log';
    return join(
      this.#lines.map(({ series }): uPlot.AlignedData => {
        const ys = isLog ? series.ys.map((y) => (y > 0 ? y : null)) : [...series.ys];
        return [[...series.xs], ys];
      }),
    );
  }

  #build(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    const width = this.#box.clientWidth;
    if (width > 0 && library) this.#plot = new library(this.#settings(width), this.#data(library), this.#box);
  }

  /** The options of uPlot. */
  #settings(width: number): uPlot.Options {
    const { range } = this.#options;
    const isLog = this.#scale === 'log';
    const format = this.#format;
    const axis = {
      stroke: colour('--soft'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui',
    };
    const step = formatTick;
    return {
      width,
      height: this.#height,
      legend: { live: true },
      cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
      scales: {
        x: { time: false },
        y: isLog || !range ? { distr: isLog ? 3 : 1 } : { distr: 1, range: [range[0], range[1]] },
      },
      axes: [
        { ...axis, size: 34, values: (_, ticks) => ticks.map(step) },
        { ...axis, size: axisWidth, values: (_, ticks) => ticks.map((t) => (t === null ? '' : format(t))) },
      ],
      series: [
        { label: say`step`, value: (_, x) => (x === null ? '–' : formatInteger(x)) },
        ...this.#lines.map(
          ({ name, look, dash, dots, isBehind }): uPlot.Series => ({
            label: name,
            stroke: colour(isBehind ? '--soft' : `--c${look}`),
            width: isBehind ? 4 : 2,
            alpha: isBehind ? 0.45 : 1,
            dash: dashes[dash ?? look],
            spanGaps: true,
            points: { show: dots ?? false, size: 6, fill: colour(`--c${look}`) },
            value: (_, y) => (y === null ? '–' : format(y)),
          }),
        ),
      ],
    };
  }

  protected override template(): Content {
    const isEmpty = this.#isEmpty;
    const values = this.#lines
      .filter(({ series }) => series.xs.length > 0)
      .map(({ name, series }) => say`${name}: ${this.#format(series.last)} at step ${series.xs.at(-1)}`);
    return html`
      <div class="plot" ?hidden=${isEmpty}></div>
      <p class="none" ?hidden=${!isEmpty}>${this.#options.empty ?? say`no values yet`}</p>
      <p class="unseen" id=${this.#summaryId}>${values.join('; ')}</p>`;
  }
}

/** A canvas with a title and a legend below it as a PNG image. */
function pngOf(canvas: HTMLCanvasElement, title: string, lines: readonly Line[]): Promise<Blob | undefined> {
  const scale = window.devicePixelRatio;
  const image = document.createElement('canvas');
  image.width = canvas.width;
  image.height = canvas.height + (24 + 20 * lines.length) * scale;
  const draw = image.getContext('2d') as CanvasRenderingContext2D;
  draw.fillStyle = colour('--card');
  draw.fillRect(0, 0, image.width, image.height);
  draw.drawImage(canvas, 0, 0);
  draw.scale(scale, scale);
  draw.font = '13px system-ui';
  draw.lineWidth = 2;
  const write = (text: string, row: number, left: number) => {
    draw.fillStyle = colour('--ink');
    draw.fillText(text, left, canvas.height / scale + 14 + 20 * row);
  };
  write(title, 0, 12);
  for (const [i, { name, look, dash }] of lines.entries()) {
    draw.strokeStyle = colour(`--c${look}`);
    draw.setLineDash(dashes[dash ?? look]);
    draw.strokeRect(12, canvas.height / scale + 30 + 20 * i, 32, 0);
    write(name, i + 1, 52);
  }
  return new Promise((resolve) => image.toBlob((blob) => resolve(blob ?? undefined)));
}
