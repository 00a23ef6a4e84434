// Views of tensors: numbers and probabilities as text, rows as coloured strips with their numbers, tables of
// values.

import type { InspectedToken, Inspection } from '../../src/index.ts';
import { dataTable, signed } from '../common/data-views.ts';
import { type Child, el, svg } from '../common/dom.ts';
import { labelOf } from '../train/page/heat-map.ts';

/** The first tensor whose name matches. */
export const tensorOf = ({ tensors }: Inspection, name: RegExp): Inspection['tensors'][number] | undefined =>
  tensors.find((tensor) => name.test(tensor.name));

/** Row `i` of a matrix with `columns` columns. */
export const rowOf = (data: Float32Array, columns: number, i: number): Float32Array =>
  data.slice(i * columns, (i + 1) * columns);

/** Dot product. */
export const dots = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

/** A vector as a strip, blue above zero and orange below; bars of `max` have the full height. */
export function strip(values: Float32Array, max: number, label = `${values.length} numbers`): SVGSVGElement {
  const bars = Array.from(values, (x, i) =>
    svg('rect', {
      class: x >= 0 ? 'plus' : 'minus',
      x: i,
      width: 0.9,
      y: x >= 0 ? 10 - (10 * x) / max : 10,
      height: Math.max(0.3, (10 * Math.abs(x)) / max),
    }),
  );
  const box = {
    viewBox: `0 0 ${values.length} 20`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': label,
  };
  return svg('svg', { class: 'strip', ...box }, ...bars);
}

/** A vector as a strip with its name and its first `shown` numbers. */
export function numberRow(name: string, values: Float32Array, shown = 6): HTMLElement {
  const max = values.reduce((a, x) => Math.max(a, Math.abs(x)), 1e-9);
  const first = [...values.slice(0, shown)].map((x) => signed(x)).join('  ');
  return el(
    'figure',
    { class: 'vector' },
    el('figcaption', {}, name),
    strip(values, max, `${name}: ${values.length} numbers`),
    el('p', { class: 'hint number mono' }, `${first}${values.length > shown ? ' …' : ''}`),
  );
}

/** A token with the space before it, if it begins a word. */
export const spacedLabel = ({ label, spaced }: InspectedToken): HTMLElement =>
  el('b', { dir: 'auto' }, spaced && el('span', { class: 'hint' }, '␣'), labelOf(label));

/** A table of values, labelled by its head. */
export const valuesOf = (head: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement =>
  dataTable(head.join(', '), head, rows);
