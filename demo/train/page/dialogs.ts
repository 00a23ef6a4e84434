// Modal dialogs that ask the visitor to select an answer or to enter text; Escape cancels.

import { el, set, stack } from '../../common/dom.ts';
import { field } from '../../common/form-controls.ts';

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
  return open(question, el('p', {}, text), answers);
}

/**
 * Asks for a line of text, initially `value`; resolves to `undefined` for Cancel, Escape and empty text.
 * `problem` returns what is wrong with a text, which the dialog shows while it stays open; empty if nothing
 * is.
 */
export async function askText(
  question: string,
  label: string,
  value: string,
  problem: (text: string) => string = () => '',
): Promise<string | undefined> {
  const input = el('input', {
    type: 'text',
    maxlength: 60,
    required: true,
    autocomplete: 'off',
    autofocus: true,
  });
  input.value = value;
  const wrong = el('p', { class: 'wrong', role: 'alert' });
  const content = stack(field(label, input), wrong);
  const answer = await open(question, content, [['ok', 'OK', 'main']], () => {
    const found = problem(input.value.trim());
    wrong.textContent = found;
    set(input, { 'aria-invalid': found !== '' && 'true' });
    if (found) input.focus();
    return found === '';
  });
  return (answer && input.value.trim()) || undefined;
}

function open<Answer extends string>(
  question: string,
  content: HTMLElement,
  answers: readonly AnswerButton<Answer>[],
  accept: () => boolean = () => true,
): Promise<Answer | undefined> {
  const destructive = answers.some(([, , style]) => style === 'bad');
  const dialog = el(
    'dialog',
    { 'aria-labelledby': 'question' },
    el(
      'form',
      {
        method: 'dialog',
        class: 'stack',
        onsubmit: (event: SubmitEvent) => {
          if (!accept()) event.preventDefault();
        },
      },
      el('h2', { id: 'question' }, question),
      content,
      el(
        'div',
        { class: 'row answers' },
        ...answers.map(([answer, label, style]) =>
          el('button', { type: 'submit', value: answer, class: style }, label),
        ),
        // Enter must not delete anything, so Cancel gets the focus.
        el('button', { type: 'button', autofocus: destructive, onclick: () => dialog.close('') }, 'Cancel'),
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
