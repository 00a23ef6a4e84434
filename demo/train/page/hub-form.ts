// Form that downloads a model from the hub, with a progress bar and errors.

import { formatBytes } from '../../../src/core/format-numbers.ts';
import type { PullProgress } from '../../../src/index.ts';
import { el, onFrame, set, setText } from '../../common/dom.ts';
import { field } from '../../common/form-controls.ts';
import { type Session, SessionError } from './training-session.ts';

/** Creates the form; `onEnd` is called with the name of the downloaded model, or without if the download failed. */
export function createHubForm(session: Session, onEnd: (name?: string) => Promise<void>): HTMLFormElement {
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
  const go = el('button', { type: 'submit', id: 'hub-fetch' }, 'Download');
  const cancel = el('button', { type: 'button', hidden: true, onclick: () => running?.abort() }, 'Cancel');
  set(cancel, { 'aria-label': 'Cancel the download' });
  const bar = el('progress', { max: 1, 'aria-label': 'Download progress', hidden: true });
  // Not a live region: screen readers announce start and end only.
  const count = el('p', { class: 'hint number', id: 'hub-bytes', hidden: true });
  const note = el('p', { class: 'hint', id: 'hub-note', role: 'status' });
  const form = el(
    'form',
    { class: 'stack', novalidate: true, 'aria-label': 'Download a model from the hub' },
    field(
      'Model on the Hugging Face hub',
      name,
      'OWNER/NAME, or OWNER/NAME@REVISION. BART, MarianMT, mBART, M2M100, NLLB, Pegasus and T5 models, and models of heddle.',
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
  const show = (text: string, wrong = false) => {
    setText(note, text);
    note.className = wrong ? 'wrong' : 'hint';
    set(name, { 'aria-invalid': wrong && 'true' });
  };

  async function run(): Promise<void> {
    const model = name.value.trim();
    if (running) return;
    if (model === '') {
      show('Enter a model as OWNER/NAME.', true);
      return name.focus();
    }
    const controller = new AbortController();
    running = controller;
    let downloaded: string | undefined;
    progress = undefined;
    set(go, { disabled: true });
    set(bar, { hidden: false, value: null });
    set(count, { hidden: false });
    setText(count, '');
    show(`Downloading ${model}.`);
    set(cancel, { hidden: false });
    cancel.focus();
    let [text, wrong] = ['', false];
    try {
      downloaded = await session.pull(
        model,
        (now) => {
          progress = now;
          draw();
        },
        controller.signal,
      );
      text = `${model} was downloaded, and its checksums match.`;
    } catch (error) {
      wrong = !(error instanceof SessionError && error.kind === 'aborted');
      text = wrong
        ? (error as Error).message
        : `Cancelled.${progress ? ' Download continues from the part that is already here.' : ''}`;
    }
    await onEnd(downloaded);
    show(text, wrong);
    running = undefined;
    const hadFocus = document.activeElement === cancel;
    set(go, { disabled: false });
    for (const each of [cancel, bar, count]) set(each, { hidden: true });
    if (hadFocus) go.focus();
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void run();
  });
  return form;
}
