// Form that selects a kernel: its family, and the sizes and options of the family.

import type { KernelSpec } from '../../src/bench/kernel-case.ts';
import { type FamilyName, familyNames, kernelFamilies, kernelOf } from '../../src/bench/kernel-families.ts';
import type { FamilyField } from '../../src/bench/kernel-family.ts';
import { HeddleError } from '../../src/index.ts';
import { el, fill, set, setText } from '../common/dom.ts';
import { field, numberInput, select } from '../common/form-controls.ts';

/** The fields. */
export interface KernelForm {
  readonly element: HTMLElement;
  /** The kernel; undefined if a field is invalid, with an error below the fields. */
  read(): KernelSpec | undefined;
  write(spec: KernelSpec): void;
  setDisabled(disabled: boolean): void;
}

/** Creates the fields; `onChange` is called when the visitor changes them to another valid kernel. */
export function createKernelForm(onChange: () => void): KernelForm {
  const family = select(
    familyNames.map((name) => [name, kernelFamilies[name].label]),
    'matmul',
  );
  const sizes = el('div', { class: 'sizes' });
  const problem = el('p', { class: 'wrong', role: 'alert' });
  let controls: Record<string, HTMLInputElement | HTMLSelectElement> = {};

  const read = (): KernelSpec | undefined => {
    const fields = fieldsOf(family.value);
    const values = Object.fromEntries(
      Object.entries(controls).map(([name, { value }]) => [
        name,
        'values' in (fields[name] ?? {}) ? value : numberIn(value),
      ]),
    );
    const spec = { family: family.value, values };
    try {
      kernelOf(spec);
      setText(problem, '');
      return spec;
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
      setText(problem, error.message);
      return undefined;
    }
  };
  const changed = () => {
    if (read()) onChange();
  };
  const show = (values: KernelSpec['values'] = {}) => {
    const entries = Object.entries(fieldsOf(family.value));
    controls = Object.fromEntries(entries.map(([name, it]) => [name, controlOf(it, values[name])]));
    for (const control of Object.values(controls)) control.addEventListener('change', changed);
    fill(sizes, ...entries.map(([name, it]) => field(it.label, controls[name] as HTMLInputElement)));
  };
  family.addEventListener('change', () => {
    show();
    changed();
  });
  show();
  const element = el(
    'fieldset',
    { class: 'kernel-form' },
    el('legend', { class: 'unseen' }, 'Kernel and its sizes'),
    field('Kernel', family),
    sizes,
    problem,
  );
  return {
    element,
    read,
    write(spec) {
      family.value = spec.family;
      show(spec.values);
      setText(problem, '');
    },
    setDisabled: (disabled) => set(element, { disabled }),
  };
}

const fieldsOf = (family: string): Readonly<Record<string, FamilyField>> =>
  kernelFamilies[family as FamilyName].fields;

const numberIn = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

function controlOf(
  it: FamilyField,
  value: number | string | undefined,
): HTMLInputElement | HTMLSelectElement {
  if ('values' in it)
    return select(
      it.values.map((v) => [v, v]),
      String(value ?? it.values[0]),
    );
  const { min, max, step } = it;
  return numberInput(Number(value ?? it.value), { min, max, step });
}
