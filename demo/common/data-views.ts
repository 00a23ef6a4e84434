// Numbers, tables and lists of facts, the same on all pages.

import { formatPercent } from '../../src/core/format-numbers.ts';
import { type Child, el } from './dom.ts';

/** A number with a minus sign, and without the sign of a zero. */
export const signed = (x: number, digits = 2): string =>
  x
    .toFixed(digits)
    .replace(/^-(?=[0.]*$)/, '')
    .replace('-', '−');

/** A probability, with more digits if it is small: `99.9 %`, `0.02 %`. */
export function probability(p: number): string {
  if (!(p < 5e-4)) return formatPercent(p);
  return p < 1e-6 ? '0 %' : `${Number((100 * p).toPrecision(1))} %`;
}

/** Creates a table that scrolls in its own region. The first cell of a row is its heading. */
export function dataTable(
  label: string,
  head: readonly string[],
  rows: readonly (readonly Child[])[],
  look: 'numbers' | 'plain' = 'numbers',
): HTMLElement {
  return el(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': label, tabindex: 0 },
    el(
      'table',
      { class: look },
      el('caption', { class: 'unseen' }, label),
      el('thead', {}, el('tr', {}, ...head.map((name) => el('th', { scope: 'col' }, name)))),
      el(
        'tbody',
        {},
        ...rows.map(([first, ...rest]) =>
          el('tr', {}, el('th', { scope: 'row' }, first), ...rest.map((value) => el('td', {}, value))),
        ),
      ),
    ),
  );
}

/** Creates a list of names and values. */
export const factList = (facts: readonly (readonly [string, Child])[]): HTMLElement =>
  el(
    'dl',
    { class: 'facts' },
    ...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]),
  );
