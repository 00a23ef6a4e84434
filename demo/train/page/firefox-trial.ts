// Panel that translates with a model as Firefox would: the int8 files in Firefox's engine, beside heddle's translation.

import { field } from '../../common/form-fields.ts';
import { formatBytes } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import { FirefoxEngine, type FirefoxFiles, type FirefoxTranslation } from './firefox-engine.ts';

/** A model whose files the engine takes. */
export interface TriedModel {
  readonly name: string;
  readonly files: FirefoxFiles;
  /** Translates with heddle. */
  translate(text: string): Promise<FirefoxTranslation>;
}

/** Both translations of a text. */
interface Compared {
  readonly firefox: FirefoxTranslation;
  readonly own: FirefoxTranslation;
}

/** The panel of one model. */
export class FirefoxTrial extends Panel {
  readonly #model: TriedModel;
  readonly #engine: FirefoxEngine;
  #compared: Compared | undefined;
  #status = '';
  #isWrong = false;

  private constructor(model: TriedModel, engine: FirefoxEngine) {
    super();
    this.#model = model;
    this.#engine = engine;
    this.draw();
  }

  /** Starts the engine with the files of a model. */
  static async open(model: TriedModel): Promise<FirefoxTrial> {
    return new FirefoxTrial(model, await FirefoxEngine.open(model.files));
  }

  /** Ends the engine and removes the panel. */
  close(): void {
    this.#engine.close();
    this.element.remove();
  }

  async #translate(event: Event): Promise<void> {
    event.preventDefault();
    const text = this.find('#firefox-text').value.trim();
    if (text === '') return;
    this.#say(say`Translating…`);
    try {
      const firefox = await this.#engine.translate(text);
      const own = await this.#model.translate(text);
      this.#compared = { firefox, own };
      this.#say(
        firefox.translation.trim() === own.translation.trim()
          ? say`Both translations are equal.`
          : say`The translations differ: Firefox rounds weights and inputs to 8 bits.`,
      );
    } catch (error) {
      this.#say((error as Error).message, true);
    }
  }

  #say(text: string, isWrong = false): void {
    this.#status = text;
    this.#isWrong = isWrong;
    this.draw();
  }

  protected override template(): Content {
    const sizes = Object.entries(this.#model.files).map(
      ([name, { length }]) => `${name} ${formatBytes(length)}`,
    );
    const text = html`<input id="firefox-text" type="text" autocomplete="off" spellcheck="false" dir="auto" />`;
    return html`
      <h3>${this.#model.name} as Firefox would</h3>
      <p class="hint">${sizes.join(' · ')}</p>
      <form class="row" @submit=${this.#translate}>
        ${field('firefox-text', say`Text`, text)}
        <button type="submit">Translate</button>
        <button type="button" class="quiet" @click=${() => this.close()}>Close</button>
      </form>
      ${
        this.#compared
          ? html`
              <dl class="facts" id="firefox-results">
                ${result(say`Firefox's engine, int8`, this.#compared.firefox)}
                ${result('heddle', this.#compared.own)}
              </dl>`
          : nothing
      }
      <p class=${this.#isWrong ? 'wrong' : 'hint'} role="status" id="firefox-status">${this.#status}</p>`;
  }
}

const result = (name: string, { translation, milliseconds }: FirefoxTranslation): Content => html`
  <dt>${name}, ${milliseconds.toFixed(0)} ms</dt>
  <dd dir="auto">${translation}</dd>`;
