// Table of translations, exact ones and those that differ, with the differences underlined.

import { formatInteger, formatPercent } from '../core/format-numbers.ts';
import { type Html, html } from './markup.ts';
import type { Sample } from './training-log.ts';

/** A segment of a text, and whether the other text has it too. */
export interface Stretch {
  readonly text: string;
  readonly same: boolean;
}

/** Maximum number of words; longer texts are different as a whole. */
const longest = 200;

/** Splits a text into words with the space after them; punctuation marks are words. */
const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{M}\p{N}]+\s*|[^\p{L}\p{M}\p{N}]\s*/gu) ?? [];

/** Splits both texts into segments that are equal (ignoring case and spaces) or differ. */
export function differences(a: string, b: string): { a: Stretch[]; b: Stretch[] } {
  const [as, bs] = [wordsOf(a), wordsOf(b)];
  if (as.length > longest || bs.length > longest)
    return { a: [{ text: a, same: a === b }], b: [{ text: b, same: a === b }] };
  const keys = (words: readonly string[]) => words.map((word) => word.trim().toLowerCase());
  const [ak, bk] = [keys(as), keys(bs)];
  // common[i][j]: length of the longest common subsequence of the words from i and from j on.
  const common = Array.from({ length: as.length + 1 }, () => new Uint16Array(bs.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = as.length - 1; i >= 0; i--)
    for (let j = bs.length - 1; j >= 0; j--)
      (common[i] as Uint16Array)[j] = ak[i] === bk[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const [sameA, sameB] = [as.map(() => false), bs.map(() => false)];
  for (let i = 0, j = 0; i < as.length && j < bs.length; ) {
    if (ak[i] === bk[j]) {
      sameA[i++] = true;
      sameB[j++] = true;
    } else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return { a: stretches(as, sameA), b: stretches(bs, sameB) };
}

function stretches(words: readonly string[], same: readonly boolean[]): Stretch[] {
  const out: { text: string; same: boolean }[] = [];
  for (const [i, word] of words.entries()) {
    const last = out.at(-1);
    if (last && last.same === same[i]) last.text += word;
    else out.push({ text: word, same: same[i] as boolean });
  }
  return out;
}

/** Number of rows that are visible; the others are folded. */
const open = 12;
/** Maximum number of rows. */
const most = 200;

/** Returns the card of translations. */
export function samplesCard(samples: readonly Sample[]): Html {
  const shown = samples.slice(0, most);
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
    : differences(reference, translation);
  const side = (name: string, content: Html | string) =>
    html`<td data-side="${name}"><bdi dir="auto">${content}</bdi></td>`;
  const spaceAfter = (text: string) => text.slice(text.trimEnd().length);
  const left = (s: Stretch) => (s.same ? s.text : html`<del>${s.text.trimEnd()}</del>${spaceAfter(s.text)}`);
  const added = (s: Stretch) => (s.same ? s.text : html`<ins>${s.text.trimEnd()}</ins>${spaceAfter(s.text)}`);
  const mark = exact ? html`<span class="yes"><b>✓</b>exact</span>` : html`<span class="no"><b>✗</b>differs</span>`;
  const made = translation.trim() === '' ? html`<i>nothing</i>` : html`${parts.b.map(added)}`;
  return html`<tr${exact && html` class="exact"`}><td class="mark">${mark}</td>${side('source', source)}${side('reference', html`${parts.a.map(left)}`)}${side('translation', made)}</tr>
`;
}
