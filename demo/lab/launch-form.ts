// Fields of a dispatch in the kernel editor: entry point, grid, tensors of the bindings, parameters,
// overrides. They are read from the WGSL.

import { live } from 'lit-html/directives/live.js';
import { declarationsIn, numberIn, type ShownKernel, type ShownPass } from '../../src/bench/own-kernel.ts';
import { field, options } from '../common/form-fields.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../common/panel.ts';
import { hint } from '../common/tables.ts';

/** Launch of a dispatch. */
export type LaunchOf = Pick<ShownPass, 'entry' | 'constants' | 'params' | 'bind'> & {
  readonly grid: readonly number[];
};

/** What the fields are about: the source, and the dispatch of heddle that has the values by default. */
interface Shown {
  readonly source: string;
  readonly kernel: ShownKernel;
  readonly variant: string;
  readonly pass: ShownPass | undefined;
}

type FieldKind = 'entry' | 'grid' | 'bind' | 'param' | 'override';

/** A field: its kind, name, label and default; with options it is a list. */
interface LaunchField {
  readonly kind: FieldKind;
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly options?: readonly (readonly [string, string])[];
}

const axes = ['x', 'y', 'z'] as const;
const keyOf = ({ kind, name }: Pick<LaunchField, 'kind' | 'name'>): string => `${kind} ${name}`.trim();

/** The fields. */
export class LaunchForm extends Panel {
  readonly #onChange: () => void;
  /** Values that the visitor has entered, by field; edits of the source do not change them. */
  #given: Readonly<Record<string, string>> = {};
  #shown: Shown | undefined;

  /** `onChange` is called when the visitor changes a field. */
  constructor(onChange: () => void) {
    super('');
    this.#onChange = onChange;
    this.draw();
  }

  /** Values that the visitor has entered, by field. */
  get given(): Readonly<Record<string, string>> {
    return this.#given;
  }

  /** Shows the fields of a source. A field without input of the visitor has the value of `pass`. */
  show(source: string, kernel: ShownKernel, variant: string, pass: ShownPass | undefined): void {
    this.#shown = { source, kernel, variant, pass };
    this.draw();
  }

  /** Replaces the values that the visitor has entered; the next `show` displays them. */
  reset(given: Readonly<Record<string, string>> = {}): void {
    this.#given = given;
  }

  /** Opens the fields and sets the number of workgroups in x, as if the visitor had entered it. */
  suggestGrid(x: string): void {
    this.find<HTMLDetailsElement>('details').open = true;
    this.#given = { ...this.#given, 'grid x': x, 'grid y': '1', 'grid z': '1' };
  }

  /**
   * Reads the fields; `sizes` are names that expressions may use. Throws a HeddleError that names an invalid
   * field.
   */
  read(sizes: ReadonlyMap<string, number>): LaunchOf {
    const fields = this.#fields();
    const texts = (kind: FieldKind) =>
      fields.filter((each) => each.kind === kind).map((each) => [each.name, this.#textOf(each)] as const);
    const numbers = (kind: FieldKind, isOptional = false) =>
      Object.fromEntries(
        texts(kind)
          .filter(([, text]) => !isOptional || text.trim() !== '')
          .map(([name, text]) => [name, numberIn(text, `${kind} ${name}`, sizes)]),
      );
    const grid = numbers('grid');
    return {
      entry: this.#entry(),
      grid: axes.map((axis) => grid[axis] ?? 1),
      bind: Object.fromEntries(texts('bind').filter(([, tensor]) => tensor !== '')),
      params: numbers('param'),
      constants: numbers('override', true),
    };
  }

  /** The text of a field; a list without the option that was entered is empty. */
  #textOf(each: LaunchField): string {
    const text = this.#given[keyOf(each)] ?? each.value;
    return !each.options || each.options.some(([value]) => value === text) ? text : '';
  }

  /** The selected entry point. */
  #entry(): string {
    const entries = [...(this.#declarations()?.entries.keys() ?? [])];
    const wanted = this.#given.entry ?? this.#shown?.pass?.entry ?? '';
    return entries.includes(wanted) ? wanted : (entries[0] ?? '');
  }

  #declarations(): ReturnType<typeof declarationsIn> {
    return declarationsIn(this.#shown?.source ?? '');
  }

  #fields(): readonly LaunchField[] {
    if (!this.#shown) return [];
    const { kernel, variant, pass } = this.#shown;
    const found = this.#declarations();
    const entry = this.#entry();
    const tensors = tensorsOf(kernel, variant);
    const isTensor = (name: string) => tensors.some(([tensor]) => tensor === name);
    const bindings = (found?.entries.get(entry) ?? []).filter(({ wgslType }) => wgslType !== 'Params');
    return [
      ...axes.map((name, i): LaunchField => {
        return { kind: 'grid', name, label: say`Workgroups in ${name}`, value: String(pass?.grid[i] ?? 1) };
      }),
      ...bindings.map(({ name, wgslType }): LaunchField => {
        const value = pass?.bind[name] ?? (isTensor(name) ? name : '');
        return { kind: 'bind', name, label: `${name}: ${wgslType}`, value, options: [['', '—'], ...tensors] };
      }),
      ...(found?.params ?? []).map(({ name, type }): LaunchField => {
        return { kind: 'param', name, label: `${name}: ${type}`, value: String(pass?.params[name] ?? '') };
      }),
      ...[...(found?.overrides ?? [])].map((name): LaunchField => {
        return { kind: 'override', name, label: name, value: String(pass?.constants[name] ?? '') };
      }),
    ];
  }

  #change(key: string, event: Event): void {
    this.#given = { ...this.#given, [key]: (event.target as HTMLInputElement).value };
    this.draw();
    this.#onChange();
  }

  protected override template(): Content {
    const fields = this.#fields();
    const of = (kind: FieldKind) => fields.filter((each) => each.kind === kind);
    const entries = [...(this.#declarations()?.entries.keys() ?? [])].map((name) => [name, name] as const);
    const entry = this.#entry();
    const entryField: LaunchField = {
      kind: 'entry',
      name: '',
      label: say`Entry point`,
      value: entry,
      options: entries,
    };
    return html`
      <details class="launch">
        <summary>Bindings, parameters and grid</summary>
        <div class="stack">
          ${this.#shown ? this.#group(say`Launch`, [entryField, ...of('grid')]) : nothing}
          ${hint(say`Workgroups and parameters can be expressions of the sizes, for example (N + 15) / 16.`)}
          ${this.#group(say`Tensors`, of('bind'))}
          ${this.#group(say`Parameters`, of('param'))}
          ${this.#group(say`Overrides`, of('override'))}
        </div>
      </details>`;
  }

  #group(title: string, fields: readonly LaunchField[]): Content {
    if (fields.length === 0) return nothing;
    return html`
      <fieldset class="stack-small">
        <legend>${title}</legend>
        <div class="sizes">${fields.map((each) => this.#field(each))}</div>
      </fieldset>`;
  }

  #field(each: LaunchField): Content {
    const key = keyOf(each);
    const id = `launch-${key.replaceAll(' ', '-')}`;
    const text = each.kind === 'entry' ? each.value : this.#textOf(each);
    const change = (event: Event) => this.#change(key, event);
    const control = each.options
      ? html`<select id=${id} @change=${change}>${options(each.options, text)}</select>`
      : html`<input
          id=${id}
          type="text"
          autocomplete="off"
          spellcheck="false"
          .value=${live(text)}
          @change=${change}
        />`;
    return field(id, each.label, control);
  }
}

/** Options for a binding: the tensors of the op, and memory of a variant that is none of them. */
function tensorsOf({ tensors, variants }: ShownKernel, variant: string): [string, string][] {
  const passes = variants.find(({ name }) => name === variant)?.passes ?? [];
  const bound = passes.flatMap(({ bind }) => Object.values(bind));
  const others = [...new Set(bound)].filter((name) => !tensors.some((tensor) => tensor.name === name));
  return [
    ...tensors.map(({ name, dtype, shape }): [string, string] => [
      name,
      `${name} ${dtype} [${shape.join(',')}]`,
    ]),
    ...others.map((name): [string, string] => [name, name]),
  ];
}
