// Buttons that copy and download a value as JSON, copy a link to it, and copy or download it as a table.

import { say } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../common/panel.ts';
import { download } from '../common/save-blob.ts';

/** A value as a table. */
export interface TableTexts {
  readonly markdown: string;
  readonly csv: string;
}

/** The buttons. Infinite values (the error of a kernel that did not run) become null. */
export class JsonBox extends Panel {
  readonly #json: string;
  readonly #file: string;
  readonly #share: (() => Promise<string>) | undefined;
  readonly #table: TableTexts | undefined;
  #status = '';
  #link = '';

  /** `file`: name of the download; `share` returns a link, `table` the value as Markdown and CSV. */
  constructor(value: unknown, file: string, share?: () => Promise<string>, table?: TableTexts) {
    super();
    this.#json = `${JSON.stringify(value, undefined, 1)}\n`;
    this.#file = file;
    this.#share = share;
    this.#table = table;
    this.draw();
  }

  /** Copies a text. If the browser does not permit it, selects the element that shows it. */
  async #copy(text: string, selector: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.#status = say`Copied.`;
    } catch {
      const element = this.find<HTMLElement>(selector);
      const details = element.closest('details');
      if (details) details.open = true;
      getSelection()?.selectAllChildren(element);
      this.#status = say`This browser blocks copying; the text below is selected.`;
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

  #tableButtons({ markdown, csv }: TableTexts): Content {
    const save = () => download(new Blob([csv], { type: 'text/csv' }), this.#file.replace(/json$/, 'csv'));
    return html`
      <button type="button" @click=${() => this.#copy(markdown, '.table-text')}>Copy as Markdown</button>
      <button type="button" @click=${save}>Download CSV</button>`;
  }

  protected override template(): Content {
    const share = html`
      <button type="button" @click=${this.#copyLink}>Copy a link to these results</button>`;
    return html`
      <div class="row">
        <button type="button" @click=${() => this.#copy(this.#json, '.json')}>Copy as JSON</button>
        <button type="button" @click=${this.#save}>Download JSON</button>
        ${this.#table ? this.#tableButtons(this.#table) : nothing}
        ${this.#share ? share : nothing}
        <span class="hint" role="status">${this.#status}</span>
      </div>
      <details>
        <summary>Show JSON</summary>
        <pre class="json" tabindex="0" aria-label="Results as JSON">${this.#json}</pre>
      </details>
      <details ?hidden=${!this.#table}>
        <summary>Show the table</summary>
        <pre class="json table-text" tabindex="0" aria-label="Results as Markdown">${this.#table?.markdown}</pre>
      </details>
      <details ?hidden=${this.#link === ''}>
        <summary>Show the link</summary>
        <pre class="json link-text" tabindex="0" aria-label="Link to these results">${this.#link}</pre>
      </details>`;
  }
}
