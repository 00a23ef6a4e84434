// Cross-attention as a heat map: a row for each target token, a column for each source token, darker where more was looked at. SVG, so that
// labels stay sharp and colours follow the theme. Arrow keys walk through the cells; a sentence says what one holds; a list says the
// same in words for those who cannot see it.

import { formatPercent } from '../../../src/core/format-numbers.ts';
import { el, fill, set, setText, svg } from '../../common/dom.ts';
import { field, select } from '../../common/form-controls.ts';
import type { AttentionResult } from '../protocol.ts';

/** A heat map in the page. */
export interface HeatMap {
  readonly element: HTMLElement;
  show(attention: AttentionResult): void;
  clear(): void;
}

/** The weights of one view, [T, S]: a layer or all of them (-1), a head or all; means where they are several. */
export function viewOf(a: AttentionResult, layer: number, head: number): Float32Array {
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

/** A token as a label: its spaces made visible, cut where it is long. */
export function labelOf(token: string): string {
  const text = token.replaceAll(' ', '␣') || '∅';
  const units = [...text];
  return units.length > 14 ? `${units.slice(0, 13).join('')}…` : text;
}

/** Side of a cell, in pixels. */
const cell = 30;
const letter = 7.4;

/** Builds a heat map, empty. */
export function createHeatMap(): HeatMap {
  let attention: AttentionResult | undefined;
  let view: Float32Array = new Float32Array();
  let at = { t: 0, s: 0 };
  let cells: SVGRectElement[] = [];

  const layer = select([], '');
  const head = select([], '');
  const readout = el('p', { class: 'hint readout', 'aria-live': 'polite' });
  const words = el('ul', { class: 'hint' });
  const drawing = svg('svg', { class: 'heat', tabindex: 0, role: 'img' });
  const frame = svg('rect', { class: 'heat-at', width: cell, height: cell, rx: 4 });
  const element = el(
    'div',
    { class: 'stack', hidden: true },
    el('div', { class: 'row heat-choice' }, field('Layer', layer), field('Head', head), readout),
    el('div', { class: 'scroll heat-scroll' }, drawing),
    el('details', {}, el('summary', {}, 'In words'), words),
  );

  function say(): void {
    if (!attention) return;
    const { source, target } = attention;
    const weight = view[at.t * source.length + at.s] ?? 0;
    setText(
      readout,
      `“${labelOf(target[at.t] ?? '')}” looked at “${labelOf(source[at.s] ?? '')}”: ${formatPercent(weight)}`,
    );
    set(frame, { x: at.s * cell, y: at.t * cell });
  }

  /** The drawing, anew for another translation. */
  function build(a: AttentionResult): void {
    const [T, S] = [a.target.length, a.source.length];
    const across = a.source.map(labelOf);
    const down = a.target.map(labelOf);
    const longest = (labels: readonly string[]) => Math.max(2, ...labels.map((l) => [...l].length)) * letter;
    const left = longest(down) + 12;
    const top = longest(across) * 0.75 + 16;
    const right = longest(across.slice(-3)) * 0.75;
    const [width, height] = [left + S * cell + right, top + T * cell + 4];
    set(drawing, { viewBox: `0 0 ${width} ${height}`, width, height });
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
        const x = left + (s + 0.5) * cell;
        return svg('text', { x: x + 3, y: top - 6, transform: `rotate(-45 ${x + 3} ${top - 6})` }, text);
      }),
      ...down.map((text, t) =>
        svg('text', { class: 'heat-row', x: left - 8, y: top + (t + 0.5) * cell + 4.5, direction: 'ltr' }, text),
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
    const most = target.map((token, t) => {
      const row = [...view.subarray(t * source.length, (t + 1) * source.length)];
      const s = row.indexOf(Math.max(...row));
      return { token, seen: source[s] ?? '', weight: row[s] ?? 0 };
    });
    fill(
      words,
      ...most.map(({ token, seen, weight }) =>
        el('li', {}, `“${labelOf(token)}” looked most at “${labelOf(seen)}”, ${formatPercent(weight)}`),
      ),
    );
    set(drawing, {
      'aria-label': `What each of ${target.length} target tokens looked at among ${source.length} source tokens; arrow keys walk through it, and below it stands in words`,
    });
    at = { t: Math.min(at.t, target.length - 1), s: Math.min(at.s, source.length - 1) };
    say();
  }

  for (const control of [layer, head]) control.addEventListener('input', paint);
  drawing.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!move || !attention) return;
    event.preventDefault();
    const within = (i: number, n: number) => Math.max(0, Math.min(n - 1, i));
    at = {
      t: within(at.t + (move[0] ?? 0), attention.target.length),
      s: within(at.s + (move[1] ?? 0), attention.source.length),
    };
    say();
  });
  drawing.addEventListener('pointermove', (event) => {
    const index = cells.indexOf(event.target as SVGRectElement);
    if (index < 0 || !attention) return;
    at = { t: Math.floor(index / attention.source.length), s: index % attention.source.length };
    say();
  });

  return {
    element,
    show(a) {
      const kept = [layer.value, head.value];
      const options = (n: number) => [
        el('option', { value: -1 }, 'average'),
        ...Array.from({ length: n }, (_, i) => el('option', { value: i }, String(i + 1))),
      ];
      fill(layer, ...options(a.layers));
      fill(head, ...options(a.heads));
      layer.value = Number(kept[0] || -1) < a.layers ? kept[0] || '-1' : '-1';
      head.value = Number(kept[1] || -1) < a.heads ? kept[1] || '-1' : '-1';
      attention = a;
      at = { t: 0, s: 0 };
      build(a);
      paint();
      element.hidden = false;
    },
    clear() {
      element.hidden = true;
      attention = undefined;
    },
  };
}
