// Views of tensors: numbers and probabilities as text, rows as coloured strips with their numbers, tables of
// values.

import type { InspectedToken, Inspection } from '../../src/entries/reports.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing, svg } from '../common/panel.ts';
import { dataTable, signed } from '../common/tables.ts';
import { labelOf } from '../train/page/heat-map.ts';

/** The tensor of this name, or the first one in the scope of this name. */
export const tensorOf = ({ tensors }: Inspection, name: string): Inspection['tensors'][number] | undefined =>
  tensors.find((tensor) => tensor.name === name || tensor.name.startsWith(`${name}.`));

/** Row `i` of a matrix with `columns` columns. */
export const rowOf = (data: Float32Array, columns: number, i: number): Float32Array =>
  data.slice(i * columns, (i + 1) * columns);

/** Dot product. */
export const dots = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

/** A vector as a strip, blue above zero and orange below; bars of `max` have the full height. */
export function strip(values: Float32Array, max: number, label = say`${values.length} numbers`): Content {
  const bars = Array.from(values, (x, i) => {
    const height = (10 * Math.abs(x)) / max;
    const [look, top] = x >= 0 ? ['plus', 10 - height] : ['minus', 10];
    return svg`<rect class=${look} x=${i} width="0.9" y=${top} height=${Math.max(0.3, height)}></rect>`;
  });
  return html`
    <svg
      class="strip"
      viewBox="0 0 ${values.length} 20"
      preserveAspectRatio="none"
      role="img"
      aria-label=${label}
    >${bars}</svg>`;
}

/** The largest absolute value of some vectors: the scale that they share. */
export const scaleOf = (...vectors: readonly Float32Array[]): number =>
  vectors.reduce((most, values) => values.reduce((a, x) => Math.max(a, Math.abs(x)), most), 1e-9);

/** How a vector is shown: number of its first numbers [6], and the scale that it shares with others [its own]. */
export interface RowOptions {
  readonly shown?: number;
  readonly scale?: number;
}

/** A vector as a strip with its name and its first numbers. */
export function numberRow(
  name: string,
  values: Float32Array,
  { shown = 6, scale = scaleOf(values) }: RowOptions = {},
): Content {
  const first = [...values.slice(0, shown)].map((x) => signed(x)).join('  ');
  return html`
    <figure class="vector">
      <figcaption>${name}</figcaption>
      ${strip(values, scale, say`${name}: ${values.length} numbers`)}
      <p class="hint number mono">${first}${values.length > shown ? ' …' : ''}</p>
    </figure>`;
}

/** A token with the space before it, if it begins a word. */
export const spacedLabel = ({ label, spaced }: InspectedToken): Content =>
  html`<b dir="auto">${spaced ? html`<span class="hint">␣</span>` : nothing}${labelOf(label)}</b>`;

/** A table of values, labelled by its head. */
export const valuesOf = (head: readonly string[], rows: readonly (readonly Content[])[]): Content =>
  dataTable(head.join(', '), head, rows);

/** What a figure shows if the model lacks a tensor. */
export const noTensor = say`This model has no such tensor.`;
