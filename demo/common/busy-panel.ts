// A panel that does one piece of work at a time: its buttons wait meanwhile, and its errors are shown.

import { type Content, html, Panel } from './panel.ts';

/** A panel with work that takes time. Its template shows `messages()` and disables what must wait by `isBusy`. */
export abstract class BusyPanel extends Panel {
  /** Whether work is under way. */
  protected isBusy = false;
  /** What the work does now; empty: nothing to say. */
  protected status = '';
  /** What went wrong; empty: nothing. */
  protected error = '';

  /** Shows what the worker does. */
  showStatus(text: string): void {
    this.status = text;
    this.drawSoon();
  }

  /** Shows a message for the visitor; empty: nothing is wrong any more. */
  showError(text: string): void {
    this.error = text;
    this.draw();
  }

  /** Does work; its error is shown. */
  protected async run(work: () => Promise<void>, status = ''): Promise<void> {
    this.isBusy = true;
    this.error = '';
    this.status = status;
    this.draw();
    try {
      await work();
    } catch (error) {
      this.error = (error as Error).message;
    } finally {
      this.isBusy = false;
      this.status = '';
      this.draw();
    }
  }

  /** The status and the error. `id`: of the element of the status. */
  protected messages(id: string): Content {
    return html`
      <p class="hint" role="status" id=${id}>${this.status}</p>
      <p class="wrong" role="alert">${this.error}</p>`;
  }
}
