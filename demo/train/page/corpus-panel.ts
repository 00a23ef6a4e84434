// The choice of pairs: what the browser makes from CLDR, a file that is dropped or picked, or text that is pasted.

import { formatBytes } from '../../../src/core/format-numbers.ts';
import { el, fill, set } from '../../common/dom.ts';
import { choice, field, markValid, numberInput, select } from '../../common/form-controls.ts';
import type { CorpusChoice } from '../protocol.ts';
import { localeName, spokenLocales } from './locales.ts';

/** The panel of the corpus. */
export interface CorpusPanel {
  readonly element: HTMLElement;
  /** What is chosen, or in words what is still missing. */
  chosen(): CorpusChoice | string;
  /** Takes a file, as if it had been dropped on the panel. */
  take(file: File): void;
}

/** Files above this are refused before they are read: the page would hold them twice. */
const mostBytes = 512 * 2 ** 20;

/** Pairs of the built-in corpus unless said otherwise, as `heddle train` has it. */
export const builtInPairs = 40_000;

type Kind = 'intl' | 'file' | 'paste';

/** Builds the panel; `changed` hears of each change. */
export function createCorpusPanel(changed: () => void): CorpusPanel {
  let kind: Kind = 'intl';
  let file: { name: string; data: Uint8Array } | undefined;
  let trouble = '';

  const locales = spokenLocales().map(({ tag, name }) => [tag, name] as const);
  const source = select(locales, 'en');
  const target = select(locales, 'es');
  const pairs = numberInput(builtInPairs, { min: 100, max: 1_000_000, step: 1 });
  const swap = el(
    'button',
    {
      type: 'button',
      class: 'quiet swap',
      'aria-label': 'Swap the two languages',
      title: 'Swap the two languages',
      onclick() {
        [source.value, target.value] = [target.value, source.value];
        changed();
      },
    },
    '⇄',
  );
  const builtIn = el(
    'div',
    { class: 'stack' },
    el('div', { class: 'locales' }, field('From', source), swap, field('To', target)),
    field('Pairs', pairs, 'Dates, amounts, names and lists in both languages, made by this browser from Unicode CLDR.'),
  );

  const picked = el('p', { class: 'picked' });
  const input = el('input', { type: 'file', accept: '.tsv,.txt,.tab,text/tab-separated-values,text/plain' });
  const drop = el(
    'label',
    { class: 'drop' },
    el('span', {}, el('b', {}, 'Choose a TSV file'), ' or drop it here'),
    el('span', { class: 'hint' }, 'UTF-8: source, tab, target on each line. It stays in this browser.'),
    picked,
    input,
  );
  const text = el('textarea', {
    rows: 7,
    spellcheck: 'false',
    placeholder: 'Good morning.\tBuenos días.\nSee you tomorrow.\tHasta mañana.',
  });
  const paste = field(
    'Pairs, one a line',
    text,
    'Source, tab, target: two columns copied from a spreadsheet are just that.',
  );
  const panes: Record<Kind, HTMLElement> = { intl: builtIn, file: drop, paste };
  const show = () => {
    for (const [name, pane] of Object.entries(panes)) set(pane, { hidden: name !== kind });
  };
  const kinds = choice<Kind>(
    'Where the pairs come from',
    [
      ['intl', 'Built in'],
      ['file', 'File'],
      ['paste', 'Paste'],
    ],
    kind,
    (value) => {
      kind = value;
      show();
      changed();
    },
  );

  async function take(given: File): Promise<void> {
    file = undefined;
    trouble = '';
    if (given.size > mostBytes)
      trouble = `${given.name} has ${formatBytes(given.size)}, a file may have ${formatBytes(mostBytes)}: take a part of it.`;
    else {
      try {
        file = { name: given.name, data: new Uint8Array(await given.arrayBuffer()) };
      } catch (error) {
        trouble = `${given.name} could not be read: ${(error as Error).message}`;
      }
    }
    fill(picked, file ? el('b', {}, file.name) : trouble, file && ` · ${formatBytes(file.data.length)}`);
    set(picked, { class: trouble ? 'wrong' : 'picked' });
    const radio = kinds.querySelector<HTMLInputElement>('input[value="file"]');
    if (radio && !radio.checked) {
      radio.checked = true;
      kind = 'file';
      show();
    }
    changed();
  }
  input.addEventListener('change', () => {
    const given = input.files?.[0];
    if (given) void take(given);
  });
  for (const control of [source, target, pairs, text]) control.addEventListener('input', changed);
  show();

  return {
    element: el('div', { class: 'stack' }, kinds, builtIn, drop, paste),
    chosen() {
      if (kind === 'intl') {
        if (!markValid(pairs)) return `Pairs: ${pairs.validationMessage}`;
        if (source.value === target.value) return `Both sides are ${localeName(source.value)}: choose two languages.`;
        return { kind: 'intl', source: source.value, target: target.value, pairs: pairs.valueAsNumber, seed: 1 };
      }
      if (kind === 'file') return file ? { kind: 'text', ...file } : trouble || 'Choose a file of pairs, or drop one.';
      return text.value.trim() === ''
        ? 'Paste some pairs: source, tab, target on each line.'
        : { kind: 'text', name: 'pasted text', data: text.value };
    },
    take: (given) => void take(given),
  };
}

/** Lets files be dropped anywhere on the page; `over` hears when one is above it. */
export function acceptDrops(take: (file: File) => void, over: (above: boolean) => void): void {
  const hasFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  window.addEventListener('dragover', (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    over(true);
  });
  window.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) over(false);
  });
  window.addEventListener('drop', (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    over(false);
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
}
