// Panel that translates with a model as Firefox would: the int8 files in Firefox's engine, beside heddle's translation.

import { formatBytes } from '../../../src/core/format-numbers.ts';
import { field } from '../../common/form-fields.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import { FirefoxEngine, type FirefoxFiles, type FirefoxTranslation } from './firefox-engine.ts';
import type { Session } from './training-session.ts';

/** Both translations of a text. */
interface Compared {
  readonly firefox: FirefoxTranslation;
  readonly own: FirefoxTranslation;
}

/** The panel of one model. */
export class FirefoxTrial extends Panel {
  readonly #session: Session;
  readonly #name: string;
  readonly #files: FirefoxFiles;
  readonly #engine: FirefoxEngine;
  #compared: Compared | undefined;
  #status = '';
  #isWrong = false;

  private constructor(session: Session, name: string, files: FirefoxFiles, engine: FirefoxEngine) {
    super();
    this.#session = session;
    this.#name = name;
    this.#files = files;
    this.#engine = engine;
    this.draw();
  }

  /** Makes the files of a stored model, and starts the engine with them. */
  static async open(session: Session, name: string): Promise<FirefoxTrial> {
    const files = await session.firefoxFiles(name);
    return new FirefoxTrial(session, name, files, await FirefoxEngine.open(files));
  }
  close(): void {
    this.#engine.close();
    this.element.remove();
  }

  async #translate(event: Event): Promise<void> {
    event.preventDefault();
    const text = this.find('#firefox-text').value.trim();
    if (text === '') return;
    this.#say('Translating…');
    try {
      const firefox = await this.#engine.translate(text);
      await this.#session.load(this.#name);
      const { text: translation, ms } = await this.#session.translate(text, {}, () => undefined);
      const own = { translation, milliseconds: ms };
      this.#compared = { firefox, own };
      this.#say(
        firefox.translation.trim() === own.translation.trim()
          ? 'Both translations are equal.'
          : 'The translations differ: Firefox rounds weights and inputs to 8 bits.',
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
    const sizes = Object.entries(this.#files).map(([name, { length }]) => `${name} ${formatBytes(length)}`);
    const text = html`<input id="firefox-text" type="text" autocomplete="off" spellcheck="false" dir="auto" />`;
    return html`
      <h3>${this.#name} as Firefox would</h3>
      <p class="hint">${sizes.join(' · ')}</p>
      <form class="row" @submit=${this.#translate}>
        ${field('firefox-text', 'Text', text)}
        <button type="submit">Translate</button>
        <button type="button" class="quiet" @click=${() => this.close()}>Close</button>
      </form>
      ${
        this.#compared
          ? html`
              <dl class="facts" id="firefox-results">
                ${result("Firefox's engine, int8", this.#compared.firefox)}
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
