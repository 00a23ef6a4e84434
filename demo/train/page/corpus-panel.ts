// Panel that selects the corpus: sentence pairs that the browser generates from Unicode CLDR, pairs of a
// built-in task, a TSV or CSV file, or pasted text.

import { formatBytes } from '../../../src/core/format-numbers.ts';
import { type TaskName, taskNames } from '../../../src/index.ts';
import { el, fill, set, stack } from '../../common/dom.ts';
import { field, markValid, numberInput, segmentedChoice, select } from '../../common/form-controls.ts';
import { pastedName } from '../corpus-format.ts';
import type { CorpusChoice } from '../protocol.ts';

/** The corpus panel. */
export interface CorpusPanel {
  readonly element: HTMLElement;
  /** Returns the selected corpus, or a message that says what is missing. */
  read(): CorpusChoice | string;
  /** Selects a file, as if the visitor had picked it. */
  useFile(file: File): void;
  /** Selects a generated corpus or a task, with its seed. */
  load(corpus: Exclude<CorpusChoice, { kind: 'text' }>): void;
}

/** Larger files are rejected before they are read, because training holds their text in memory. */
const maxFileBytes = 512 * 2 ** 20;

/**
 * Only the worker reads larger files: sending their bytes to it at each change of the form would block the
 * page.
 */
const maxReadBytes = 2 ** 18;

/** Longest text that is pasted into the text field, in characters. */
const maxPasted = 100_000;

/** Default number of generated pairs; `heddle train` has the same. */
const defaultPairs = 40_000;

type Source = 'intl' | 'task' | 'file' | 'paste';

const taskTexts: Record<TaskName, string> = {
  reverse: 'Reverse: hedge → egdeh',
  sort: 'Sort: hedge → deegh',
  addition: 'Addition: 48+17 → 65',
  dates: 'Dates: March 4, 2025 → 2025-03-04',
  transliteration: 'Transliteration: ёжик → yozhik',
};

/** Creates the panel; `onChange` is called after each change. */
export function createCorpusPanel(onChange: () => void): CorpusPanel {
  let selected: Source = 'intl';
  let file: { name: string; data: Blob | Uint8Array } | undefined;
  let fileError = '';
  /** Seed of the generated pairs; a loaded run sets it. */
  let seed = 1;

  const locales = supportedLocales().map(({ tag, name }) => [tag, name] as const);
  const source = select(locales, 'en');
  const target = select(locales, 'es');
  const pairs = numberInput(defaultPairs, { min: 100, max: 1_000_000, step: 1 });
  const task = select(
    taskNames.map((name) => [name, taskTexts[name]] as const),
    'reverse',
  );
  const taskPairs = numberInput(defaultPairs, { min: 100, max: 1_000_000, step: 1 });
  const swap = el(
    'button',
    {
      type: 'button',
      class: 'quiet swap',
      'aria-label': 'Swap languages',
      title: 'Swap languages',
      onclick() {
        [source.value, target.value] = [target.value, source.value];
        onChange();
      },
    },
    '⇄',
  );
  const generated = stack(
    el('div', { class: 'locales' }, field('Source language', source), swap, field('Target language', target)),
    field('Pairs', pairs, 'Dates, amounts, names and lists in both languages, generated from Unicode CLDR.'),
  );

  const taskFields = stack(
    field('Task', task),
    field(
      'Pairs of the task',
      taskPairs,
      'Generated from a seed. A small model learns it in 800 steps: some 20 seconds on a GPU, minutes on a software adapter.',
    ),
  );

  const picked = el('p', { class: 'picked' });
  const input = el('input', {
    type: 'file',
    accept: '.tsv,.txt,.tab,.csv,text/tab-separated-values,text/csv,text/plain',
  });
  const drop = el(
    'label',
    { class: 'drop' },
    el('span', {}, el('b', {}, 'Select a TSV or CSV file'), ' or drop it here'),
    el(
      'span',
      { class: 'hint' },
      'UTF-8. TSV: source, tab, target on each line. CSV: the columns named source and target, or the first two. The file stays in this browser.',
    ),
    picked,
    input,
  );
  const text = el('textarea', {
    rows: 7,
    spellcheck: 'false',
    placeholder: 'Good morning.\tBuenos días.\nSee you tomorrow.\tHasta mañana.',
  });
  const paste = field(
    'Sentence pairs',
    text,
    'One pair per line: source, tab, target, as two columns copied from a spreadsheet; or CSV.',
  );
  const panes: Record<Source, HTMLElement> = { intl: generated, task: taskFields, file: drop, paste };
  const showPane = (name: Source) => {
    selected = name;
    for (const [each, pane] of Object.entries(panes)) set(pane, { hidden: each !== name });
  };
  const sources = segmentedChoice<Source>(
    'Source of the pairs',
    [
      ['intl', 'Languages'],
      ['task', 'Task'],
      ['file', 'File'],
      ['paste', 'Paste'],
    ],
    selected,
    (value) => {
      showPane(value);
      onChange();
    },
  );

  async function useFile(given: File): Promise<void> {
    file = undefined;
    fileError = '';
    if (given.size > maxFileBytes)
      fileError = `${given.name} has ${formatBytes(given.size)}; the limit is ${formatBytes(maxFileBytes)}. Select a smaller file.`;
    else {
      try {
        const start = new Uint8Array(await given.slice(0, maxReadBytes).arrayBuffer());
        file = { name: given.name, data: given.size > maxReadBytes ? given : start };
      } catch (error) {
        fileError = `${given.name} could not be read: ${(error as Error).message}`;
      }
    }
    fill(picked, file ? el('b', {}, file.name) : fileError, file && ` · ${formatBytes(given.size)}`);
    set(picked, { class: fileError ? 'wrong' : 'picked' });
    selectSource('file');
    onChange();
  }
  function selectSource(name: Source): void {
    const radio = sources.querySelector<HTMLInputElement>(`input[value="${name}"]`);
    if (radio) radio.checked = true;
    showPane(name);
  }
  /** A long text is kept as a file: a text field of 100,000 lines blocks the page for seconds. */
  text.addEventListener('paste', (event) => {
    const pasted = event.clipboardData?.getData('text/plain') ?? '';
    if (pasted.length <= maxPasted) return;
    event.preventDefault();
    void useFile(new File([pasted], pastedName));
  });
  input.addEventListener('change', () => {
    const given = input.files?.[0];
    if (given) void useFile(given);
  });
  for (const control of [source, target, pairs, task, taskPairs, text])
    control.addEventListener('input', onChange);
  showPane(selected);

  return {
    element: stack(sources, generated, taskFields, drop, paste),
    read() {
      if (selected === 'intl') {
        if (!markValid(pairs)) return `Pairs: ${pairs.validationMessage}`;
        const language = sharedLanguage(source.value, target.value);
        if (language) return `Source and target are both ${localeName(language)}: select two languages.`;
        return { kind: 'intl', source: source.value, target: target.value, pairs: pairs.valueAsNumber, seed };
      }
      if (selected === 'task') {
        if (!markValid(taskPairs)) return `Pairs of the task: ${taskPairs.validationMessage}`;
        return { kind: 'task', task: task.value as TaskName, pairs: taskPairs.valueAsNumber, seed };
      }
      if (selected === 'file')
        return file ? { kind: 'text', ...file } : fileError || 'Select or drop a TSV or CSV file.';
      return text.value.trim() === ''
        ? 'Paste sentence pairs: source, tab, target on each line; or CSV.'
        : { kind: 'text', name: pastedName, data: text.value };
    },
    useFile: (given) => void useFile(given),
    load(corpus) {
      seed = corpus.seed;
      if (corpus.kind === 'task') task.value = corpus.task;
      else [source.value, target.value] = [corpus.source, corpus.target];
      (corpus.kind === 'task' ? taskPairs : pairs).value = String(corpus.pairs);
      selectSource(corpus.kind);
    },
  };
}

/**
 * Accepts files that are dropped anywhere on the page; `onHover` is called when a file enters or leaves the
 * page.
 */
export function acceptDrops(onDrop: (file: File) => void, onHover: (above: boolean) => void): void {
  const hasFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  window.addEventListener('dragover', (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    onHover(true);
  });
  window.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) onHover(false);
  });
  window.addEventListener('drop', (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    onHover(false);
    const file = event.dataTransfer?.files[0];
    if (file) onDrop(file);
  });
}

/** Regional and script variants that differ enough from their base language to be listed. */
const variants =
  'en-GB en-AU en-CA en-IN de-AT de-CH es-MX es-AR fr-CA fr-CH pt-PT zh-Hant zh-HK sr-Latn uz-Cyrl az-Cyrl nl-BE it-CH ar-EG ar-MA fil haw chr kok yue ast gsw dsb hsb sah kea vai';

/**
 * The language of two locales if they share it, as en and en-GB do, and the model would only copy; else
 * empty.
 */
function sharedLanguage(a: string, b: string): string {
  const [x, y] = [new Intl.Locale(a).maximize(), new Intl.Locale(b).maximize()];
  return x.language === y.language && x.script === y.script ? x.language : '';
}

/** Returns the name of a locale in the visitor's language; the tag if it has no name. */
export function localeName(tag: string): string {
  try {
    return new Intl.DisplayNames(undefined, { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/**
 * Returns the locales for which this browser has dates, numbers and names, sorted by name: BCP 47 tags with
 * their names.
 */
export function supportedLocales(): { readonly tag: string; readonly name: string }[] {
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const candidates = [...letters.flatMap((a) => letters.map((b) => a + b)), ...variants.split(' ')];
  const tags = Intl.DisplayNames.supportedLocalesOf(Intl.DateTimeFormat.supportedLocalesOf(candidates));
  const names = new Intl.DisplayNames(undefined, { type: 'language' });
  return [...new Set(tags)]
    .map((tag) => ({ tag, name: names.of(tag) ?? tag }))
    .filter(({ tag, name }) => name !== tag)
    .sort((a, b) => a.name.localeCompare(b.name));
}
