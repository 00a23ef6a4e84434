// Form that downloads any model of the hub by its name.

import { el, set } from '../../common/dom.ts';
import { field } from '../../common/form-controls.ts';
import { createHubDownload } from './hub-download.ts';
import type { Session } from './training-session.ts';

/**
 * Creates the form; `onEnd` is called with the name of the downloaded model, or with undefined if the
 * download failed.
 */
export function createHubForm(session: Session, onEnd: (name?: string) => Promise<void>): HTMLFormElement {
  const download = createHubDownload(session);
  const { bar, cancel, count, note } = download;
  set(count, { id: 'hub-bytes' });
  set(note, { id: 'hub-note' });
  const name = el('input', {
    type: 'text',
    id: 'hub-model',
    required: true,
    spellcheck: 'false',
    autocapitalize: 'none',
    autocomplete: 'off',
    placeholder: 'Helsinki-NLP/opus-mt-en-de',
  });
  const go = el('button', { type: 'submit', id: 'hub-fetch' }, 'Download');
  const form = el(
    'form',
    { class: 'stack', novalidate: true, 'aria-label': 'Download a model from the hub' },
    field(
      'Another model of the Hugging Face hub',
      name,
      'OWNER/NAME, or OWNER/NAME@REVISION: an encoder-decoder of a family in the gallery, or a model trained with heddle.',
    ),
    el('div', { class: 'row' }, go, cancel),
    bar,
    count,
    note,
  );
  const mark = () => set(name, { 'aria-invalid': note.className === 'wrong' && 'true' });

  async function run(): Promise<void> {
    const model = name.value.trim();
    if (download.isRunning) return;
    if (model === '') {
      download.show('Enter a model as OWNER/NAME.', true);
      mark();
      return name.focus();
    }
    set(name, { 'aria-invalid': false });
    await onEnd(await download.run(model, go));
    mark();
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void run();
  });
  return form;
}
