// Form that downloads any model of the hub by its name.

import { field } from '../../common/form-fields.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import { HubDownload } from './hub-download.ts';
import type { Session } from './training-session.ts';

/** The form. */
export class HubForm extends Panel {
  readonly #download: HubDownload;
  readonly #onEnd: (name?: string) => Promise<void>;

  /**
   * `onEnd` is called with the name of the downloaded model, or with undefined if the download failed.
   */
  constructor(session: Session, onEnd: (name?: string) => Promise<void>) {
    super('');
    this.#onEnd = onEnd;
    this.#download = new HubDownload({ session, draw: () => this.draw() });
    this.draw();
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    const name = this.find('#hub-model');
    const model = name.value.trim();
    if (this.#download.isRunning) return;
    if (model === '') {
      this.#download.show(say`Enter a model as OWNER/NAME.`, true);
      return name.focus();
    }
    await this.#onEnd(await this.#download.run(model, this.element, this.find('#hub-fetch')));
  }

  protected override template(): Content {
    const download = this.#download;
    return html`
      <form class="stack" novalidate aria-label="Download a model from the hub" @submit=${this.#submit}>
        ${field(
          'hub-model',
          say`Another model of the Hugging Face hub or of Firefox Translations`,
          html`<input
            id="hub-model"
            type="text"
            required
            spellcheck="false"
            autocapitalize="none"
            autocomplete="off"
            placeholder="Helsinki-NLP/opus-mt-en-de"
            aria-describedby="hub-model-hint"
            aria-invalid=${download.isWrong ? 'true' : nothing}
          />`,
          say`OWNER/NAME, or OWNER/NAME@REVISION: an encoder-decoder of a family in the gallery, or a model trained with heddle. Or a model of Firefox Translations: en-es, or ADDRESS#en-es with the address of a models.json or of its files.`,
        )}
        <div class="row">
          <button type="submit" id="hub-fetch" ?disabled=${download.isRunning}>Download</button>
          ${download.cancelButton()}
        </div>
        ${download.status('hub')}
      </form>`;
  }
}
