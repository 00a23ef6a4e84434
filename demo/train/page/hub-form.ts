// A model from the hub: its name in, bytes as they come, and what went wrong in a line.

import { formatBytes } from '../../../src/core/format-numbers.ts';
import type { PullProgress } from '../../../src/hub/pull-model.ts';
import { el, onFrame, set, setText } from '../../common/dom.ts';
import { field } from '../../common/form-controls.ts';
import { type Session, SessionError } from './training-session.ts';

/** Builds the form; `ended` hears the name of the model that has come, nothing where it has not. */
export function createHubForm(session: Session, ended: (name?: string) => Promise<void>): HTMLFormElement {
  let running: AbortController | undefined;
  let progress: PullProgress | undefined;
  const name = el('input', {
    type: 'text',
    id: 'hub-model',
    required: true,
    spellcheck: 'false',
    autocapitalize: 'none',
    autocomplete: 'off',
    placeholder: 'Helsinki-NLP/opus-mt-en-es',
  });
  const go = el('button', { type: 'submit', id: 'hub-fetch' }, 'Fetch');
  const cancel = el('button', { type: 'button', hidden: true, onclick: () => running?.abort() }, 'Cancel');
  set(cancel, { 'aria-label': 'Cancel fetching the model' });
  const bar = el('progress', { max: 1, 'aria-label': 'Bytes of the model that are here', hidden: true });
  // What is read aloud is how it began and ended, not each byte.
  const count = el('p', { class: 'hint number', id: 'hub-bytes', hidden: true });
  const note = el('p', { class: 'hint', id: 'hub-note', role: 'status' });
  const form = el(
    'form',
    { class: 'stack', novalidate: true, 'aria-label': 'Fetch a model from the hub' },
    field(
      'From the hub: OWNER/NAME',
      name,
      'BART and MarianMT models, and those of heddle; OWNER/NAME@REVISION for another revision.',
    ),
    el('div', { class: 'row' }, go, cancel),
    bar,
    count,
    note,
  );

  const draw = onFrame(() => {
    if (!progress || !running) return;
    const { file, loaded, total } = progress;
    const text = `${formatBytes(loaded)} of ${formatBytes(total)} · ${file}`;
    set(bar, { value: total > 0 ? loaded / total : 0, 'aria-valuetext': text });
    setText(count, text);
  });
  const say = (text: string, wrong = false) => {
    setText(note, text);
    note.className = wrong ? 'wrong' : 'hint';
    set(name, { 'aria-invalid': wrong && 'true' });
  };

  async function run(): Promise<void> {
    const model = name.value.trim();
    if (running) return;
    if (model === '') {
      say('Name a model: OWNER/NAME.', true);
      return name.focus();
    }
    const mine = new AbortController();
    running = mine;
    let here: string | undefined;
    progress = undefined;
    set(go, { disabled: true });
    set(bar, { hidden: false, value: null });
    set(count, { hidden: false });
    setText(count, '');
    say(`Fetching ${model}.`);
    set(cancel, { hidden: false });
    cancel.focus();
    let [text, wrong] = ['', false];
    try {
      here = await session.pull(
        model,
        (now) => {
          progress = now;
          draw();
        },
        mine.signal,
      );
      text = `${model} has come whole, its checksums are right.`;
    } catch (error) {
      wrong = !(error instanceof SessionError && error.kind === 'aborted');
      text = wrong
        ? (error as Error).message
        : `Cancelled.${progress ? ' What has come is kept: Fetch goes on with it.' : ''}`;
    }
    await ended(here);
    say(text, wrong);
    running = undefined;
    const hadFocus = document.activeElement === cancel;
    set(go, { disabled: false });
    for (const part of [cancel, bar, count]) set(part, { hidden: true });
    if (hadFocus) go.focus();
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void run();
  });
  return form;
}
