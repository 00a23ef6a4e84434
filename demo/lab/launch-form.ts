// Fields of a dispatch in the kernel editor: entry point, grid, tensors of the bindings, parameters,
// overrides. They are read from the WGSL.

import { declarationsIn, numberIn, type ShownKernel, type ShownPass } from '../../src/bench/own-kernel.ts';
import { el, fill, hint, stack } from '../common/dom.ts';
import { field, select } from '../common/form-controls.ts';

/** Launch of a dispatch. */
export type LaunchOf = Pick<ShownPass, 'entry' | 'constants' | 'params' | 'bind'> & {
  readonly grid: readonly number[];
};

/** The fields. */
export interface LaunchForm {
  readonly element: HTMLElement;
  /** Shows the fields of a source. A field without input of the visitor has the value of `pass`. */
  show(source: string, kernel: ShownKernel, variant: string, pass: ShownPass | undefined): void;
  /** Values that the visitor has entered, by field name. */
  readonly given: Readonly<Record<string, string>>;
  /** Replaces the values that the visitor has entered; the next `show` displays them. */
  reset(given?: Readonly<Record<string, string>>): void;
  /** Sets the number of workgroups in x, as if the visitor had entered it. */
  suggestGrid(x: string): void;
  /**
   * Reads the fields; `sizes` are names that expressions may use. Throws a HeddleError that names an invalid
   * field.
   */
  read(sizes: ReadonlyMap<string, number>): LaunchOf;
}

const axes = ['x', 'y', 'z'] as const;

/** Creates the fields; `onChange` is called when the visitor changes one. */
export function createLaunchForm(onChange: () => void): LaunchForm {
  /** Values that the visitor has entered, by field name; edits of the source do not change them. */
  const given = new Map<string, string>();
  const shown = new Map<string, HTMLInputElement | HTMLSelectElement>();
  const body = stack();
  const element = el(
    'details',
    { class: 'launch' },
    el('summary', {}, 'Bindings, parameters and grid'),
    body,
  );

  const control = <E extends HTMLInputElement | HTMLSelectElement>(
    key: string,
    input: E,
    value: string,
  ): E => {
    input.value = given.get(key) ?? value;
    input.addEventListener('change', () => {
      given.set(key, input.value);
      onChange();
    });
    shown.set(key, input);
    return input;
  };
  const text = (key: string, value: string) =>
    control(key, el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' }), value);
  const group = (title: string, fields: HTMLElement[]) =>
    fields.length === 0
      ? null
      : el(
          'fieldset',
          { class: 'stack-small' },
          el('legend', {}, title),
          el('div', { class: 'sizes' }, ...fields),
        );

  const show: LaunchForm['show'] = (source, kernel, variant, pass) => {
    shown.clear();
    const found = declarationsIn(source);
    const entries = [...(found?.entries.keys() ?? [])];
    const wanted = given.get('entry') ?? pass?.entry ?? '';
    const entry = select(
      entries.map((name) => [name, name]),
      '',
    );
    control('entry', entry, entries.includes(wanted) ? wanted : (entries[0] ?? ''));
    if (!entries.includes(entry.value)) entry.value = entries[0] ?? '';
    entry.addEventListener('change', () => show(source, kernel, variant, pass));
    const bindings = (found?.entries.get(entry.value) ?? []).filter(({ wgslType }) => wgslType !== 'Params');
    const tensors = tensorsOf(kernel, variant);
    fill(
      body,
      group('Launch', [
        field('Entry point', entry),
        ...axes.map((axis, i) =>
          field(`Workgroups in ${axis}`, text(`grid ${axis}`, String(pass?.grid[i] ?? 1))),
        ),
      ]),
      hint('Workgroups and parameters can be expressions of the sizes, for example (N + 15) / 16.'),
      group(
        'Tensors',
        bindings.map(({ name, wgslType }) => {
          const like = pass?.bind[name] ?? (tensors.some(([tensor]) => tensor === name) ? name : '');
          const options: [string, string][] = [['', '—'], ...tensors];
          return field(`${name}: ${wgslType}`, control(`bind ${name}`, select(options, ''), like));
        }),
      ),
      group(
        'Parameters',
        (found?.params ?? []).map(({ name, type }) =>
          field(`${name}: ${type}`, text(`param ${name}`, String(pass?.params[name] ?? ''))),
        ),
      ),
      group(
        'Overrides',
        [...(found?.overrides ?? [])].map((name) =>
          field(name, text(`override ${name}`, String(pass?.constants[name] ?? ''))),
        ),
      ),
    );
  };

  return {
    element,
    show,
    get given() {
      return Object.fromEntries(given);
    },
    reset(next = {}) {
      given.clear();
      for (const [key, value] of Object.entries(next)) given.set(key, value);
    },
    suggestGrid(x) {
      for (const axis of axes) given.set(`grid ${axis}`, axis === 'x' ? x : '1');
    },
    read(sizes) {
      const values = (kind: string) =>
        [...shown]
          .filter(([key]) => key.startsWith(`${kind} `))
          .map(([key, { value }]) => [key.slice(kind.length + 1), value] as const);
      const numbers = (kind: string, optional = false) =>
        Object.fromEntries(
          values(kind)
            .filter(([, value]) => !optional || value.trim() !== '')
            .map(([name, value]) => [name, numberIn(value, `${kind} ${name}`, sizes)]),
        );
      const grid = numbers('grid');
      return {
        entry: shown.get('entry')?.value ?? '',
        grid: axes.map((axis) => grid[axis] ?? 1),
        bind: Object.fromEntries(values('bind').filter(([, tensor]) => tensor !== '')),
        params: numbers('param'),
        constants: numbers('override', true),
      };
    },
  };
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
