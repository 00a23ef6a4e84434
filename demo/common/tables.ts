// Numbers, and templates of tables and lists of facts, the same on all pages.

import { fixed, formatPercent, inDigits } from './format.ts';
import { type Content, html } from './panel.ts';

/** A table that scrolls in its own region. The first cell of a row is its heading. */
export const dataTable = (
  label: string,
  head: readonly string[],
  rows: readonly (readonly Content[])[],
  look: 'numbers' | 'plain' = 'numbers',
): Content => html`
  <div class="scroll" role="region" aria-label=${label} tabindex="0">
    <table class=${look}>
      <caption class="unseen">${label}</caption>
      <thead>
        <tr>
          ${columnHeads(head)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([first, ...rest]) => html`
            <tr>
              <th scope="row">${first}</th>
              ${rest.map((value) => html`<td>${value}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;

/** The headings of columns. */
export const columnHeads = (names: readonly string[]): Content =>
  names.map((name) => html`<th scope="col">${name}</th>`);

/** A list of names and values. */
export const factList = (facts: readonly (readonly [string, Content])[]): Content => html`
  <dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;

/** A paragraph of small text that explains something. */
export const hint = (content: Content): Content => html`<p class="hint">${content}</p>`;

/** A number with a minus sign, and without the sign of a zero. */
export const signed = (x: number, digits = 2): string =>
  fixed(x, digits)
    .replace(/^-(?=[0.,]*$)/, '')
    .replace('-', '−');

/** A probability, with more digits if it is small: `99.9 %`, `0.02 %`. */
export function probability(p: number): string {
  if (!(p < 5e-4)) return formatPercent(p);
  return p < 1e-6 ? '0 %' : `${inDigits(String(Number((100 * p).toPrecision(1))))} %`;
}
