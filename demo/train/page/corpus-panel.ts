// Panel that selects the corpus: sentence pairs that the browser generates from Unicode CLDR, pairs of a
// built-in task, a file (TSV, CSV, a translation memory), or pasted text.

import { live } from 'lit-html/directives/live.js';
import { pairFormatLabels, type TaskName, taskNames } from '../../../src/entries/data.ts';
import { field, markValid, options, segmentedChoice } from '../../common/form-fields.ts';
import { formatBytes } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import { shortName } from '../../storage/model-names.ts';
import { pastedName } from '../corpus-format.ts';
import type { CorpusChoice } from '../protocol.ts';
import { localeName, sharedLanguage, supportedLocales } from './locales.ts';

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
  reverse: say`Reverse: hedge → egdeh`,
  sort: say`Sort: hedge → deegh`,
  addition: say`Addition: 48+17 → 65`,
  dates: say`Dates: March 4, 2025 → 2025-03-04`,
  transliteration: say`Transliteration: ёжик → yozhik`,
  'read-line': say`Read the line: text from an image`,
};

const sources: readonly (readonly [Source, string])[] = [
  ['intl', say`Languages`],
  ['task', say`Task`],
  ['file', say`File`],
  ['paste', say`Paste`],
];

/** The panel. */
export class CorpusPanel extends Panel {
  readonly #onChange: () => void;
  readonly #locales = supportedLocales().map(({ tag, name }) => [tag, name] as const);
  #selected: Source = 'intl';
  #source = 'en';
  #target = 'es';
  #task: TaskName = 'reverse';
  /** Numbers of pairs as the visitor wrote them, of languages and of a task. */
  #pairs = String(defaultPairs);
  #taskPairs = String(defaultPairs);
  /** Seed of the generated pairs; a loaded run sets it. */
  #seed = 1;
  #file: { readonly name: string; readonly bytes: number; readonly data: Blob | Uint8Array } | undefined;
  #fileError = '';

  /** `onChange` is called after each change. */
  constructor(onChange: () => void) {
    super();
    this.#onChange = onChange;
    this.draw();
  }

  /** Returns the selected corpus, or a message that says what is missing. */
  read(): CorpusChoice | string {
    switch (this.#selected) {
      case 'intl':
        return this.#readLanguages();
      case 'task': {
        const pairs = this.find('#corpus-task-pairs');
        if (!markValid(pairs)) return say`Pairs of the task: ${pairs.validationMessage}`;
        return { kind: 'task', task: this.#task, pairs: pairs.valueAsNumber, seed: this.#seed };
      }
      case 'file': {
        if (!this.#file) return this.#fileError || say`Select or drop a file of pairs: ${pairFormatLabels}.`;
        const { name, data } = this.#file;
        return { kind: 'text', name, data };
      }
      case 'paste': {
        const text = this.find<HTMLTextAreaElement>('#corpus-text').value;
        if (text.trim() !== '') return { kind: 'text', name: pastedName, data: text };
        return say`Paste sentence pairs: source, tab, target on each line; or CSV.`;
      }
    }
  }

  /** Selects a file, as if the visitor had picked it. */
  async useFile(given: File): Promise<void> {
    this.#file = undefined;
    this.#fileError = '';
    if (given.size > maxFileBytes)
      this.#fileError = say`${given.name} has ${formatBytes(given.size)}; the limit is ${formatBytes(maxFileBytes)}. Select a smaller file.`;
    else
      try {
        const start = new Uint8Array(await given.slice(0, maxReadBytes).arrayBuffer());
        const data = given.size > maxReadBytes ? given : start;
        this.#file = { name: given.name, bytes: given.size, data };
      } catch (error) {
        this.#fileError = say`${given.name} could not be read: ${(error as Error).message}`;
      }
    this.#select('file');
  }

  /** Forgets the file, for example one that takes too long to read. */
  dropFile(): void {
    this.#file = undefined;
    this.#select('file');
  }

  /** Selects a generated corpus or a task, with its seed. */
  load(corpus: Exclude<CorpusChoice, { kind: 'text' }>): void {
    this.#selected = corpus.kind;
    this.#seed = corpus.seed;
    if (corpus.kind === 'task') {
      this.#task = corpus.task;
      this.#taskPairs = String(corpus.pairs);
    } else {
      this.#source = corpus.source;
      this.#target = corpus.target;
      this.#pairs = String(corpus.pairs);
    }
    this.draw();
  }

  #readLanguages(): CorpusChoice | string {
    const pairs = this.find('#corpus-pairs');
    if (!markValid(pairs)) return say`Pairs: ${pairs.validationMessage}`;
    const [source, target] = [this.#source, this.#target];
    const language = sharedLanguage(source, target);
    if (language) return say`Source and target are both ${localeName(language)}: select two languages.`;
    return { kind: 'intl', source, target, pairs: pairs.valueAsNumber, seed: this.#seed };
  }

  #select(source: Source): void {
    this.#selected = source;
    this.draw();
    this.#onChange();
  }

  #edit(event: Event): void {
    const { id, value } = event.target as HTMLInputElement;
    if (id === 'corpus-source') this.#source = value;
    else if (id === 'corpus-target') this.#target = value;
    else if (id === 'corpus-pairs') this.#pairs = value;
    else if (id === 'corpus-task') this.#task = value as TaskName;
    else if (id === 'corpus-task-pairs') this.#taskPairs = value;
    this.draw();
    this.#onChange();
  }

  #swap(): void {
    [this.#source, this.#target] = [this.#target, this.#source];
    this.draw();
    this.#onChange();
  }

  #pick(event: Event): void {
    const given = (event.target as HTMLInputElement).files?.[0];
    if (given) void this.useFile(given);
  }

  /** A long text is kept as a file: a text field of 100,000 lines blocks the page for seconds. */
  #paste(event: ClipboardEvent): void {
    const pasted = event.clipboardData?.getData('text/plain') ?? '';
    if (pasted.length <= maxPasted) return;
    event.preventDefault();
    void this.useFile(new File([pasted], pastedName));
  }

  protected override template(): Content {
    const selected = this.#selected;
    return html`
      ${segmentedChoice({
        name: 'corpus-kind',
        legend: say`Source of the pairs`,
        options: sources,
        selected,
        onChange: (source) => this.#select(source),
      })}
      <div class="stack" ?hidden=${selected !== 'intl'}>${this.#languages()}</div>
      <div class="stack" ?hidden=${selected !== 'task'}>${this.#tasks()}</div>
      <label class="drop" ?hidden=${selected !== 'file'}>
        <span><b>Select a file of pairs</b> or drop it here: ${pairFormatLabels}</span>
        <span class="hint"
          >UTF-8. TSV: source, tab, target on each line. CSV: the columns named source and target, or the first
          two. A translation memory: its translated segments. The file stays in this browser.</span
        >
        <p class=${this.#fileError ? 'wrong' : 'picked'}>${this.#picked()}</p>
        <input
          type="file"
          accept=".tsv,.txt,.tab,.csv,.tmx,.xliff,.xlf,.po,.mo,text/tab-separated-values,text/csv,text/plain"
          @change=${this.#pick}
        />
      </label>
      <div class="field" ?hidden=${selected !== 'paste'}>
        <label for="corpus-text">Sentence pairs</label>
        <textarea
          id="corpus-text"
          rows="7"
          spellcheck="false"
          placeholder=${'Good morning.\tBuenos días.\nSee you tomorrow.\tHasta mañana.'}
          aria-describedby="corpus-text-hint"
          @input=${this.#edit}
          @paste=${this.#paste}
        ></textarea>
        <p class="hint" id="corpus-text-hint">
          One pair per line: source, tab, target, as two columns copied from a spreadsheet; or CSV.
        </p>
      </div>`;
  }

  #languages(): Content {
    const list = (id: string, selected: string) =>
      html`<select id=${id} @input=${this.#edit}>${options(this.#locales, selected)}</select>`;
    return html`
      <div class="locales">
        ${field('corpus-source', say`Source language`, list('corpus-source', this.#source))}
        <button
          type="button"
          class="quiet swap"
          aria-label="Swap languages"
          title="Swap languages"
          @click=${this.#swap}
        >⇄</button>
        ${field('corpus-target', say`Target language`, list('corpus-target', this.#target))}
      </div>
      ${field(
        'corpus-pairs',
        say`Pairs`,
        this.#pairsInput('corpus-pairs', this.#pairs),
        say`Dates, amounts, names and lists in both languages, generated from Unicode CLDR.`,
      )}`;
  }

  #tasks(): Content {
    const tasks = taskNames.map((name) => [name, taskTexts[name]] as const);
    const list = html`<select id="corpus-task" @input=${this.#edit}>${options(tasks, this.#task)}</select>`;
    return html`
      ${field('corpus-task', say`Task`, list)}
      ${field(
        'corpus-task-pairs',
        say`Pairs of the task`,
        this.#pairsInput('corpus-task-pairs', this.#taskPairs),
        say`Generated from a seed. A small model learns it in 800 steps: some 20 seconds on a GPU, minutes on a software adapter. A task has fewer pairs if there are no more.`,
      )}`;
  }

  #pairsInput(id: string, value: string): Content {
    return html`<input
      id=${id}
      type="number"
      inputmode="decimal"
      required
      min="100"
      max="1000000"
      step="1"
      aria-describedby="${id}-hint"
      .value=${live(value)}
      @input=${this.#edit}
    />`;
  }

  #picked(): Content {
    if (!this.#file) return this.#fileError || nothing;
    return html`<b>${shortName(this.#file.name)}</b> · ${formatBytes(this.#file.bytes)}`;
  }
}

/**
 * Accepts files that are dropped anywhere on the page; `onHover` is called when a file enters or leaves the
 * page.
 */
export function acceptDrops(onDrop: (files: File[]) => void, onHover: (above: boolean) => void): void {
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
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) onDrop(files);
  });
}
