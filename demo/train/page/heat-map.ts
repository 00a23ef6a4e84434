// Heat map of cross-attention weights: rows are target tokens, columns source tokens. The cells are on a canvas, so that
// a long text costs few elements; the labels are SVG. Arrow keys select a cell; a list states the largest weight of each
// row in text.

import type { Attention } from '../../../src/entries/reports.ts';
import { freshId } from '../../common/dom.ts';
import { field, options } from '../../common/form-fields.ts';
import { formatPercent } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel, svg } from '../../common/panel.ts';
import { colour, onThemeChange } from '../../common/theme.ts';

/** Weights of one layer and head, [T, S]; -1 averages over all layers or heads. */
export function viewOf(a: Attention, layer: number, head: number): Float32Array {
  const size = a.target.length * a.source.length;
  const out = new Float32Array(size);
  const chosen = (n: number, one: number) => (one < 0 ? Array.from({ length: n }, (_, i) => i) : [one]);
  const [layers, heads] = [chosen(a.layers, layer), chosen(a.heads, head)];
  for (const l of layers)
    for (const h of heads) {
      const from = (l * a.heads + h) * size;
      for (let i = 0; i < size; i++) out[i] = (out[i] as number) + (a.weights[from + i] as number);
    }
  return out.map((w) => w / (layers.length * heads.length));
}

/** Label of a token: spaces, which SentencePiece writes as ▁, made visible; cut after 13 characters. */
export function labelOf(token: string): string {
  const text = token.replace(/[ ▁]/g, '␣') || '∅';
  const characters = [...text];
  return characters.length > 14 ? `${characters.slice(0, 13).join('')}…` : text;
}

/**
 * A label in quotation marks; marks of Unicode keep right-to-left text from changing the order of a sentence.
 */
const quoted = (token: string): string => {
  const text = `“${labelOf(token)}”`;
  return /[\p{Script=Arabic}\p{Script=Hebrew}]/u.test(text) ? `\u2068${text}\u2069` : text;
};

/** Maximum and minimum side of a cell, height that the cells fill, and width of a character, in pixels. */
const maxCell = 30;
const minCell = 14;
const maxHeight = 560;
/** Padding of the scroll area on both sides, which has room for the focus ring. */
const padding = 4;
const characterWidth = 7.4;
/** Below this side of a cell the labels of its columns are vertical: slanted ones would overlap. */
const slantedFrom = 20;

/** Sizes of a map in pixels, for the room that it has. */
export interface MapSizes {
  readonly cell: number;
  readonly isUpright: boolean;
  /** Space of the labels. */
  readonly left: number;
  readonly top: number;
  readonly right: number;
}

/**
 * Returns sizes with which the columns fit `room`, unless there are too many for cells of the smallest side.
 */
export function sizesFor(across: readonly string[], down: readonly string[], room: number): MapSizes {
  const longest = (labels: readonly string[]) =>
    Math.max(2, ...labels.map((l) => [...l].length)) * characterWidth;
  const left = longest(down) + 12;
  const fitting = (right: number) =>
    Math.min(maxCell, Math.floor((room - left - right) / across.length), Math.floor(maxHeight / down.length));
  const right = longest(across.slice(-3)) * 0.75;
  const slanted = fitting(right);
  if (slanted >= slantedFrom)
    return { cell: slanted, isUpright: false, left, top: longest(across) * 0.75 + 16, right };
  return { cell: Math.max(minCell, fitting(4)), isUpright: true, left, top: longest(across) + 14, right: 4 };
}

/** Maximum number of pixels of the cells; a larger map has a pixel for each cell. */
const maxPixels = 4e6;

/** What an empty map shows. */
const noAttention: Attention = {
  source: [],
  target: [],
  layers: 1,
  heads: 1,
  weights: new Float32Array(),
};

/** Rows and columns that an arrow key moves by. */
const moves: Readonly<Record<string, readonly [rows: number, columns: number]>> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};

const clamp = (i: number, n: number): number => Math.max(0, Math.min(n - 1, i));

/** A heat map; hidden until it has weights. */
export class HeatMap extends Panel {
  #attention: Attention | undefined;
  /** The layer and head that are shown; -1: the average of all. */
  #layer = -1;
  #head = -1;
  /** Their weights, [T, S]. */
  #view: Float32Array = new Float32Array();
  /** The selected cell. */
  #at = { t: 0, s: 0 };
  #sizes = sizesFor([], [], 0);
  /** Whether a part of the map is out of sight. */
  #isCut = false;
  readonly #id = freshId('heat');

  constructor() {
    super();
    this.draw();
    new ResizeObserver(() => this.#fit()).observe(this.#scroll);
    onThemeChange(() => this.#paint());
  }

  show(attention: Attention): void {
    const tokens = (shown: Attention | undefined) => JSON.stringify([shown?.source, shown?.target]);
    if (tokens(attention) !== tokens(this.#attention)) this.#at = { t: 0, s: 0 };
    if (this.#layer >= attention.layers) this.#layer = -1;
    if (this.#head >= attention.heads) this.#head = -1;
    this.#attention = attention;
    this.element.hidden = false;
    this.#choose(this.#layer, this.#head);
  }

  /** Selects the largest weight of a row. */
  selectRow(row: number): void {
    if (!this.#attention) return;
    const weights = this.#row(this.#attention, row);
    this.#at = { t: row, s: weights.indexOf(Math.max(...weights)) };
    this.draw();
  }

  clear(): void {
    this.#attention = undefined;
    this.draw();
  }

  get #scroll(): HTMLElement {
    return this.find<HTMLElement>('.heat-scroll');
  }

  #row({ source }: Attention, t: number): number[] {
    return [...this.#view.subarray(t * source.length, (t + 1) * source.length)];
  }

  #choose(layer: number, head: number): void {
    if (!this.#attention) return;
    this.#layer = layer;
    this.#head = head;
    this.#view = viewOf(this.#attention, layer, head);
    this.#fit();
  }

  /** Draws the map for the width that it has, and says whether a part is out of sight. */
  #fit(): void {
    if (!this.#attention) return;
    const { source, target } = this.#attention;
    // Without a width the map is not visible yet: it is fitted when it is.
    const room = this.#scroll.clientWidth - padding || Number.POSITIVE_INFINITY;
    this.#sizes = sizesFor(source.map(labelOf), target.map(labelOf), room);
    this.draw();
    this.#paint();
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = this.#scroll;
    const isCut = scrollWidth > clientWidth + 1 || scrollHeight > clientHeight + 1;
    if (isCut === this.#isCut) return;
    this.#isCut = isCut;
    this.draw();
  }

  #point({ offsetX, offsetY }: PointerEvent): void {
    const { cell, left, top } = this.#sizes;
    const { source = [], target = [] } = this.#attention ?? {};
    const [t, s] = [Math.floor((offsetY - top) / cell), Math.floor((offsetX - left) / cell)];
    if (t < 0 || s < 0 || t >= target.length || s >= source.length) return;
    this.#at = { t, s };
    this.draw();
  }

  #press(event: KeyboardEvent): void {
    const move = moves[event.key];
    if (!move || !this.#attention) return;
    event.preventDefault();
    this.#at = {
      t: clamp(this.#at.t + move[0], this.#attention.target.length),
      s: clamp(this.#at.s + move[1], this.#attention.source.length),
    };
    this.draw();
    this.find<SVGElement>('.heat-at').scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  protected override template(): Content {
    const attention = this.#attention;
    this.element.hidden = !attention;
    const { layers = 1, heads = 1 } = attention ?? {};
    return html`
      <div class="row heat-choice">
        <div class="row" ?hidden=${layers * heads === 1}>
          ${this.#chooser(say`Layer`, layers, this.#layer, (layer) => this.#choose(layer, this.#head))}
          ${this.#chooser(say`Head`, heads, this.#head, (head) => this.#choose(this.#layer, head))}
        </div>
        <p class="hint readout" aria-live="polite">${attention ? this.#cellText(attention) : ''}</p>
        <p class="hint heat-scale">
          0 %<span class="heat-bar" aria-hidden="true"></span>100 %; a row is what one token looks at
        </p>
      </div>
      <div class="scroll heat-scroll">${this.#drawing(attention ?? noAttention)}</div>
      <p class="hint heat-cue" ?hidden=${!this.#isCut}>Part of the map is out of sight: scroll it.</p>
      <details>
        <summary>As text</summary>
        <ul class="hint">${attention ? this.#largest(attention) : nothing}</ul>
      </details>`;
  }

  #chooser(name: string, count: number, selected: number, choose: (index: number) => void): Content {
    const id = `${this.#id}-${name}`;
    const numbers = Array.from({ length: count }, (_, i) => [String(i), String(i + 1)] as const);
    const change = (event: Event) => choose(Number((event.target as HTMLSelectElement).value));
    const list = options([['-1', say`average`], ...numbers], String(selected));
    return field(id, name, html`<select id=${id} @input=${change}>${list}</select>`);
  }

  /** The selected cell as text. */
  #cellText({ source, target }: Attention): string {
    const { t, s } = this.#at;
    const weight = this.#view[t * source.length + s] ?? 0;
    return `${quoted(target[t] ?? '')} → ${quoted(source[s] ?? '')}: ${formatPercent(weight)}`;
  }

  /** The largest weight of each row as text. */
  #largest(attention: Attention): Content {
    return attention.target.map((token, t) => {
      const weights = this.#row(attention, t);
      const weight = Math.max(...weights);
      const attended = attention.source[weights.indexOf(weight)] ?? '';
      return html`<li>${quoted(token)} attends most to ${quoted(attended)}: ${formatPercent(weight)}</li>`;
    });
  }

  #drawing({ source, target }: Attention): Content {
    const { cell, left, top, right } = this.#sizes;
    const [T, S] = [target.length, source.length];
    const [width, height] = [left + S * cell + right, top + T * cell + 4];
    const { t, s } = this.#at;
    const label = say`Attention of ${T} tokens over ${S} tokens. Arrow keys select a cell; the list below has the values as text.`;
    return html`
      <div class="heat-drawing" data-rows=${T} data-columns=${S}>
      <canvas class="heat-cells" aria-hidden="true"></canvas>
      <svg
        class="heat"
        tabindex="0"
        role="img"
        aria-label=${label}
        viewBox="0 0 ${width} ${height}"
        width=${width}
        height=${height}
        @keydown=${this.#press}
        @pointermove=${this.#point}
        @pointerdown=${this.#point}
      >
        <g transform="translate(${left} ${top})">
          <rect class="heat-at" rx="4" x=${s * cell} y=${t * cell} width=${cell} height=${cell}></rect>
        </g>
        ${source.map((token, s) => this.#column(labelOf(token), s))}
        ${target.map(
          (token, t) => svg`<text
            class="heat-row"
            x=${left - 8}
            y=${top + (t + 0.5) * cell + 4.5}
            direction="ltr"
          >${labelOf(token)}</text>`,
        )}
      </svg>
      </div>`;
  }

  /** Draws the cells: each has the colour of the map with the weight as its opacity. */
  #paint(): void {
    const canvas = this.find<HTMLCanvasElement>('.heat-cells');
    const { source = [], target = [] } = this.#attention ?? {};
    const [T, S] = [target.length, source.length];
    const { cell, left, top } = this.#sizes;
    // The content security policy allows no style attributes.
    Object.assign(canvas.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${S * cell}px`,
      height: `${T * cell}px`,
    });
    const wanted = cell * (window.devicePixelRatio || 1);
    const isSmall = T * S * wanted ** 2 <= maxPixels;
    const side = isSmall ? wanted : 1; // a pixel for each cell of a large map
    const gap = isSmall ? side / cell : 0;
    canvas.width = Math.ceil(S * side);
    canvas.height = Math.ceil(T * side);
    const context = canvas.getContext('2d');
    if (!context || T * S === 0) return;
    context.fillStyle = colour('--c1');
    for (let t = 0; t < T; t++)
      for (let s = 0; s < S; s++) {
        context.globalAlpha = Math.min(1, this.#view[t * S + s] ?? 0);
        context.fillRect(s * side + gap, t * side + gap, side - 2 * gap, side - 2 * gap);
      }
  }

  #column(label: string, s: number): Content {
    const { cell, isUpright, left, top } = this.#sizes;
    const [x, y] = [left + (s + 0.5) * cell + (isUpright ? 4.5 : 3), top - 6];
    const angle = isUpright ? -90 : -45;
    return svg`<text x=${x} y=${y} transform="rotate(${angle} ${x} ${y})">${label}</text>`;
  }
}
