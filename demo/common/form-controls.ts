// Form fields: a control with its label and, below it, what is wrong with what was typed.

import { type Child, el, set } from './dom.ts';

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

let ids = 0;

/** An id that no other element has. */
export const freshId = (stem: string): string => `${stem}-${++ids}`;

/** A control under its label, with a hint below it where one is given. */
export function field(label: string, control: Control, hint?: Child): HTMLDivElement {
  control.id ||= freshId('field');
  const note = hint ? el('p', { class: 'hint', id: `${control.id}-hint` }, hint) : undefined;
  if (note) control.setAttribute('aria-describedby', note.id);
  return el('div', { class: 'field' }, el('label', { for: control.id }, label), control, note);
}

/** A list to choose one of: values with their names. */
export function select(
  options: readonly (readonly [value: string, name: string])[],
  chosen: string,
): HTMLSelectElement {
  return el('select', {}, ...options.map(([value, name]) => el('option', { value, selected: value === chosen }, name)));
}

/** A field for a number; `step` is `any` unless given. */
export function numberInput(
  value: number,
  limits: { readonly min?: number; readonly max?: number; readonly step?: number } = {},
): HTMLInputElement {
  const input = el('input', { type: 'number', inputmode: 'decimal', required: true, step: 'any', ...limits });
  input.value = String(value);
  return input;
}

/** Radio buttons that look like one switch; `changed` hears of each choice. */
export function choice<Value extends string>(
  legend: string,
  options: readonly (readonly [value: Value, name: string])[],
  chosen: Value,
  changed: (value: Value) => void,
): HTMLFieldSetElement {
  const name = freshId('choice');
  return el(
    'fieldset',
    {},
    el('legend', { class: 'unseen' }, legend),
    el(
      'div',
      { class: 'choice' },
      ...options.map(([value, text]) =>
        el(
          'label',
          {},
          el('input', { type: 'radio', name, value, checked: value === chosen, onchange: () => changed(value) }),
          text,
        ),
      ),
    ),
  );
}

/** Marks a control as wrong or right, for eyes and for screen readers. */
export function markValid(control: Control): boolean {
  const valid = control.checkValidity();
  set(control, { 'aria-invalid': !valid && 'true' });
  return valid;
}
