// The form of a new project: a document, a memory, a model and its languages.

import { live } from 'lit-html/directives/live.js';
import { pairFormatLabels } from '../../src/entries/data.ts';
import { documentFormatLabels } from '../../src/entries/documents.ts';
import { BusyPanel } from '../common/busy-panel.ts';
import { field, options } from '../common/form-fields.ts';
import { say, translated } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { shortName } from '../storage/model-names.ts';
import { demoModels, largeModel } from '../train/page/demo-models.ts';
import type { ModelChoice, NewProject } from './documents-protocol.ts';

/** Files that can be documents, and memories. */
const accepted = {
  document: '.po,.pot,.xliff,.xlf,.mqxliff,.sdlxliff,.html,.htm,.xhtml,.srt,.vtt,.txt',
  memory: '.tmx,.xliff,.xlf,.po,.mo,.tsv,.txt',
};

/** A small document with a memory, for a visitor who has none at hand. */
const example = {
  document: new URL('./example/city-walk.po', import.meta.url),
  memory: new URL('./example/memory.tsv', import.meta.url),
};

/** The models of the pages that a project can use. */
const shippedModels = [largeModel, ...demoModels];

async function exampleFile(url: URL, name: string): Promise<File> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(say`The example could not be loaded.`);
  return new File([await response.blob()], name);
}

/** The form. */
export class StartPanel extends BusyPanel {
  readonly #onStart: (project: NewProject) => void;
  #stored: readonly string[] = [];
  #document: File | null = null;
  #memory: File | null = null;
  /** Why no project can be started here, such as another tab with the documents; empty: it can. */
  #blocked = '';
  #model = largeModel.name;
  #source = largeModel.source;
  #target = largeModel.target;

  constructor(onStart: (project: NewProject) => void) {
    super();
    this.#onStart = onStart;
    this.draw();
  }

  /** Offers models of the browser's storage too. */
  offer(stored: readonly string[]): void {
    this.#stored = stored;
    this.draw();
  }

  /** Ends what the worker did with an error. */
  override showError(text: string): void {
    this.status = '';
    super.showError(text);
  }

  /** Says why no project can be started. */
  block(reason: string): void {
    this.#blocked = reason;
    this.draw();
  }

  /** Takes files that were dropped on the page: a TMX or TSV is a memory, others are documents. */
  take(files: readonly File[]): void {
    for (const file of files)
      if (/\.(?:tmx|tsv|g?mo)$/i.test(file.name)) this.#memory = file;
      else this.#document = file;
    this.error = '';
    this.draw();
  }

  #pick(kind: 'document' | 'memory', event: Event): void {
    const file = (event.target as HTMLInputElement).files?.[0] ?? null;
    if (kind === 'document') this.#document = file;
    else this.#memory = file;
    this.error = '';
    this.draw();
  }

  #select(event: Event): void {
    this.#model = (event.target as HTMLSelectElement).value;
    const shipped = shippedModels.find(({ name }) => name === this.#model);
    if (shipped) [this.#source, this.#target] = [shipped.source, shipped.target];
    this.draw();
  }

  #submit(event: Event): void {
    event.preventDefault();
    if (!this.#document) {
      this.showError(say`Select a document first.`);
      return;
    }
    const shipped = shippedModels.find(({ name }) => name === this.#model);
    const model: ModelChoice = shipped ? { name: shipped.name, url: shipped.url } : { name: this.#model };
    this.error = '';
    this.draw();
    this.#onStart({
      document: this.#document,
      memory: this.#memory,
      model,
      source: this.#source.trim(),
      target: this.#target.trim(),
    });
  }

  /** Starts a project with the example and the model of everyday sentences. */
  async #tryExample(): Promise<void> {
    await this.run(async () => {
      const [document, memory] = await Promise.all([
        exampleFile(example.document, 'city-walk.po'),
        exampleFile(example.memory, 'memory.tsv'),
      ]);
      const { name, url, source, target } = largeModel;
      this.#onStart({ document, memory, model: { name, url }, source, target });
    });
  }

  #drop(kind: 'document' | 'memory', title: Content, hint: string): Content {
    const file = kind === 'document' ? this.#document : this.#memory;
    return html`
      <label class="drop">
        <span>${title}</span>
        <span class="hint">${hint}</span>
        ${file ? html`<b class="picked">${shortName(file.name)}</b>` : nothing}
        <input
          type="file"
          id="pick-${kind}"
          accept=${accepted[kind]}
          @change=${(event: Event) => this.#pick(kind, event)}
        />
      </label>`;
  }

  #language(id: string, label: string, value: string, set: (value: string) => void): Content {
    return field(
      id,
      label,
      html`<input
        id=${id}
        type="text"
        required
        pattern="[A-Za-z]{2,3}([_\\-][A-Za-z0-9]+)*"
        size="6"
        autocomplete="off"
        .value=${live(value)}
        @input=${(event: Event) => set((event.target as HTMLInputElement).value)}
      />`,
    );
  }

  protected override template(): Content {
    const names = [...shippedModels.map(({ name }) => name), ...this.#stored].map(
      (name) => [name, translated(shortName(name))] as const,
    );
    const models = html`<select id="documents-model" @change=${this.#select}>${options(names, this.#model)}</select>`;
    const shipped = shippedModels.find(({ name }) => name === this.#model);
    const waits = this.isBusy || this.status !== '' || this.#blocked !== '';
    return html`
      <form class="stack" @submit=${this.#submit}>
        <p class="note bad" id="blocked" role="alert" ?hidden=${this.#blocked === ''}>${this.#blocked}</p>
        <div class="row">
          <button type="button" id="try-example" ?disabled=${waits} @click=${() => void this.#tryExample()}>
            Try it with an example
          </button>
          <span class="hint">Messages of a small app, with a memory of three pairs.</span>
        </div>
        <div class="drops">
          ${this.#drop('document', html`<b>Select a document</b> or drop it here`, documentFormatLabels)}
          ${this.#drop('memory', html`<b>Select a memory</b>, if you have one`, say`${pairFormatLabels}: its matches come first`)}
        </div>
        <div class="fields">
          ${field('documents-model', say`Model`, models)}
          ${this.#language('documents-source', say`From`, this.#source, (value) => {
            this.#source = value;
          })}
          ${this.#language('documents-target', say`To`, this.#target, (value) => {
            this.#target = value;
          })}
          <button type="submit" class="main" ?disabled=${waits}>Translate</button>
        </div>
        ${
          shipped
            ? html`
              <p class="hint">${shipped.knows}; texts of software and contracts need a model of your own.</p>
              <details><summary>About this model</summary><p class="hint">${shipped.about}</p></details>`
            : nothing
        }
        ${this.messages('start-status')}
      </form>`;
  }
}
