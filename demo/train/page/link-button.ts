// Button that writes the settings of the form into the address of the page and copies the address.

import { copyAddress } from '../../common/copy-address.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import type { TrainingSettings } from '../protocol.ts';
import { toHash } from './share-link.ts';

/** The button with its message. */
export class LinkButton extends Panel {
  readonly #planned: () => Promise<TrainingSettings | undefined>;
  #note = '';

  /** `planned` resolves to the settings of the form, undefined if they are invalid. */
  constructor(planned: () => Promise<TrainingSettings | undefined>) {
    super('share');
    this.#planned = planned;
    this.draw();
  }

  async #copy(): Promise<void> {
    const settings = await this.#planned();
    const hash = settings && toHash(settings);
    if (hash) history.replaceState(null, '', hash);
    const isCopied = hash !== undefined && (await copyAddress());
    this.#note = linkText(settings !== undefined, hash !== undefined, isCopied);
    this.draw();
  }

  protected override template(): Content {
    return html`
      <button type="button" id="copy-link" @click=${this.#copy}>Copy a link to this training</button>
      <p class="hint" role="status" id="link-note">${this.#note}</p>`;
  }
}

/** Message after the button was pressed. */
function linkText(isValid: boolean, fits: boolean, isCopied: boolean): string {
  if (!isValid)
    return say`There is no link: the settings are invalid or do not fit the GPU. Correct the field that is marked, or choose a smaller model or batch.`;
  if (!fits)
    return say`A link cannot contain the pairs of a file or text. Send the file, or use a generated corpus.`;
  return say`The address of this page is the link${isCopied ? say`, and was copied` : ''}: corpus, settings and seed.`;
}
