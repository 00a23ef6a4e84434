// The button that copies a challenge: a link to the training that is shown, with its loss curve.

import { copyAddress } from '../../common/copy-address.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import type { SessionEvent } from '../protocol.ts';
import { toHash } from './share-link.ts';
import { curveOf } from './shared-curve.ts';
import type { Session } from './training-session.ts';

/** The button with its message. */
export class Challenge extends Panel {
  readonly #session: Pick<Session, 'history'>;
  /** Name of the training that is shown; empty if there is none. */
  #run = '';
  #note = '';

  constructor(session: Pick<Session, 'history'>) {
    super('row');
    this.#session = session;
    this.draw();
  }

  /** Sets the training that is shown; empty for one without a checkpoint. */
  show(run: string): void {
    if (run === this.#run) return;
    this.#run = run;
    this.#note = '';
    this.drawSoon();
  }

  onEvent(event: SessionEvent): void {
    if (event.type === 'state' && event.model !== '') this.show(event.model);
  }

  async #copy(): Promise<void> {
    this.#note = await this.#link().catch((error: Error) => error.message);
    this.draw();
  }

  /** Writes the link into the address of the page; returns a message. */
  async #link(): Promise<string> {
    const { corpus, settings, steps } = await this.#session.history(this.#run);
    if (corpus?.kind !== 'intl' && corpus?.kind !== 'task')
      return say`A link cannot contain the pairs of a file or text: train on a generated corpus for a challenge.`;
    const curve = curveOf(steps);
    if (curve.length === 0) return say`The training has no curve yet: wait for its first checkpoint.`;
    history.replaceState(null, '', toHash({ corpus, settings }, curve) ?? '');
    const isCopied = await copyAddress();
    return say`The address of this page is the challenge${isCopied ? say`, and was copied` : ''}: corpus, settings, seed and this loss curve, which is grey behind the one of whoever opens it.`;
  }

  protected override template(): Content {
    this.element.hidden = this.#run === '';
    return html`
      <button type="button" class="quiet" id="copy-challenge" @click=${this.#copy}>Challenge somebody with this curve</button>
      <p class="hint" role="status" id="challenge-note">${this.#note}</p>`;
  }
}
