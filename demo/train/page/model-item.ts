// A model in the list of models: what it is, and buttons for what can be done with it.

import { formatBytes, formatInteger } from '../../../src/core/format-numbers.ts';
import { el, set } from '../../common/dom.ts';
import type { StoredModel } from '../../storage/model-store.ts';
import type { ModelActions } from './model-actions.ts';

/** Makes a button: its name, what it does in whole words, the work, and its class. */
export type MakeButton = (name: string, what: string, work: () => Promise<void>, look?: string) => HTMLButtonElement;

/** The entry of a model. While a training is under way (`training`) no other model can be put into use. */
export function modelItem(m: StoredModel, actions: ModelActions, button: MakeButton, training: boolean): HTMLLIElement {
  const { name } = m;
  const resume = el(
    'button',
    { type: 'button', onclick: () => actions.resume(m), 'aria-label': `Continue the training of ${name}` },
    'Continue',
  );
  const load = button('Load', `Load ${name} to translate with it`, () => actions.load(m), '');
  const further = button('Train on', `Train on with ${name}`, () => actions.trainOn(m));
  const rename = button('Rename', `Rename ${name}`, () => actions.rename(m));
  const copy = button('Copy', `Copy ${name} under another name`, () => actions.copy(m));
  const archive = button('Archive', `Download ${name} as an archive, with its checkpoint`, () => actions.archive(m));
  const weights = button('Safetensors', `Download ${name} as safetensors, without its checkpoint`, () =>
    actions.safetensors(m),
  );
  const remove = button('Delete', `Delete ${name}`, () => actions.remove(m), 'quiet bad');

  const held = m.lock !== 'free';
  set(further, { disabled: training || held, hidden: m.unfinished || m.steps === 0 });
  set(load, { disabled: training });
  set(resume, { disabled: training || held, hidden: !m.unfinished });
  for (const change of [rename, remove]) if (held) set(change, { disabled: true });
  return el(
    'li',
    { 'data-model': name },
    whatItIs(m),
    el('div', { class: 'row' }, resume, load, further, rename, copy, archive, weights, remove),
  );
}

function whatItIs(m: StoredModel): HTMLDivElement {
  const steps = m.steps > 0 ? `step ${formatInteger(m.step)} of ${formatInteger(m.steps)}` : 'weights alone';
  const tag = m.lock === 'here' ? 'trains here' : m.lock === 'elsewhere' ? 'another tab trains it' : '';
  return el(
    'div',
    { class: 'model-what' },
    el('b', {}, m.name),
    tag && el('span', { class: 'tag' }, tag),
    el(
      'p',
      { class: 'hint number' },
      [steps, `${formatInteger(m.parameters)} parameters`, formatBytes(m.bytes), when(m.time)].join(' · '),
    ),
    el('p', { class: 'hint' }, m.corpus),
  );
}

function when(time: number): string {
  return time > 0 ? new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }) : '';
}
