// Table of the dev sentences with their references and current translations. Only rows whose translation
// changed are redrawn.

import { formatInteger } from '../../../src/core/format-numbers.ts';
import { type Sample, wordDifferences } from '../../../src/index.ts';
import { el, fill, hint, onFrame, set, setText, stack } from '../../common/dom.ts';
import type { SessionEvent } from '../protocol.ts';

/** The samples panel. */
export interface SamplesPanel {
  readonly element: HTMLElement;
  onEvent(event: SessionEvent): void;
  /** Sets the languages of source and target, as BCP 47 tags; empty if unknown. */
  setLanguages(source: string, target: string): void;
}

interface Row {
  readonly element: HTMLTableRowElement;
  readonly source: HTMLElement;
  readonly reference: HTMLElement;
  readonly translation: HTMLElement;
  readonly mark: HTMLElement;
  shown: string;
}

/** Text while there are no sentences. */
const empty = 'Dev sentences, which are not trained on, appear here after the first evaluation.';

/** Creates the panel. */
export function createSamplesPanel(): SamplesPanel {
  const rows: Row[] = [];
  let samples: readonly Sample[] = [];
  let step = 0;
  let tags: [string, string] = ['', ''];
  const body = el('tbody');
  const head = hint(empty);
  const table = el(
    'table',
    { class: 'samples', hidden: true },
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        ...['Source', 'Reference', 'Translation', 'Exact match'].map((name) =>
          el('th', { scope: 'col' }, name),
        ),
      ),
    ),
    body,
  );

  const draw = onFrame(() => {
    set(table, { hidden: samples.length === 0 });
    if (samples.length === 0) return setText(head, empty);
    const exact = samples.filter((s) => s.exact).length;
    setText(
      head,
      `Step ${formatInteger(step)}: ${exact} of ${samples.length} translations match the reference exactly.`,
    );
    while (rows.length < samples.length) rows.push(createRow());
    rows.length = samples.length;
    if (body.children.length !== rows.length) fill(body, ...rows.map((r) => r.element));
    samples.forEach((sample, i) => {
      const row = rows[i] as Row;
      set(row.source, { lang: tags[0] });
      for (const side of [row.reference, row.translation]) set(side, { lang: tags[1] });
      show(row, sample);
    });
  });

  return {
    element: stack(head, el('div', { class: 'scroll' }, table)),
    onEvent(event) {
      if (event.type === 'state' && event.state === 'preparing') samples = [];
      else if (event.type === 'samples') ({ samples, step } = event);
      else return;
      draw();
    },
    setLanguages(source, target) {
      tags = [source, target];
      draw();
    },
  };
}

function createRow(): Row {
  const side = () => el('div', { dir: 'auto' });
  const [source, reference, output, mark] = [side(), side(), side(), el('span', { class: 'mark-exact' })];
  const element = el(
    'tr',
    {},
    el('td', { 'data-side': 'source' }, source),
    el('td', { 'data-side': 'reference' }, reference),
    el('td', { 'data-side': 'translation' }, output),
    el('td', {}, mark),
  );
  return { element, source, reference, translation: output, mark, shown: '' };
}

function show(row: Row, { source, reference, translation, exact }: Sample): void {
  const state = `${source}\n${reference}\n${translation}\n${exact}`;
  if (row.shown === state) return;
  row.shown = state;
  setText(row.source, source);
  setText(row.reference, reference);
  const parts = exact ? [{ text: translation, same: true }] : wordDifferences(translation, reference).a;
  fill(row.translation, ...parts.map(({ text, same }) => (same ? text : el('ins', {}, text))));
  if (translation === '') fill(row.translation, el('span', { class: 'soft' }, '(empty)'));
  row.mark.className = `mark-exact ${exact ? 'yes' : 'no'}`;
  fill(row.mark, exact ? '✓' : '✗', el('span', { class: 'unseen' }, exact ? ' exact match' : ' differs'));
}
