// Templates of form fields: labels, lists of options, groups of radio buttons; and the check of a control.

import { live } from 'lit-html/directives/live.js';
import { type Content, html, nothing } from './panel.ts';

/** A control with the given id, its label above it and an optional hint below it. */
export const field = (id: string, label: Content, control: Content, hint?: Content): Content => html`
  <div class="field">
    <label for=${id}>${label}</label>
    ${control}
    ${hint ? html`<p class="hint" id="${id}-hint">${hint}</p>` : nothing}
  </div>`;

/** The options of a drop-down list: values and their names. */
export const options = (
  list: readonly (readonly [value: string, name: string])[],
  selected: string,
): Content =>
  list.map(
    ([value, name]) => html`<option value=${value} .selected=${live(value === selected)}>${name}</option>`,
  );

/** A group of radio buttons. */
export interface Choice<Value extends string> {
  /** Name of the radio buttons, unique in the page. */
  readonly name: string;
  readonly legend: string;
  readonly options: readonly (readonly [value: Value, name: Content])[];
  readonly selected: Value;
  onChange(value: Value): void;
}

/** A group of radio buttons in the look of a segmented switch. */
export const segmentedChoice = <Value extends string>(choice: Choice<Value>): Content => html`
  <fieldset>
    <legend class="unseen">${choice.legend}</legend>
    <div class="choice">
      ${choice.options.map(
        ([value, text]) => html`
          <label
            ><input
              type="radio"
              name=${choice.name}
              value=${value}
              data-key="${choice.name} ${value}"
              .checked=${live(value === choice.selected)}
              @change=${() => choice.onChange(value)}
            />${text}</label
          >`,
      )}
    </div>
  </fieldset>`;

/** Validates a control and sets `aria-invalid`; returns whether it is valid. */
export function markValid(control: HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement): boolean {
  const valid = control.checkValidity();
  if (valid) control.removeAttribute('aria-invalid');
  else control.setAttribute('aria-invalid', 'true');
  return valid;
}
