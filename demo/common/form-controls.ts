// Form controls with labels, hints and validation state.

import { type Child, el, set } from './dom.ts';

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

let ids = 0;

/** Returns an id that is unique in the page. */
export const freshId = (stem: string): string => `${stem}-${++ids}`;

/** Wraps a control with its label above and an optional hint below. */
export function field(label: string, control: Control, hint?: Child): HTMLDivElement {
  control.id ||= freshId('field');
  const note = hint ? el('p', { class: 'hint', id: `${control.id}-hint` }, hint) : undefined;
  if (note) control.setAttribute('aria-describedby', note.id);
  return el('div', { class: 'field' }, el('label', { for: control.id }, label), control, note);
}

/** Creates a drop-down list from values and their labels. */
export function select(
  options: readonly (readonly [value: string, name: string])[],
  selected: string,
): HTMLSelectElement {
  return el(
    'select',
    {},
    ...options.map(([value, name]) => el('option', { value, selected: value === selected }, name)),
  );
}

/** Creates a required number input; `step` defaults to `any`. */
export function numberInput(
  value: number,
  limits: { readonly min?: number; readonly max?: number; readonly step?: number } = {},
): HTMLInputElement {
  const input = el('input', { type: 'number', inputmode: 'decimal', required: true, step: 'any', ...limits });
  input.value = String(value);
  return input;
}

/**
 * Creates a group of radio buttons in the look of a segmented switch; `onChange` is called with the selected
 * value.
 */
export function segmentedChoice<Value extends string>(
  legend: string,
  options: readonly (readonly [value: Value, name: string])[],
  selected: Value,
  onChange: (value: Value) => void,
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
          el('input', {
            ...{ type: 'radio', name, value, checked: value === selected, onchange: () => onChange(value) },
            'data-key': `${legend} ${value}`,
          }),
          text,
        ),
      ),
    ),
  );
}

/** Validates a control and sets `aria-invalid`; returns whether it is valid. */
export function markValid(control: Control): boolean {
  const valid = control.checkValidity();
  set(control, { 'aria-invalid': !valid && 'true' });
  return valid;
}
