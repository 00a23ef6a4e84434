// The cards of the report: settings of the run (corpus, machine and plan, model, recipe), and translations
// beside their references.

import {
  formatBytes,
  formatDuration,
  formatInteger,
  formatNumber,
  formatPercent,
} from '../../core/format-numbers.ts';
import { isObject } from '../../files/json-files.ts';
import { type TextSegment, wordDifferences } from '../../text/metrics/word-differences.ts';
import { type Html, html, type Part } from './markup.ts';
import type { LogStart, Sample, TrainingHistory } from './training-log.ts';

/** Names and values; facts without a value are not shown. */
type Facts = [name: string, value: string | undefined | false][];

/** Returns the cards with the settings. */
export function factCards(history: TrainingHistory): Html {
  const { start } = history;
  const cards: [string, Facts][] = [
    ['Corpus', corpusFacts(start)],
    ['Machine and plan', machineFacts(history)],
    ['Model', flat(start.config)],
    [
      'Recipe',
      [
        ['seed', String(start.seed)],
        ['steps per epoch', formatInteger(start.stepsPerEpoch)],
        ...flat(start.recipe),
      ],
    ],
  ];
  return html`<div class="facts">${cards.map(
    ([title, facts]) => html`<section class="card"><h3>${title}</h3><dl>${facts.map(fact)}</dl></section>`,
  )}</div>
<details><summary>All arguments</summary><pre>${JSON.stringify(start.arguments, undefined, 1) ?? ''}</pre></details>`;
}

const fact = ([name, value]: Facts[number]): Part =>
  value !== undefined && value !== false && html`<dt>${name}</dt><dd>${value}</dd>`;

const corpusFacts = ({ corpus: c }: LogStart): Facts => [
  ['name', c.name],
  ['training pairs', formatInteger(c.pairs)],
  ['pairs skipped', c.skipped > 0 && formatInteger(c.skipped)],
  ['dev, test pairs', `${formatInteger(c.dev)}, ${formatInteger(c.test)}`],
  [
    'tokenizer',
    c.lowercase === undefined ? c.tokenizer : `${c.tokenizer}, ${c.lowercase ? 'lowercase' : 'case kept'}`,
  ],
  ['unknown tokens', c.unknown && `${formatPercent(c.unknown.source)}, ${formatPercent(c.unknown.target)}`],
  ['vocabularies', `${formatInteger(c.sourceVocabulary)}, ${formatInteger(c.targetVocabulary)}`],
  ['tokens per sentence', `${formatNumber(c.sourceLength)}, ${formatNumber(c.targetLength)}`],
];

function machineFacts({ start, steps }: TrainingHistory): Facts {
  const { plan } = start;
  const dropped = Object.entries(start.droppedKernels ?? {}).map(([kernel, why]) => `${kernel}: ${why}`);
  const seconds = steps.at(-1)?.seconds ?? 0;
  return [
    ['adapter', start.backend],
    ['GPU memory, largest plan', plan && formatBytes(plan.peakBytes)],
    ['lower bound of any plan', plan && formatBytes(plan.lowerBound)],
    ['dispatches per step', plan && formatInteger(plan.dispatches)],
    ['arithmetic per step', plan && `${formatNumber(plan.flops / 1e9)} GFLOP`],
    ['of matrix products', plan?.modelFlops ? `${formatNumber(plan.modelFlops / 1e9)} GFLOP` : undefined],
    ['batches, rows × source × target', plan?.shapes.join(', ')],
    ['kernels not used', dropped.length > 0 && dropped.join('; ')],
    ['training time', seconds > 0 && formatDuration(seconds)],
    ['time per step', seconds > 0 && `${formatNumber((1000 * seconds) / steps.length)} ms`],
    ['heddle', start.heddle],
  ];
}

/** Flattens nested settings to `a.b` and their values; an object of zeros is one entry. */
const flat = (value: Readonly<Record<string, unknown>>, prefix = ''): Facts =>
  Object.entries(value).flatMap(([key, x]): Facts => {
    const name = `${prefix}${key}`;
    if (!isObject(x)) return [[name, show(x)]];
    const inner = Object.values(x);
    return inner.length > 1 && inner.every((rate) => rate === 0) ? [[name, '0']] : flat(x, `${name}.`);
  });

function show(value: unknown): string {
  if (value === null) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '–');
}

/** Number of visible rows; the others are folded. */
const visibleRows = 12;
/** Maximum number of rows. */
const maxRows = 200;

/** Returns the card of translations, with the words that differ from the reference underlined. */
export function samplesCard(samples: readonly Sample[]): Html {
  const shown = samples.slice(0, maxRows);
  const exact = shown.filter((s) => s.exact).length;
  const rest = shown.slice(visibleRows);
  return html`<div class="card"><div class="tabs">
<h3>${formatInteger(exact)} of ${formatInteger(shown.length)} are exact (${formatPercent(exact / shown.length)})</h3>
<input type="radio" name="samples" id="samples-all" class="first" checked><label for="samples-all">all</label>
<input type="radio" name="samples" id="samples-differ" class="second"><label for="samples-differ">those that differ</label>
<div class="panel">${table(shown.slice(0, visibleRows))}
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
  const removed = (s: TextSegment) =>
    s.same ? s.text : html`<del>${s.text.trimEnd()}</del>${spaceAfter(s.text)}`;
  const added = (s: TextSegment) =>
    s.same ? s.text : html`<ins>${s.text.trimEnd()}</ins>${spaceAfter(s.text)}`;
  const mark = exact
    ? html`<span class="yes"><b>✓</b>exact</span>`
    : html`<span class="no"><b>✗</b>differs</span>`;
  const marked = translation.trim() === '' ? html`<i>nothing</i>` : html`${parts.b.map(added)}`;
  return html`<tr${exact && html` class="exact"`}><td class="mark">${mark}</td>${side('source', source)}${side('reference', html`${parts.a.map(removed)}`)}${side('translation', marked)}</tr>
`;
}
