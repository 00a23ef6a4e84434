// The dev sentences: what they should become and what the model makes of them now. A row changes only where its translation did.

import { formatInteger } from '../../../src/core/format-numbers.ts';
import { differences } from '../../../src/report/differences.ts';
import type { Sample } from '../../../src/report/training-log.ts';
import { el, fill, onFrame, set, setText } from '../../common/dom.ts';
import type { SessionEvent } from '../protocol.ts';

/** The table of dev sentences. */
export interface SentencesPanel {
  readonly element: HTMLElement;
  hear(event: SessionEvent): void;
  /** Languages of the two sides, as tags; empty where unknown. */
  languages(source: string, target: string): void;
}

interface Row {
  readonly element: HTMLTableRowElement;
  readonly source: HTMLElement;
  readonly reference: HTMLElement;
  readonly now: HTMLElement;
  readonly mark: HTMLElement;
  shown: string;
}

/** Builds the table. */
export function createSentencesPanel(): SentencesPanel {
  const rows: Row[] = [];
  let samples: readonly Sample[] = [];
  let step = 0;
  let tags: [string, string] = ['', ''];
  const body = el('tbody');
  const head = el('p', { class: 'hint' }, 'Sentences that training never sees appear here at the first evaluation.');
  const table = el(
    'table',
    { class: 'sentences', hidden: true },
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        ...['Source', 'Reference', 'The model now', 'Exact'].map((name) => el('th', { scope: 'col' }, name)),
      ),
    ),
    body,
  );

  const draw = onFrame(() => {
    set(table, { hidden: samples.length === 0 });
    if (samples.length === 0) return;
    const exact = samples.filter((s) => s.exact).length;
    setText(head, `At step ${formatInteger(step)}: ${exact} of ${samples.length} exactly as the reference.`);
    while (rows.length < samples.length) rows.push(createRow());
    rows.length = samples.length;
    if (body.children.length !== rows.length) fill(body, ...rows.map((r) => r.element));
    samples.forEach((sample, i) => {
      const row = rows[i] as Row;
      set(row.source, { lang: tags[0] });
      for (const side of [row.reference, row.now]) set(side, { lang: tags[1] });
      show(row, sample);
    });
  });

  return {
    element: el('div', { class: 'stack' }, head, el('div', { class: 'scroll' }, table)),
    hear(event) {
      if (event.type === 'state' && event.state === 'preparing') samples = [];
      else if (event.type === 'samples') ({ samples, step } = event);
      else return;
      draw();
    },
    languages(source, target) {
      tags = [source, target];
      draw();
    },
  };
}

function createRow(): Row {
  const side = () => el('span', { dir: 'auto' });
  const [source, reference, now, mark] = [side(), side(), side(), el('span', { class: 'mark-exact' })];
  const element = el(
    'tr',
    {},
    el('td', { 'data-side': 'source' }, source),
    el('td', { 'data-side': 'reference' }, reference),
    el('td', { 'data-side': 'the model now' }, now),
    el('td', {}, mark),
  );
  return { element, source, reference, now, mark, shown: '' };
}

function show(row: Row, { source, reference, translation, exact }: Sample): void {
  const state = `${source}\n${reference}\n${translation}\n${exact}`;
  if (row.shown === state) return;
  row.shown = state;
  setText(row.source, source);
  setText(row.reference, reference);
  const parts = exact ? [{ text: translation, same: true }] : differences(translation, reference).a;
  fill(row.now, ...parts.map(({ text, same }) => (same ? text : el('ins', {}, text))));
  if (translation === '') fill(row.now, el('span', { class: 'soft' }, '(nothing)'));
  row.mark.className = `mark-exact ${exact ? 'yes' : 'no'}`;
  fill(row.mark, exact ? '✓' : '✗', el('span', { class: 'unseen' }, exact ? ' exact' : ' differs'));
}
