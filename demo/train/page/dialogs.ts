// Questions that must be answered first, in the browser's own modal dialog: focus stays inside, Escape says no.

import { el } from '../../common/dom.ts';
import { field } from '../../common/form-controls.ts';

/** Asks to choose; resolves to the name of the button that was pressed, or to `undefined` for Cancel and Escape. */
export function ask<Answer extends string>(
  question: string,
  text: string,
  answers: readonly (readonly [answer: Answer, name: string, look?: 'main' | 'bad'])[],
): Promise<Answer | undefined> {
  return open(question, [el('p', {}, text)], answers, (answer) => answer as Answer);
}

/** Asks for a line of text, with what stands there at first; `undefined` for Cancel, Escape and nothing. */
export async function askText(question: string, label: string, value: string): Promise<string | undefined> {
  const input = el('input', { type: 'text', maxlength: 60, required: true, autocomplete: 'off', autofocus: true });
  input.value = value;
  const given = await open(question, [field(label, input)], [['ok', 'OK', 'main']] as const, () => input.value.trim());
  return given || undefined;
}

function open<Answer extends string>(
  question: string,
  content: readonly HTMLElement[],
  answers: readonly (readonly [answer: string, name: string, look?: 'main' | 'bad'])[],
  result: (answer: string) => Answer,
): Promise<Answer | undefined> {
  const title = el('h2', { id: 'question' }, question);
  const dialog = el(
    'dialog',
    { 'aria-labelledby': 'question' },
    el(
      'form',
      { method: 'dialog', class: 'stack' },
      title,
      ...content,
      el(
        'div',
        { class: 'row answers' },
        ...answers.map(([answer, name, look]) => el('button', { type: 'submit', value: answer, class: look }, name)),
        el('button', { type: 'button', onclick: () => dialog.close('') }, 'Cancel'),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === '' ? undefined : result(dialog.returnValue));
    });
  });
}
