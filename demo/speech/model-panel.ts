// Which model hears: the one that ships with the page, those of the browser, dropped files, or a download of the hub.

import { BusyPanel } from '../common/busy-panel.ts';
import { field, options } from '../common/form-fields.ts';
import { formatInteger } from '../common/format.ts';
import { language, say, translated } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { shortName } from '../storage/model-names.ts';
import { aboutShipped, shippedModel } from './shipped-speech.ts';
import type { LoadedView, ModelChoice } from './speech-protocol.ts';

/** A model of the hub to start with, and its megabytes. */
const suggested = { name: 'openai/whisper-tiny', megabytes: 151 };

/** What the panel asks for. All reject with a message for the visitor. */
export interface ModelActions {
  use(model: ModelChoice): Promise<LoadedView>;
  /** Returns the name of the stored model. */
  store(files: readonly File[]): Promise<string>;
  pull(name: string): Promise<string>;
  forget(): Promise<LoadedView>;
}

/** The panel. */
export class ModelPanel extends BusyPanel {
  readonly #actions: ModelActions;
  #stored: readonly string[] = [];
  #selected = shippedModel.name;
  #loaded: LoadedView | undefined;
  #language = '';
  #hub = suggested.name;

  constructor(actions: ModelActions) {
    super();
    this.#actions = actions;
    this.draw();
  }

  /** Offers models of the browser's storage too. */
  offer(stored: readonly string[]): void {
    this.#stored = stored;
    this.draw();
  }

  /** Shows that the model has learned from recordings. */
  showLearned(): void {
    if (this.#loaded) this.#loaded = { ...this.#loaded, hasLearned: true };
    this.draw();
  }

  /** The language to listen for; undefined if the model detects it. */
  get language(): string | undefined {
    return this.#language || undefined;
  }

  /** The selected model, loaded at the first call. Rejects with a message for the visitor. */
  async ready(): Promise<void> {
    if (this.#loaded?.name !== this.#selected) await this.#use();
  }

  /** Stores the files of a model and selects it. */
  async take(files: readonly File[]): Promise<void> {
    await this.run(
      async () => this.#select(await this.#actions.store(files)),
      say`Reading ${shortName(files[0]?.name ?? '')}…`,
    );
  }

  async #select(name: string): Promise<void> {
    if (name !== shippedModel.name && !this.#stored.includes(name)) this.#stored = [...this.#stored, name];
    this.#selected = name;
    this.#language = '';
    await this.#use();
  }

  async #use(): Promise<void> {
    const name = this.#selected;
    this.status = say`Loading ${shortName(name)}…`;
    this.draw();
    this.#loaded = await this.#actions.use(name === shippedModel.name ? shippedModel : { name });
    this.status = '';
    this.draw();
  }

  #pick(event: Event): void {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    input.value = '';
    if (files.length > 0) void this.take(files);
  }

  #download(event: Event): void {
    event.preventDefault();
    const name = this.#hub.trim();
    void this.run(
      async () => this.#select(await this.#actions.pull(name)),
      say`Downloading ${shortName(name)}…`,
    );
  }

  #languages(): Content {
    const codes = this.#loaded?.languages ?? [];
    if (codes.length === 0) return nothing;
    const names = new Intl.DisplayNames([language], { type: 'language', fallback: 'code' });
    const named = codes.map((code) => [code, names.of(code) ?? code] as const);
    const list = [['', say`Detect`] as const, ...named.sort(([, a], [, b]) => a.localeCompare(b))];
    const change = (event: Event) => {
      this.#language = (event.target as HTMLSelectElement).value;
    };
    return field(
      'speech-language',
      say`Language`,
      html`<select id="speech-language" @change=${change}>${options(list, this.#language)}</select>`,
    );
  }

  #learned(): Content {
    if (!this.#loaded?.hasLearned) return nothing;
    const forget = () =>
      void this.run(async () => {
        this.#loaded = await this.#actions.forget();
      });
    return html`
      <div class="row">
        <span class="good-text">It uses what it learned from your recordings.</span>
        <button type="button" id="forget" class="small" @click=${forget}>Forget it</button>
      </div>`;
  }

  protected override template(): Content {
    const names = [shippedModel.name, ...this.#stored].map(
      (name) => [name, translated(shortName(name))] as const,
    );
    const choose = (event: Event) =>
      void this.run(() => this.#select((event.target as HTMLSelectElement).value));
    const about =
      this.#selected === shippedModel.name
        ? aboutShipped
        : this.#loaded
          ? say`${formatInteger(this.#loaded.parameters)} parameters`
          : '';
    return html`
      <div class="fields">
        ${field(
          'speech-model',
          say`Model`,
          html`<select id="speech-model" ?disabled=${this.isBusy} @change=${choose}>${options(names, this.#selected)}</select>`,
        )}
        ${this.#languages()}
      </div>
      <p class="hint">${about}</p>
      ${this.#learned()}
      ${this.messages('speech-status')}
      <details>
        <summary>Another model: Whisper from the hub, or files</summary>
        <div class="stack more">
          <label class="drop">
            <span><b>Select the files of a model</b> or drop them here</span>
            <span class="hint">The folder of a Whisper model of Hugging Face, a zip of it, or a model of heddle</span>
            <input type="file" id="pick-model" multiple ?disabled=${this.isBusy} @change=${this.#pick} />
          </label>
          <form class="fields" @submit=${this.#download}>
            ${field(
              'speech-hub',
              say`Model of the Hugging Face hub`,
              html`<input
                id="speech-hub"
                type="text"
                required
                spellcheck="false"
                autocomplete="off"
                .value=${this.#hub}
                @input=${(event: Event) => {
                  this.#hub = (event.target as HTMLInputElement).value;
                }}
              />`,
              say`${suggested.name} has ${suggested.megabytes} MB; it knows 99 languages.`,
            )}
            <button type="submit" ?disabled=${this.isBusy}>Download</button>
          </form>
        </div>
      </details>`;
  }
}
