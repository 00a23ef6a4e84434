// Modal dialogs that ask the visitor to select an answer or to enter text; Escape cancels.

import { el } from '../../common/dom.ts';
import { field } from '../../common/form-controls.ts';

/** A button of a dialog: its value, label and optional style. */
type AnswerButton<Answer extends string> = readonly [answer: Answer, label: string, style?: 'main' | 'bad'];

/** Shows a question with buttons; resolves to the selected answer, or to `undefined` for Cancel and Escape. */
export function ask<Answer extends string>(
  question: string,
  text: string,
  answers: readonly AnswerButton<Answer>[],
): Promise<Answer | undefined> {
  return open(question, el('p', {}, text), answers);
}

/** Asks for a line of text, at first `value`; resolves to `undefined` for Cancel, Escape and empty text. */
export async function askText(question: string, label: string, value: string): Promise<string | undefined> {
  const input = el('input', { type: 'text', maxlength: 60, required: true, autocomplete: 'off', autofocus: true });
  input.value = value;
  const answer = await open(question, field(label, input), [['ok', 'OK', 'main']]);
  return (answer && input.value.trim()) || undefined;
}

function open<Answer extends string>(
  question: string,
  content: HTMLElement,
  answers: readonly AnswerButton<Answer>[],
): Promise<Answer | undefined> {
  const dialog = el(
    'dialog',
    { 'aria-labelledby': 'question' },
    el(
      'form',
      { method: 'dialog', class: 'stack' },
      el('h2', { id: 'question' }, question),
      content,
      el(
        'div',
        { class: 'row answers' },
        ...answers.map(([answer, label, style]) =>
          el('button', { type: 'submit', value: answer, class: style }, label),
        ),
        el('button', { type: 'button', onclick: () => dialog.close('') }, 'Cancel'),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve((dialog.returnValue || undefined) as Answer | undefined);
    });
  });
}
