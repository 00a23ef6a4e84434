// Modal dialogs that ask the visitor to select an answer or to enter text; Escape cancels.

import { field } from '../../common/form-fields.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';

/** A button of a dialog: its value, label and optional style. */
type AnswerButton<Answer extends string> = readonly [answer: Answer, label: string, style?: 'main' | 'bad'];

/**
 * Shows a question with buttons; resolves to the selected answer, or to `undefined` for Cancel and Escape.
 */
export function ask<Answer extends string>(
  question: string,
  text: string,
  answers: readonly AnswerButton<Answer>[],
): Promise<Answer | undefined> {
  return new Dialog(question, text, answers).answer();
}

/** A line of text that a dialog asks for. */
interface TextQuestion {
  readonly question: string;
  readonly label: string;
  /** The initial text. */
  readonly value: string;
  /** What is wrong with a text, which the dialog shows while it stays open; empty if nothing is. */
  readonly problem?: (text: string) => string;
}

/** Asks for a line of text; resolves to `undefined` for Cancel, Escape and empty text. */
export async function askText(asked: TextQuestion): Promise<string | undefined> {
  const dialog = new TextDialog(asked);
  const answer = await dialog.answer();
  return (answer && dialog.text) || undefined;
}

/** A question with buttons. */
class Dialog<Answer extends string> extends Panel {
  readonly #question: string;
  readonly #content: string;
  readonly #answers: readonly AnswerButton<Answer>[];

  constructor(question: string, content: string, answers: readonly AnswerButton<Answer>[]) {
    super('');
    this.#question = question;
    this.#content = content;
    this.#answers = answers;
  }

  /** Opens the dialog; resolves when it is closed. */
  answer(): Promise<Answer | undefined> {
    this.draw();
    document.body.append(this.element);
    const dialog = this.find<HTMLDialogElement>('dialog');
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => {
        this.element.remove();
        resolve((dialog.returnValue || undefined) as Answer | undefined);
      });
    });
  }

  /** Whether the dialog may close with an answer. */
  protected accept(): boolean {
    return true;
  }

  protected content(): Content {
    return html`<p>${this.#content}</p>`;
  }

  #submit(event: Event): void {
    if (!this.accept()) event.preventDefault();
  }

  #cancel(): void {
    this.find<HTMLDialogElement>('dialog').close('');
  }

  protected override template(): Content {
    // Enter must not delete anything, so Cancel gets the focus.
    const isDestructive = this.#answers.some(([, , style]) => style === 'bad');
    return html`
      <dialog aria-labelledby="question">
        <form method="dialog" class="stack" @submit=${this.#submit}>
          <h2 id="question">${this.#question}</h2>
          ${this.content()}
          <div class="row answers">
            ${this.#answers.map(
              ([answer, label, style]) =>
                html`<button type="submit" value=${answer} class=${style ?? nothing}>${label}</button>`,
            )}
            <button type="button" ?autofocus=${isDestructive} @click=${this.#cancel}>Cancel</button>
          </div>
        </form>
      </dialog>`;
  }
}

/** A question with a text field. */
class TextDialog extends Dialog<'ok'> {
  readonly #asked: TextQuestion;
  #wrong = '';

  constructor(asked: TextQuestion) {
    super(asked.question, '', [['ok', 'OK', 'main']]);
    this.#asked = asked;
  }

  get text(): string {
    return this.find('input').value.trim();
  }

  protected override accept(): boolean {
    this.#wrong = this.#asked.problem?.(this.text) ?? '';
    this.draw();
    if (this.#wrong) this.find('input').focus();
    return this.#wrong === '';
  }

  protected override content(): Content {
    const { label, value } = this.#asked;
    const input = html`<input
      id="answer"
      type="text"
      maxlength="60"
      required
      autocomplete="off"
      autofocus
      value=${value}
      aria-invalid=${this.#wrong ? 'true' : nothing}
    />`;
    return html`
      <div class="stack">
        ${field('answer', label, input)}
        <p class="wrong" role="alert">${this.#wrong}</p>
      </div>`;
  }
}
