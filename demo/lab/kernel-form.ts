// Form that selects a kernel: its family, and the sizes and options of the family.

import { live } from 'lit-html/directives/live.js';
import type { KernelSpec } from '../../src/bench/kernel-case.ts';
import { familyNames, kernelFamilies, kernelOf } from '../../src/bench/kernel-families.ts';
import type { FamilyField } from '../../src/bench/kernel-family.ts';
import { HeddleError } from '../../src/entries/heddle.ts';
import { freshId } from '../common/dom.ts';
import { field, options } from '../common/form-fields.ts';
import { say, translated } from '../common/page-texts.ts';
import { type Content, html, Panel } from '../common/panel.ts';

const families = familyNames.map((name) => [name, translated(kernelFamilies[name]?.label ?? name)] as const);

/** The fields. */
export class KernelForm extends Panel {
  readonly #onChange: () => void;
  readonly #id = freshId('kernel');
  #family = 'matmul';
  /** Texts of the fields of the family. */
  #texts: Readonly<Record<string, string>> = textsOf('matmul');
  #problem = '';
  #isDisabled = false;

  /** `onChange` is called when the visitor changes the fields to another valid kernel. */
  constructor(onChange: () => void) {
    super('');
    this.#onChange = onChange;
    this.draw();
  }

  /** The kernel; undefined if a field is invalid, with an error below the fields. */
  read(): KernelSpec | undefined {
    const fields = fieldsOf(this.#family);
    const values = Object.fromEntries(
      Object.entries(this.#texts).map(([name, text]) => [
        name,
        'values' in (fields[name] ?? {}) ? text : numberIn(text),
      ]),
    );
    const spec = { family: this.#family, values };
    this.#problem = problemOf(spec);
    this.draw();
    return this.#problem === '' ? spec : undefined;
  }

  write({ family, values }: KernelSpec): void {
    this.#family = family;
    this.#texts = textsOf(family, values);
    this.#problem = '';
    this.draw();
  }

  setDisabled(disabled: boolean): void {
    this.#isDisabled = disabled;
    this.draw();
  }

  #selectFamily(event: Event): void {
    this.#family = (event.target as HTMLSelectElement).value;
    this.#texts = textsOf(this.#family);
    this.#change();
  }

  #edit(name: string, event: Event): void {
    this.#texts = { ...this.#texts, [name]: (event.target as HTMLInputElement).value };
  }

  #change(): void {
    if (this.read()) this.#onChange();
  }

  protected override template(): Content {
    const id = `${this.#id}-family`;
    const list = options(families, this.#family);
    return html`
      <fieldset class="kernel-form" ?disabled=${this.#isDisabled}>
        <legend class="unseen">Kernel and its sizes</legend>
        ${field(id, say`Kernel`, html`<select id=${id} @change=${this.#selectFamily}>${list}</select>`)}
        <div class="sizes">
          ${Object.entries(fieldsOf(this.#family)).map(([name, it]) => this.#field(name, it))}
        </div>
        <p class="wrong" role="alert">${this.#problem}</p>
      </fieldset>`;
  }

  #field(name: string, it: FamilyField): Content {
    const id = `${this.#id}-${name}`;
    const text = this.#texts[name] ?? '';
    const edit = (event: Event) => this.#edit(name, event);
    const change = (event: Event) => {
      edit(event);
      this.#change();
    };
    if ('values' in it) {
      const list = options(
        it.values.map((value) => [value, value] as const),
        text,
      );
      return field(
        id,
        translated(it.label),
        html`<select id=${id} @input=${edit} @change=${change}>${list}</select>`,
      );
    }
    return field(
      id,
      translated(it.label),
      html`<input
        id=${id}
        type="number"
        inputmode="decimal"
        required
        min=${it.min}
        max=${it.max}
        step=${it.step ?? 'any'}
        .value=${live(text)}
        @input=${edit}
        @change=${change}
      />`,
    );
  }
}

const fieldsOf = (family: string): Readonly<Record<string, FamilyField>> =>
  kernelFamilies[family]?.fields ?? {};

/** Texts of the fields of a family: the given values, else its own. */
const textsOf = (family: string, values: KernelSpec['values'] = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(fieldsOf(family)).map(([name, it]) => [
      name,
      String(values[name] ?? ('values' in it ? it.values[0] : it.value)),
    ]),
  );

const numberIn = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

/** What is wrong with a kernel; empty if nothing is. */
function problemOf(spec: KernelSpec): string {
  try {
    kernelOf(spec);
    return '';
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    return error.message;
  }
}
