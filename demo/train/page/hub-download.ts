// A download from the hub with its progress, Cancel button and messages; used by the form and the gallery.

import type { PullProgress } from '../../../src/entries/host.ts';
import { onFrame } from '../../common/dom.ts';
import { formatBytes } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing } from '../../common/panel.ts';
import { type Session, SessionError } from './training-session.ts';

/** What a download needs of the panel that shows it. */
export interface HubDownloadHost {
  readonly session: Pick<Session, 'pull'>;
  /** Names the download for screen readers. */
  readonly what?: string;
  /** Draws the panel with the templates of the download. */
  draw(): void;
}

/** A download: its state, and the templates of its parts. */
export class HubDownload {
  readonly #host: HubDownloadHost;
  readonly #suffix: string;
  readonly #drawSoon: () => void;
  #running: AbortController | undefined;
  #progress: PullProgress | undefined;
  #note = '';
  #isWrong = false;

  constructor(host: HubDownloadHost) {
    this.#host = host;
    this.#suffix = host.what ? say` of ${host.what}` : '';
    this.#drawSoon = onFrame(() => host.draw());
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Whether the message is an error. */
  get isWrong(): boolean {
    return this.#isWrong;
  }

  /** Bytes of the model, as the hub has reported them. */
  get total(): number | undefined {
    return this.#progress?.total;
  }

  /** Shows a message. */
  show(text: string, isWrong = false): void {
    this.#note = text;
    this.#isWrong = isWrong;
    this.#host.draw();
  }

  /**
   * Downloads a model; resolves to its name in the browser, or to undefined after an error or a cancel, with
   * a message. The Cancel button in `place` has the focus until then; afterwards `button`, the one that was
   * pressed, gets it back.
   */
  async run(model: string, place: HTMLElement, button: HTMLElement): Promise<string | undefined> {
    const controller = new AbortController();
    this.#running = controller;
    this.#progress = undefined;
    this.show(say`Downloading ${model}.`);
    const cancel = place.querySelector<HTMLElement>('.cancel-download');
    cancel?.focus();
    const onProgress = (progress: PullProgress) => {
      this.#progress = progress;
      this.#drawSoon();
    };
    let downloaded: string | undefined;
    try {
      downloaded = await this.#host.session.pull(model, onProgress, controller.signal);
      this.#note = say`${model} was downloaded, and its checksums match.`;
    } catch (error) {
      this.#isWrong = !(error instanceof SessionError && error.kind === 'aborted');
      const more = this.#progress
        ? say` The next download continues from the part that is already here.`
        : '';
      this.#note = this.#isWrong ? (error as Error).message : say`Cancelled.${more}`;
    }
    const hadFocus = document.activeElement === cancel;
    this.#running = undefined;
    this.#host.draw();
    if (hadFocus) button.focus();
    return downloaded;
  }

  /** The Cancel button. */
  cancelButton(): Content {
    return html`
      <button
        type="button"
        class="cancel-download"
        ?hidden=${!this.isRunning}
        aria-label="Cancel the download${this.#suffix}"
        @click=${() => this.#running?.abort()}
      >Cancel</button>`;
  }

  /** Progress and message. The bytes are no live region: screen readers announce start and end only. */
  status(stem?: string): Content {
    const { file = '', loaded = 0, total = 0 } = this.#progress ?? {};
    const count = this.#progress ? say`${formatBytes(loaded)} of ${formatBytes(total)} · ${file}` : '';
    const share = total > 0 ? loaded / total : 0;
    return html`
      <progress
        max="1"
        value=${this.#progress ? share : nothing}
        aria-label="Download progress${this.#suffix}"
        aria-valuetext=${count || nothing}
        ?hidden=${!this.isRunning}
      ></progress>
      <p class="hint number" id=${stem ? `${stem}-bytes` : nothing} ?hidden=${!this.isRunning}>${count}</p>
      <p class=${this.#isWrong ? 'wrong' : 'hint'} id=${stem ? `${stem}-note` : nothing} role="status">${
        this.#note
      }</p>`;
  }
}
