// The kernel editor: shows the WGSL of every variant of a kernel at any size. The visitor can edit it or
// write another kernel, which is compiled, checked against the float64 reference and timed next to heddle's.

import type { KernelSpec } from '../../src/bench/kernel-case.ts';
import type { OwnKernel, ShownKernel, ShownPass, TriedKernel } from '../../src/bench/own-kernel.ts';
import type { Roofs } from '../../src/engine/index.ts';
import { messageOf } from '../../src/entries/host.ts';
import { CodeEditor, type LineMessage } from '../common/code-editor.ts';
import { field, options } from '../common/form-fields.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, Panel } from '../common/panel.ts';
import { type KernelDraft, readKernelDraft, writeKernelDraft } from './editor-draft.ts';
import { KernelForm } from './kernel-form.ts';
import { describeTensor, gridOf, kernelTemplate, verdict } from './kernel-texts.ts';
import { LaunchForm } from './launch-form.ts';
import { attemptName } from './variant-name.ts';

/** Callbacks of the editor. */
export interface EditorHost {
  /** The dispatches of a kernel. Rejects with an error to show. */
  show(spec: KernelSpec): Promise<ShownKernel>;
  /** Checks and times a kernel. Rejects with an error to show. */
  run(spec: KernelSpec, own: OwnKernel): Promise<{ tried: TriedKernel; roofs: Roofs }>;
  /** Stops `run`, which rejects with an AbortError. */
  stop(): void;
}

/** Value of the option that replaces all dispatches of a variant. */
const whole = '-1';

/** The editor. */
export class KernelEditor extends Panel {
  readonly #host: EditorHost;
  readonly #form = new KernelForm(() => void this.#load());
  readonly #launch = new LaunchForm(() => this.#save());
  readonly #editor = new CodeEditor(say`WGSL of the kernel`, {
    onInput: () => this.#edit(),
    onRun: () => void this.#run(),
  });
  /** The kernel of heddle that the form selects. */
  #shown: ShownKernel | undefined;
  /** Names of the selected variant and dispatch. */
  #variant = '';
  #pass = '0';
  /** Whether the text is the visitor's. */
  #isEdited = false;
  /** The visitor's last kernel, and the number of its runs. */
  #draft = readKernelDraft();
  #attempts = this.#draft?.attempts ?? 0;
  /** Counts requests of kernels, to discard the answer of an earlier one. */
  #requests = 0;
  #isEnabled = true;
  #isRunning = false;
  #status = '';
  #isWrong = false;

  constructor(host: EditorHost) {
    super();
    this.#host = host;
    this.draw();
  }

  /** Whether no kernel was opened yet. */
  get isEmpty(): boolean {
    return this.#requests === 0;
  }

  /** Shows the visitor's kernel of an earlier visit, or else `spec`. */
  async start(spec: KernelSpec): Promise<void> {
    if (this.#draft?.shown) await this.#showDraft(this.#draft);
    else {
      this.#form.write(spec);
      await this.#load();
    }
  }

  /** Shows a kernel of heddle; the visitor's kernel stays stored. */
  async open(spec: KernelSpec, variant?: string): Promise<void> {
    this.#isEdited = false;
    this.#form.write(spec);
    await this.#load(variant);
  }

  /** Sets whether a kernel can be run: not during a measurement. */
  setEnabled(enabled: boolean): void {
    this.#isEnabled = enabled;
    this.draw();
  }

  get #selected(): ShownKernel['variants'][number] | undefined {
    const variants = this.#shown?.variants;
    return variants?.find(({ name }) => name === this.#variant) ?? variants?.[0];
  }

  get #shownPass(): ShownPass | undefined {
    return this.#selected?.passes[Number(this.#pass)];
  }

  #say(text: string, isWrong = false): void {
    this.#status = text;
    this.#isWrong = isWrong;
    this.draw();
  }

  #showLaunch(): void {
    if (this.#shown)
      this.#launch.show(this.#editor.text, this.#shown, this.#selected?.name ?? '', this.#shownPass);
  }

  /** Stores the visitor's kernel; heddle's WGSL in the editor is not stored. */
  #save(): void {
    const spec = this.#form.read() ?? this.#draft?.spec;
    if (this.#isEdited && this.#shown && spec)
      this.#draft = {
        spec,
        variant: this.#variant,
        pass: this.#pass,
        source: this.#editor.text,
        launch: this.#launch.given,
        attempts: this.#attempts,
        shown: true,
      };
    else if (this.#draft) this.#draft = { ...this.#draft, shown: false };
    if (this.#draft) writeKernelDraft(this.#draft);
    this.draw();
  }

  #edit(): void {
    this.#isEdited = true;
    this.#showLaunch();
    this.#save();
  }

  async #showDraft({ spec, variant, pass, source, launch }: KernelDraft): Promise<void> {
    this.#isEdited = false;
    this.#form.write(spec);
    await this.#load(variant);
    if (!this.#shown) return;
    this.#pass = pass;
    this.#launch.reset(launch);
    this.#setText(source, true);
    this.#say('');
  }

  #reset(): void {
    this.#launch.reset();
    const source = this.#shownPass?.source ?? (this.#shown ? kernelTemplate(this.#shown.tensors) : '');
    this.#setText(source, false);
    this.#say('');
  }

  #startOwn(): void {
    if (!this.#shown) return;
    const { tensors } = this.#shown;
    this.#pass = (this.#selected?.passes.length ?? 0) > 1 ? whole : '0';
    this.#launch.reset();
    this.#launch.suggestGrid(gridOf(tensors));
    this.#setText(kernelTemplate(tensors), true);
    this.#say(say`Write the kernel. Its results are compared with the float64 reference of the op.`);
  }

  /** Shows another text, of the visitor or of heddle. */
  #setText(source: string, isEdited: boolean): void {
    this.#isEdited = isEdited;
    this.#editor.text = source;
    this.#editor.showMessages([]);
    this.#showLaunch();
    this.#save();
  }

  #selectVariant(event: Event): void {
    this.#variant = (event.target as HTMLSelectElement).value;
    this.#pass = '0';
    this.#reset();
  }

  #selectPass(event: Event): void {
    this.#pass = (event.target as HTMLSelectElement).value;
    if (!this.#isEdited) this.#reset();
    else {
      this.#showLaunch();
      this.#save();
    }
  }

  /** Shows the kernel of the form; text that the visitor has edited stays. */
  async #load(wanted = this.#variant): Promise<void> {
    const spec = this.#form.read();
    if (!spec) return;
    const request = ++this.#requests;
    try {
      const found = await this.#host.show(spec);
      if (request !== this.#requests) return; // another kernel was selected meanwhile
      this.#shown = found;
    } catch (error) {
      if (request !== this.#requests) return;
      if (isAbort(error)) return this.#load(wanted); // Stop ended the worker that was asked
      this.#shown = undefined;
      this.#say(messageOf(error), true);
      return;
    }
    const { variants } = this.#shown;
    const isThere = variants.some(({ name }) => name === wanted);
    this.#variant = isThere ? wanted : (variants[0]?.name ?? '');
    this.#pass = '0';
    if (!this.#isEdited) this.#reset();
    else {
      this.#showLaunch();
      this.#save();
    }
  }

  async #run(): Promise<void> {
    const spec = this.#form.read();
    const selected = this.#selected;
    if (!spec || !selected || this.#isRunning || !this.#isEnabled) return;
    this.#isRunning = true;
    this.#say(say`Compiling, checking and timing …`);
    try {
      const own: OwnKernel = {
        ...this.#launch.read(numbersOf(spec)),
        label: this.#isEdited ? attemptName(this.#attempts + 1) : selected.name,
        variant: selected.name,
        pass: Number(this.#pass),
        source: this.#editor.text,
      };
      const { tried, roofs } = await this.#host.run(spec, own);
      this.#showResult(own, tried, roofs);
    } catch (error) {
      this.#say(messageOf(error), !isAbort(error));
    } finally {
      this.#isRunning = false;
      this.draw();
    }
  }

  #showResult(own: OwnKernel, tried: TriedKernel, roofs: Roofs): void {
    this.#editor.showMessages(tried.messages.map(lineMessage));
    const { result } = tried;
    const mine = result?.variants.find(({ variant }) => variant === own.label);
    if (!result || !mine) {
      this.#say(say`It does not compile.`, true);
      return;
    }
    if (this.#isEdited) this.#attempts++;
    this.#save();
    this.#say(verdict(result, mine, roofs, tried), !mine.passed);
  }

  protected override template(): Content {
    const shown = this.#shown;
    const cannotEdit = this.#isRunning || !shown;
    const tensors = shown ? `${shown.name}: ${shown.tensors.map(describeTensor).join(', ')}.` : '';
    const back = () => void (this.#draft && this.#showDraft(this.#draft));
    return html`
      ${this.#form.element}
      <div class="pairs">${this.#lists()}</div>
      <p class="hint tensors">${tensors}</p>
      ${this.#editor.element} ${this.#launch.element}
      <div class="row">
        <button
          type="button"
          class="main"
          ?disabled=${cannotEdit || !this.#isEnabled}
          @click=${this.#run}
        >Check and time</button>
        <button type="button" ?hidden=${!this.#isRunning} @click=${() => this.#host.stop()}>Stop</button>
        <button type="button" ?disabled=${cannotEdit} @click=${this.#reset}>Reset to heddle’s</button>
        <button type="button" ?disabled=${cannotEdit} @click=${this.#startOwn}>Write your own kernel</button>
        <button
          type="button"
          ?disabled=${this.#isRunning}
          ?hidden=${this.#isEdited || !this.#draft}
          @click=${back}
        >Back to your kernel</button>
      </div>
      <p class=${this.#isWrong ? 'status wrong' : 'status'} role="status">${this.#status}</p>`;
  }

  /** The lists of variants and dispatches. */
  #lists(): Content {
    const variants = (this.#shown?.variants ?? []).map(
      ({ name }) => [name, name === 'only' ? say`single variant` : name] as const,
    );
    const list = this.#selected?.passes ?? [];
    const passes = list.map(({ entry, shader }, i): readonly [string, string] => {
      const name = `${shader}.wgsl, ${entry}`;
      return [String(i), list.length === 1 ? name : say`${i + 1} of ${list.length}: ${name}`];
    });
    const all = list.length > 1 ? [...passes, [whole, say`replace all dispatches by one`] as const] : passes;
    return html`
      ${field(
        'editor-variant',
        say`Variant`,
        html`<select id="editor-variant" @change=${this.#selectVariant}>${options(
          variants,
          this.#variant,
        )}</select>`,
      )}
      ${field(
        'editor-dispatch',
        say`Dispatch`,
        html`<select id="editor-dispatch" ?disabled=${all.length < 2} @change=${this.#selectPass}>${options(
          all,
          this.#pass,
        )}</select>`,
      )}`;
  }
}

const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';

const lineMessage = ({ line, text, type }: TriedKernel['messages'][number]): LineMessage => ({
  line,
  text,
  kind: type,
});

/** The sizes of a kernel, which expressions of its launch may use. */
const numbersOf = ({ values = {} }: KernelSpec): ReadonlyMap<string, number> =>
  new Map(Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
