// Buttons that copy and download a value as JSON, and copy a link to it.

import { type Content, html, nothing, Panel } from '../common/panel.ts';
import { download } from '../common/save-blob.ts';

/** The buttons. Infinite values (the error of a kernel that did not run) become null. */
export class JsonBox extends Panel {
  readonly #json: string;
  readonly #file: string;
  readonly #share: (() => Promise<string>) | undefined;
  #status = '';
  #link = '';

  /** `file`: name of the download; `share` returns a link. */
  constructor(value: unknown, file: string, share?: () => Promise<string>) {
    super();
    this.#json = `${JSON.stringify(value, undefined, 1)}\n`;
    this.#file = file;
    this.#share = share;
    this.draw();
  }

  /** Copies a text. If the browser does not permit it, selects the element that shows it. */
  async #copy(text: string, selector: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.#status = 'Copied.';
    } catch {
      const element = this.find<HTMLElement>(selector);
      const details = element.closest('details');
      if (details) details.open = true;
      getSelection()?.selectAllChildren(element);
      this.#status = 'This browser blocks copying; the text below is selected.';
    }
    this.draw();
  }
  async #copyLink(): Promise<void> {
    this.#link = (await this.#share?.()) ?? '';
    this.draw();
    await this.#copy(this.#link, '.link-text');
  }
  #save(): void {
    download(new Blob([this.#json], { type: 'application/json' }), this.#file);
  }

  protected override template(): Content {
    const share = html`
      <button type="button" @click=${this.#copyLink}>Copy a link to these results</button>`;
    return html`
      <div class="row">
        <button type="button" @click=${() => this.#copy(this.#json, '.json')}>Copy as JSON</button>
        <button type="button" @click=${this.#save}>Download JSON</button>
        ${this.#share ? share : nothing}
        <span class="hint" role="status">${this.#status}</span>
      </div>
      <details>
        <summary>Show JSON</summary>
        <pre class="json" tabindex="0" aria-label="Results as JSON">${this.#json}</pre>
      </details>
      <details ?hidden=${this.#link === ''}>
        <summary>Show the link</summary>
        <pre class="json link-text" tabindex="0" aria-label="Link to these results">${this.#link}</pre>
      </details>`;
  }
}
