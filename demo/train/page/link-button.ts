// Button that writes the settings of the form into the address of the page and copies the address.

import { el, setText } from '../../common/dom.ts';
import type { TrainingSettings } from '../protocol.ts';
import { toHash } from './share-link.ts';

/**
 * Creates the button with its message; `planned` resolves to the settings of the form, undefined if they are
 * invalid.
 */
export function createLinkButton(planned: () => Promise<TrainingSettings | undefined>): HTMLElement {
  const note = el('p', { class: 'hint', role: 'status', id: 'link-note' });
  const button = el('button', { type: 'button', id: 'copy-link' }, 'Copy a link to this training');
  button.addEventListener('click', async () => {
    const settings = await planned();
    const hash = settings && toHash(settings);
    if (hash) history.replaceState(null, '', hash);
    const copied =
      hash !== undefined &&
      (await navigator.clipboard?.writeText(location.href).then(
        () => true,
        () => false,
      ));
    setText(note, linkText(settings !== undefined, hash !== undefined, copied));
  });
  return el('div', { class: 'share' }, button, note);
}

/** Message after the button was pressed. */
function linkText(valid: boolean, fits: boolean, copied: boolean): string {
  if (!valid)
    return 'There is no link: the settings are invalid or do not fit the GPU. Correct the field that is marked, or choose a smaller model or batch.';
  if (!fits)
    return 'A link cannot contain the pairs of a file or text. Send the file, or use a generated corpus.';
  return `The address of this page is the link${copied ? ', and was copied' : ''}: corpus, settings and seed.`;
}
