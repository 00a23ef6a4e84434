// The kernel editor: shows the WGSL of every variant of a kernel at any size. The visitor can edit it or
// write another kernel, which is compiled, checked against the float64 reference and timed next to heddle's.

import { referenceNote } from '../../src/bench/bench-file.ts';
import type { KernelResult, VariantResult } from '../../src/bench/check-kernel.ts';
import type { KernelSpec } from '../../src/bench/kernel-case.ts';
import type { OwnKernel, ShownKernel, ShownTensor, TriedKernel } from '../../src/bench/own-kernel.ts';
import { shareOfRoof } from '../../src/bench/roofline-model.ts';
import { formatNumber, formatPercent } from '../../src/core/format-numbers.ts';
import { type Roofs, sizeOf } from '../../src/engine/index.ts';
import { createCodeEditor, type LineMessage } from '../common/code-editor.ts';
import { el, fill, set, setText, stack } from '../common/dom.ts';
import { field, select } from '../common/form-controls.ts';
import { readKernelDraft, writeKernelDraft } from './editor-draft.ts';
import { createKernelForm } from './kernel-form.ts';
import { createLaunchForm } from './launch-form.ts';
import { errorText, relativeSpread, time } from './measurement-text.ts';

/** Callbacks of the editor. */
export interface EditorHost {
  /** The dispatches of a kernel. Rejects with an error to show. */
  show(spec: KernelSpec): Promise<ShownKernel>;
  /** Checks and times a kernel. Rejects with an error to show. */
  run(spec: KernelSpec, own: OwnKernel): Promise<{ tried: TriedKernel; roofs: Roofs }>;
}

/** The editor. */
export interface KernelEditor {
  readonly element: HTMLElement;
  /** Shows the visitor's kernel of an earlier visit, or else `spec`. */
  start(spec: KernelSpec): Promise<void>;
  /** Shows a kernel of heddle; the visitor's kernel stays stored. */
  open(spec: KernelSpec, variant?: string): Promise<void>;
  /** Whether no kernel was opened yet. */
  isEmpty(): boolean;
  /** Sets whether a kernel can be run: not during a measurement. */
  setEnabled(enabled: boolean): void;
}

/** Value of the option that replaces all dispatches of a variant. */
const whole = '-1';

/** Creates the editor. */
export function createKernelEditor(host: EditorHost): KernelEditor {
  let shown: ShownKernel | undefined;
  let edited = false;
  /** The visitor's last kernel. */
  let draft = readKernelDraft();
  let attempt = draft?.attempts ?? 0;
  let requests = 0;
  let enabled = true;
  let running = false;
  const form = createKernelForm(() => void load());
  const variants = select([], '');
  const passes = select([], '');
  const launch = createLaunchForm(() => save());
  const tensors = el('p', { class: 'hint tensors' });
  const editor = createCodeEditor('WGSL of the kernel', {
    onInput() {
      edited = true;
      showLaunch();
      save();
    },
    onRun: () => void run(),
  });
  const status = el('p', { class: 'status', role: 'status' });
  const runButton = el(
    'button',
    { type: 'button', class: 'main', onclick: () => void run() },
    'Check and time',
  );
  const resetButton = el('button', { type: 'button', onclick: () => reset() }, 'Reset to heddle’s');
  const newButton = el('button', { type: 'button', onclick: () => startOwn() }, 'Write your own kernel');
  const backButton = el('button', { type: 'button', onclick: () => void showDraft() }, 'Back to your kernel');

  const variant = () => shown?.variants.find(({ name }) => name === variants.value) ?? shown?.variants[0];
  const pass = () => variant()?.passes[Number(passes.value)];
  const showLaunch = () => {
    if (shown) launch.show(editor.text, shown, variant()?.name ?? '', pass());
  };
  const showPasses = () => {
    const list = variant()?.passes ?? [];
    const options = list.map(({ entry, shader }, i): [string, string] => [
      String(i),
      list.length === 1 ? `${shader}.wgsl, ${entry}` : `${i + 1} of ${list.length}: ${shader}.wgsl, ${entry}`,
    ]);
    if (list.length > 1) options.push([whole, 'replace all dispatches by one']);
    fill(passes, ...options.map(([value, name]) => el('option', { value }, name)));
    set(passes, { disabled: options.length < 2 });
  };
  /** Stores the visitor's kernel; heddle's WGSL in the editor is not stored. */
  const save = () => {
    const spec = form.read() ?? draft?.spec;
    if (edited && shown && spec)
      draft = {
        spec,
        variant: variants.value,
        pass: passes.value,
        source: editor.text,
        launch: launch.given,
        attempts: attempt,
        shown: true,
      };
    else if (draft) draft = { ...draft, shown: false };
    if (draft) writeKernelDraft(draft);
    enable();
  };
  const showDraft = async () => {
    if (!draft) return;
    const { spec, variant: variantName, pass: number, source, launch: fields } = draft;
    edited = false;
    form.write(spec);
    await load(variantName);
    if (!shown) return;
    passes.value = number;
    edited = true;
    launch.reset(fields);
    editor.text = source;
    editor.showMessages([]);
    say('');
    showLaunch();
    save();
  };
  const reset = () => {
    edited = false;
    save();
    launch.reset();
    editor.text = pass()?.source ?? (shown ? template(shown.tensors) : '');
    editor.showMessages([]);
    setText(status, '');
    showLaunch();
  };
  const startOwn = () => {
    if (!shown) return;
    passes.value = passes.options.length > 1 ? whole : '0';
    launch.reset();
    edited = true;
    editor.text = template(shown.tensors);
    editor.showMessages([]);
    setText(status, 'Write the kernel. Its results are compared with the float64 reference of the op.');
    launch.element.setAttribute('open', '');
    launch.suggestGrid(gridOf(shown.tensors));
    showLaunch();
    save();
  };
  const say = (text: string, bad = false) => {
    status.classList.toggle('wrong', bad);
    setText(status, text);
  };

  /** Shows the kernel of the form; text that the visitor has edited stays. */
  const load = async (wanted?: string): Promise<void> => {
    const spec = form.read();
    if (!spec) return;
    const request = ++requests;
    try {
      const found = await host.show(spec);
      if (request !== requests) return; // another kernel was selected meanwhile
      shown = found;
    } catch (error) {
      if (request !== requests) return;
      shown = undefined;
      say(messageOf(error), true);
      fill(variants);
      fill(passes);
      return;
    } finally {
      enable();
    }
    const kept = wanted ?? variants.value;
    fill(
      variants,
      ...shown.variants.map(({ name }) =>
        el('option', { value: name }, name === 'only' ? 'single variant' : name),
      ),
    );
    variants.value = shown.variants.some(({ name }) => name === kept)
      ? kept
      : (shown.variants[0]?.name ?? '');
    showPasses();
    setText(tensors, `${shown.name}: ${shown.tensors.map(describe).join(', ')}.`);
    if (edited) {
      showLaunch();
      save();
    } else reset();
  };

  const run = async (): Promise<void> => {
    const spec = form.read();
    const selected = variant();
    if (!spec || !shown || !selected || running || !enabled) return;
    running = true;
    enable();
    say('Compiling, checking and timing …');
    try {
      const sizes = new Map(
        Object.entries(spec.values ?? {}).filter(
          (entry): entry is [string, number] => typeof entry[1] === 'number',
        ),
      );
      const own: OwnKernel = {
        ...launch.read(sizes),
        label: edited ? `yours ${attempt + 1}` : selected.name,
        variant: selected.name,
        pass: Number(passes.value),
        source: editor.text,
      };
      const { tried, roofs } = await host.run(spec, own);
      editor.showMessages(tried.messages.map(lineMessage));
      const { result } = tried;
      const mine = result?.variants.find(({ variant: name }) => name === own.label);
      if (!result || !mine) say('It does not compile.', true);
      else {
        if (edited) attempt++;
        save();
        say(verdict(result, mine, roofs, tried), !mine.passed);
      }
    } catch (error) {
      say(messageOf(error), true);
    } finally {
      running = false;
      enable();
    }
  };
  const enable = () => {
    runButton.disabled = running || !enabled || !shown;
    resetButton.disabled = running || !shown;
    newButton.disabled = running || !shown;
    backButton.disabled = running;
    backButton.hidden = edited || !draft;
  };

  variants.addEventListener('change', () => {
    showPasses();
    reset();
  });
  passes.addEventListener('change', () => {
    if (!edited) return reset();
    showLaunch();
    save();
  });
  enable();
  return {
    element: stack(
      form.element,
      el('div', { class: 'pairs' }, field('Variant', variants), field('Dispatch', passes)),
      tensors,
      editor.element,
      launch.element,
      el('div', { class: 'row' }, runButton, resetButton, newButton, backButton),
      status,
    ),
    async start(spec) {
      if (draft?.shown) return showDraft();
      form.write(spec);
      await load();
    },
    async open(spec, wanted) {
      edited = false;
      form.write(spec);
      await load(wanted);
    },
    isEmpty: () => requests === 0,
    setEnabled(value) {
      enabled = value;
      enable();
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const lineMessage = ({ line, text, type }: TriedKernel['messages'][number]): LineMessage => ({
  line,
  text,
  kind: type,
});

const describe = ({ name, dtype, shape, role }: ShownTensor): string =>
  `${role === 'input' ? '' : `${role} `}${name} ${dtype} [${shape.join(',')}]`;

/** The result of a run in one or two sentences. */
function verdict(result: KernelResult, mine: VariantResult, roofs: Roofs, { worst }: TriedKernel): string {
  if (!mine.passed) {
    const at =
      worst &&
      `; the worst is ${worst.tensor}[${worst.index}] = ${formatNumber(worst.got)} instead of ${formatNumber(worst.want)}`;
    return mine.failure ?? `Wrong: the largest error is ${errorText(mine.error)}${at ?? ''}.`;
  }
  const { ms = Number.NaN, low = ms, high = ms } = mine;
  const share = formatPercent(shareOfRoof(result, mine, roofs));
  const ours = result.variants.find((v) => v !== mine && v.passed && !v.variant.startsWith('yours'));
  const beside = ours?.ms
    ? ` heddle’s kernel (${ours.variant}) takes ${time(ours.ms)}; yours takes ${formatNumber(ms / ours.ms)} × as long.`
    : '';
  const reference = referenceNote(result);
  return `Correct: the largest error is ${errorText(mine.error)}. ${time(ms)} ${relativeSpread({ ms, low, high })}, ${share} of the roofline.${beside}${reference && ` ${reference}`}`;
}

/** Number of workgroups of 64 threads, with one thread per element of the first output. */
const gridOf = (tensors: readonly ShownTensor[]): string => {
  const written = tensors.find(({ role }) => role !== 'input');
  return `${Math.ceil(sizeOf(written?.shape ?? [1]) / 64)}`;
};

/** WGSL of a new kernel: bindings of all tensors, one thread per element of the first output. */
function template(tensors: readonly ShownTensor[]): string {
  const written = tensors.find(({ role }) => role !== 'input')?.name ?? 'y';
  const bindings = tensors.map(({ name, dtype, role, shape }, i) => {
    const access = role === 'input' ? 'read' : 'read_write';
    const type = dtype === 'f16' ? 'f32' : dtype;
    return `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${type}>; // [${shape.join(', ')}]`;
  });
  return `${bindings.join('\n')}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= arrayLength(&${written})) { return; }
  ${written}[i] = 0;
}
`;
}
