// The output of a program: printed lines, and the files that it has saved.

import { escapeControls } from '../../src/entries/host.ts';
import { onFrame } from '../common/dom.ts';
import { formatBytes } from '../common/format.ts';
import { type Content, html, Panel } from '../common/panel.ts';
import { download } from '../common/save-blob.ts';
import { shortName } from '../storage/model-names.ts';

/** A file that a program has saved. */
interface SavedFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The panel. */
export class ProgramOutput extends Panel {
  #files: readonly SavedFile[] = [];
  /** What the example printed when it was recorded; empty: nothing to show. */
  #recorded = '';
  /** Lines that are not shown yet: a program may print faster than a page can draw. */
  #pending: HTMLElement[] = [];
  readonly #append = onFrame(() => {
    const output = this.find<HTMLElement>('#output');
    const isAtEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 4;
    output.append(...this.#pending);
    this.#pending = [];
    if (isAtEnd) output.scrollTop = output.scrollHeight;
  });

  constructor() {
    super();
    this.draw();
  }

  /** Adds a line; `level` is its CSS class. */
  print(level: string, text: string): void {
    const line = document.createElement('span');
    line.className = level;
    line.textContent = `${escapeControls(text)}\n`;
    if (this.#recorded !== '') this.showRecorded('');
    this.#pending.push(line);
    this.#append();
  }

  /** Shows a recorded output until a program runs. */
  showRecorded(text: string): void {
    this.#recorded = text;
    this.draw();
  }

  /** Adds a file. */
  addFile(path: string, bytes: Uint8Array<ArrayBuffer>): void {
    this.#files = [...this.#files, { path, bytes }];
    this.draw();
  }

  /** Removes lines and files. */
  clear(): void {
    this.#pending = [];
    this.#files = [];
    this.#recorded = '';
    this.find('#output').replaceChildren();
    this.draw();
  }

  protected override template(): Content {
    // Lines are appended to <pre>, not drawn: a program may print hundreds of thousands.
    return html`
      <pre class="output recorded" ?hidden=${this.#recorded === ''} tabindex="0" aria-label="Recorded output">${this.#recorded}</pre>
      <p class="hint" ?hidden=${this.#recorded === ''}>Recorded before. Run the program to see what your device computes.</p>
      <pre class="output" id="output" ?hidden=${this.#recorded !== ''} tabindex="0" role="log" aria-label="Output of the program"></pre>
      <ul class="saved" aria-label="Files of the program">${this.#files.map(fileItem)}</ul>`;
  }
}

function fileItem({ path, bytes }: SavedFile): Content {
  const save = () => download(new Blob([bytes]), path.split('/').at(-1) ?? path);
  return html`
    <li><button type="button" class="link" @click=${save}>${shortName(path)}</button> ${formatBytes(bytes.byteLength)}</li>`;
}
