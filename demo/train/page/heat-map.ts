// Heat map of cross-attention weights: rows are target tokens, columns source tokens. Drawn as SVG, so that
// colours follow the theme. Arrow keys select a cell; a list states the largest weight of each row in text.

import { formatPercent } from '../../../src/core/format-numbers.ts';
import type { Attention } from '../../../src/index.ts';
import { el, fill, set, setText, svg } from '../../common/dom.ts';
import { field, select } from '../../common/form-controls.ts';

/** A heat map. */
export interface HeatMap {
  readonly element: HTMLElement;
  show(attention: Attention): void;
  /** Selects the largest weight of a row. */
  selectRow(row: number): void;
  clear(): void;
}

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

/** Label of a token: spaces made visible, cut after 13 characters. */
export function labelOf(token: string): string {
  const text = token.replaceAll(' ', '␣') || '∅';
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

/** The colours of the weights; each row of a map sums to 100 %. */
const scale = (): HTMLElement =>
  el(
    'p',
    { class: 'hint heat-scale' },
    '0 %',
    el('span', { class: 'heat-bar', 'aria-hidden': 'true' }),
    '100 %, each row',
  );

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

/** Creates an empty heat map. */
export function createHeatMap(): HeatMap {
  let attention: Attention | undefined;
  let view: Float32Array = new Float32Array();
  let at = { t: 0, s: 0 };
  let cells: SVGRectElement[] = [];
  let sizes = sizesFor([], [], 0);

  const layer = select([], '');
  const head = select([], '');
  const readout = el('p', { class: 'hint readout', 'aria-live': 'polite' });
  const words = el('ul', { class: 'hint' });
  const choice = el('div', { class: 'row' }, field('Layer', layer), field('Head', head));
  const drawing = svg('svg', { class: 'heat', tabindex: 0, role: 'img' });
  const frame = svg('rect', { class: 'heat-at', rx: 4 });
  const scroll = el('div', { class: 'scroll heat-scroll' }, drawing);
  const cue = el(
    'p',
    { class: 'hint heat-cue', hidden: true },
    'Part of the map is out of sight: scroll it.',
  );
  const element = el(
    'div',
    { class: 'stack', hidden: true },
    el('div', { class: 'row heat-choice' }, choice, readout, scale()),
    scroll,
    cue,
    el('details', {}, el('summary', {}, 'As text'), words),
  );

  function showCell(): void {
    if (!attention) return;
    const { source, target } = attention;
    const weight = view[at.t * source.length + at.s] ?? 0;
    setText(
      readout,
      `${quoted(target[at.t] ?? '')} → ${quoted(source[at.s] ?? '')}: ${formatPercent(weight)}`,
    );
    set(frame, { x: at.s * sizes.cell, y: at.t * sizes.cell });
  }

  /** Draws the map again if its tokens or the available width have changed. */
  function redraw(changed: boolean): void {
    if (!attention) return;
    const [across, down] = [attention.source.map(labelOf), attention.target.map(labelOf)];
    // Without a width the map is not visible yet: it is fitted when it is.
    const wanted = sizesFor(across, down, scroll.clientWidth - padding || Number.POSITIVE_INFINITY);
    if (changed || wanted.cell !== sizes.cell || wanted.isUpright !== sizes.isUpright) {
      sizes = wanted;
      build(across, down);
      paint();
    }
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = scroll;
    set(cue, { hidden: scrollWidth <= clientWidth + 1 && scrollHeight <= clientHeight + 1 });
  }
  new ResizeObserver(() => redraw(false)).observe(scroll);

  /** Draws the grid and the labels. */
  function build(across: readonly string[], down: readonly string[]): void {
    const [T, S] = [down.length, across.length];
    const { cell, isUpright, left, top, right } = sizes;
    const [width, height] = [left + S * cell + right, top + T * cell + 4];
    set(drawing, { viewBox: `0 0 ${width} ${height}`, width, height });
    set(frame, { width: cell, height: cell });
    cells = Array.from({ length: T * S }, (_, i) =>
      svg('rect', {
        class: 'heat-cell',
        x: (i % S) * cell + 1,
        y: Math.floor(i / S) * cell + 1,
        width: cell - 2,
        height: cell - 2,
        rx: 3,
      }),
    );
    fill(
      drawing,
      svg(
        'g',
        { transform: `translate(${left} ${top})` },
        svg('rect', { class: 'heat-ground', width: S * cell, height: T * cell, rx: 5 }),
        ...cells,
        frame,
      ),
      ...across.map((text, s) => {
        const [x, y] = [left + (s + 0.5) * cell + (isUpright ? 4.5 : 3), top - 6];
        return svg('text', { x, y, transform: `rotate(${isUpright ? -90 : -45} ${x} ${y})` }, text);
      }),
      ...down.map((text, t) =>
        svg(
          'text',
          { class: 'heat-row', x: left - 8, y: top + (t + 0.5) * cell + 4.5, direction: 'ltr' },
          text,
        ),
      ),
    );
  }

  function paint(): void {
    if (!attention) return;
    const { source, target } = attention;
    view = viewOf(attention, Number(layer.value), Number(head.value));
    cells.forEach((rect, i) => {
      set(rect, { 'fill-opacity': (view[i] ?? 0).toFixed(3) });
    });
    const largest = target.map((token, t) => {
      const row = [...view.subarray(t * source.length, (t + 1) * source.length)];
      const s = row.indexOf(Math.max(...row));
      return { token, attended: source[s] ?? '', weight: row[s] ?? 0 };
    });
    fill(
      words,
      ...largest.map(({ token, attended, weight }) =>
        el('li', {}, `${quoted(token)} attends most to ${quoted(attended)}: ${formatPercent(weight)}`),
      ),
    );
    set(drawing, {
      'aria-label': `Attention of ${target.length} tokens over ${source.length} tokens. Arrow keys select a cell; the list below has the values as text.`,
    });
    at = { t: Math.min(at.t, target.length - 1), s: Math.min(at.s, source.length - 1) };
    showCell();
  }

  for (const control of [layer, head]) control.addEventListener('input', paint);
  drawing.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!move || !attention) return;
    event.preventDefault();
    const clamp = (i: number, n: number) => Math.max(0, Math.min(n - 1, i));
    at = {
      t: clamp(at.t + (move[0] ?? 0), attention.target.length),
      s: clamp(at.s + (move[1] ?? 0), attention.source.length),
    };
    showCell();
    frame.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  });
  for (const event of ['pointermove', 'pointerdown'] as const)
    drawing.addEventListener(event, ({ target }) => {
      const index = cells.indexOf(target as SVGRectElement);
      if (index < 0 || !attention) return;
      at = { t: Math.floor(index / attention.source.length), s: index % attention.source.length };
      showCell();
    });

  return {
    element,
    show(a) {
      const previous = [layer.value, head.value];
      const options = (n: number) => [
        el('option', { value: -1 }, 'average'),
        ...Array.from({ length: n }, (_, i) => el('option', { value: i }, String(i + 1))),
      ];
      fill(layer, ...options(a.layers));
      fill(head, ...options(a.heads));
      layer.value = Number(previous[0] || -1) < a.layers ? previous[0] || '-1' : '-1';
      head.value = Number(previous[1] || -1) < a.heads ? previous[1] || '-1' : '-1';
      set(choice, { hidden: a.layers * a.heads === 1 });
      const tokens = (shown: Attention | undefined) => JSON.stringify([shown?.source, shown?.target]);
      const changed = tokens(a) !== tokens(attention);
      attention = a;
      if (changed) at = { t: 0, s: 0 };
      element.hidden = false;
      if (changed) redraw(true);
      else paint();
    },
    selectRow(row) {
      if (!attention) return;
      const keys = attention.source.length;
      const weights = view.subarray(row * keys, (row + 1) * keys);
      at = { t: row, s: weights.indexOf(Math.max(...weights)) };
      showCell();
    },
    clear() {
      element.hidden = true;
      attention = undefined;
    },
  };
}
