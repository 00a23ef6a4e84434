// Table of translations next to their references, with the words that differ underlined.

import { formatInteger, formatPercent } from '../core/format-numbers.ts';
import { type TextSegment, wordDifferences } from '../metrics/word-differences.ts';
import { type Html, html } from './markup.ts';
import type { Sample } from './training-log.ts';

/** Number of visible rows; the others are folded. */
const open = 12;
/** Maximum number of rows. */
const maxRows = 200;

/** Returns the card of translations. */
export function samplesCard(samples: readonly Sample[]): Html {
  const shown = samples.slice(0, maxRows);
  const exact = shown.filter((s) => s.exact).length;
  const rest = shown.slice(open);
  return html`<div class="card"><div class="tabs">
<h3>${formatInteger(exact)} of ${formatInteger(shown.length)} are exact (${formatPercent(exact / shown.length)})</h3>
<input type="radio" name="samples" id="samples-all" class="first" checked><label for="samples-all">all</label>
<input type="radio" name="samples" id="samples-differ" class="second"><label for="samples-differ">those that differ</label>
<div class="panel">${table(shown.slice(0, open))}
${rest.length > 0 && html`<details><summary>${formatInteger(rest.length)} more</summary>${table(rest)}</details>`}
</div></div></div>`;
}

const table = (samples: readonly Sample[]): Html => html`<table class="samples">
<thead><tr><th class="mark" scope="col">result</th><th scope="col">source</th><th scope="col">reference</th><th scope="col">translation</th></tr></thead>
<tbody>${samples.map(row)}</tbody></table>`;

function row({ source, reference, translation, exact }: Sample): Html {
  const parts = exact
    ? { a: [{ text: reference, same: true }], b: [{ text: translation, same: true }] }
    : wordDifferences(reference, translation);
  const side = (name: string, content: Html | string) =>
    html`<td data-side="${name}"><bdi dir="auto">${content}</bdi></td>`;
  const spaceAfter = (text: string) => text.slice(text.trimEnd().length);
  const left = (s: TextSegment) => (s.same ? s.text : html`<del>${s.text.trimEnd()}</del>${spaceAfter(s.text)}`);
  const added = (s: TextSegment) => (s.same ? s.text : html`<ins>${s.text.trimEnd()}</ins>${spaceAfter(s.text)}`);
  const mark = exact ? html`<span class="yes"><b>✓</b>exact</span>` : html`<span class="no"><b>✗</b>differs</span>`;
  const made = translation.trim() === '' ? html`<i>nothing</i>` : html`${parts.b.map(added)}`;
  return html`<tr${exact && html` class="exact"`}><td class="mark">${mark}</td>${side('source', source)}${side('reference', html`${parts.a.map(left)}`)}${side('translation', made)}</tr>
`;
}
