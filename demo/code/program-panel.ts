// Panel of the program: the choice of an example, its editor, and the buttons that run and stop it.

import { examples } from 'virtual:heddle-examples';
import { CodeEditor, type LineMessage } from '../common/code-editor.ts';
import { copyAddress } from '../common/copy-address.ts';
import { field, options } from '../common/form-fields.ts';
import { formatDuration } from '../common/format.ts';
import { packText, unpackText } from '../common/packed-text.ts';
import { say, translated } from '../common/page-texts.ts';
import { type Content, html, Panel } from '../common/panel.ts';
import { hint } from '../common/tables.ts';
import { termList } from '../common/terms.ts';
import type { ProgramOutput } from './program-output.ts';
import { type ProgramEvent, type RunningProgram, runProgram } from './program-runner.ts';

type Example = (typeof examples)[number];

/** The field of the address that has a program, and the id of such a program. */
const linkKey = 'program';

/** Key of the visitor's version of an example in localStorage. */
const draftKey = (id: string): string => `heddle-code-${id}`;

/** Milliseconds after which an edit is stored. */
const draftDelay = 500;

/** The panel. */
export class ProgramPanel extends Panel {
  readonly #output: ProgramOutput;
  readonly #editor = new CodeEditor(say`Program`, {
    onInput: () => this.#edit(),
    onRun: () => this.#run(),
  });
  #example = exampleOf(location.hash);
  #program: RunningProgram | undefined;
  /** Whether Stop can be pressed: a program may go on after its last line, for example with a timer. */
  #canStop = false;
  #started = 0;
  /** Whether the program that is shown has run. */
  #hasRun = false;
  #messages: readonly LineMessage[] = [];
  #status = '';
  #isWrong = false;
  #saving: ReturnType<typeof setTimeout> | undefined;

  constructor(output: ProgramOutput) {
    super();
    this.#output = output;
    this.#open();
  }

  /** Shows the example or the program of the address. */
  showLinked(): void {
    clearTimeout(this.#saving);
    this.save(); // else an edit of the last half second is lost
    this.#open();
  }

  #open(): void {
    const packed = new RegExp(`^#${linkKey}=(.+)$`).exec(location.hash)?.[1];
    if (packed === undefined) this.#show(exampleOf(location.hash));
    else void this.#showProgram(packed);
  }

  /** Shows the program of a link. It runs only if the visitor runs it. */
  async #showProgram(packed: string): Promise<void> {
    const code = await unpackText(packed).catch(() => undefined);
    if (code === undefined) {
      this.#show(exampleOf(''));
      this.#say(say`The program in the address cannot be read: the link is incomplete.`, true);
      return;
    }
    const text = say`Somebody sent you this program. Read it, then run it: it has no access to this site, its storage and the network.`;
    this.#show({ id: linkKey, title: say`The program of the link`, text, code });
  }

  /** Puts the program into the address and copies it. */
  async #share(): Promise<void> {
    history.replaceState(null, '', `#${linkKey}=${await packText(this.#editor.text)}`);
    this.#say(
      (await copyAddress())
        ? say`The link is copied: it has the program in it.`
        : say`The link is in the address bar: copy it from there.`,
    );
  }

  /** Stores the visitor's version of the example. */
  save(): void {
    writeDraft(this.#example, this.#editor.text);
  }

  #show(example: Example): void {
    this.#example = example;
    this.#status = '';
    this.#hasRun = false;
    this.draw();
    void this.#showRecorded(example);
    this.#editor.text = readDraft(example) ?? example.code;
    this.#showMessages([]);
  }

  /** Shows what the example prints, until the visitor runs it. */
  async #showRecorded({ id }: Example): Promise<void> {
    this.#output.showRecorded('');
    const { default: outputs } = await import('./recorded-outputs.json');
    if (this.#example.id === id && !this.#hasRun)
      this.#output.showRecorded((outputs as Readonly<Record<string, string>>)[id] ?? '');
  }

  #showMessages(messages: readonly LineMessage[]): void {
    this.#messages = messages;
    this.#editor.showMessages(messages);
    this.draw();
  }

  #say(text: string, isWrong = false): void {
    this.#status = text;
    this.#isWrong = isWrong;
    this.draw();
  }

  #edit(): void {
    clearTimeout(this.#saving);
    this.#saving = setTimeout(() => this.save(), draftDelay);
    this.draw();
  }

  #select(event: Event): void {
    history.replaceState(null, '', `#${(event.target as HTMLSelectElement).value}`);
    this.showLinked();
  }

  #reset(): void {
    this.#editor.text = this.#example.code;
    this.#edit();
    this.#showMessages([]);
  }

  #run(): void {
    this.#program?.stop();
    this.save(); // an endless loop blocks the page in some browsers
    this.#started = performance.now();
    this.#showMessages([]);
    this.#output.clear();
    this.#canStop = this.#hasRun = true;
    this.#say(say`Running …`);
    this.#program = runProgram(this.#editor.text, loadModelFile, (event) => this.#onEvent(event));
  }

  #stop(): void {
    this.#program?.stop();
    this.#program = undefined;
    this.#canStop = false;
    this.#say(say`Stopped after ${this.#elapsed()}.`);
  }

  #elapsed(): string {
    return formatDuration((performance.now() - this.#started) / 1000);
  }

  #onEvent(event: ProgramEvent): void {
    if (event.type === 'print') this.#output.print(event.level, event.text);
    else if (event.type === 'file') this.#output.addFile(event.path, event.bytes);
    else if (event.type === 'error') {
      const { line, text } = event;
      this.#output.print('error', line > 0 ? say`${text} (line ${line})` : text);
      const short = text.length > 500 ? `${text.slice(0, 500)}…` : text; // the output has all of it
      this.#showMessages([...this.#messages, { line, text: short, kind: 'error' }]);
    } else if (this.#messages.length > 0) this.#say(say`Failed after ${this.#elapsed()}.`, true);
    else this.#say(say`Finished in ${this.#elapsed()}.`);
  }

  protected override template(): Content {
    const { id, text, code } = this.#example;
    const all = id === linkKey ? [this.#example, ...examples] : examples;
    const list = options(
      all.map((example) => [example.id, translated(example.title)] as const),
      id,
    );
    return html`
      ${field('example', say`Example`, html`<select id="example" @change=${this.#select}>${list}</select>`)}
      ${hint(translated(text))}
      ${this.#editor.element}
      <div class="row">
        <button type="button" class="main" @click=${this.#run}>Run</button>
        <button type="button" ?disabled=${!this.#canStop} @click=${this.#stop}>Stop</button>
        <button type="button" ?disabled=${this.#editor.text === code} @click=${this.#reset}>
          Reset the example
        </button>
        <button type="button" class="push" id="share-program" @click=${() => void this.#share()}>Copy a link</button>
      </div>
      <p class=${this.#isWrong ? 'status wrong' : 'status'} role="status">${this.#status}</p>
      <p class="hint">
        Ctrl+Enter runs the program. It runs in a sandboxed frame, without access to this site, its storage and
        the network. Saved files appear below the output.
      </p>
      ${termList('code', ['loss', 'dev', 'BLEU', 'chrF'])}`;
  }
}

function exampleOf(hash: string): Example {
  return (examples.find(({ id }) => `#${id}` === hash) ?? examples[0]) as Example;
}

/** Loads the model that programs see as `file`: one that ships with the page. */
async function loadModelFile(): Promise<File> {
  const { generalModel } = await import('../train/page/demo-models.ts');
  const { url } = generalModel;
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(
      say`The model en-es of the page did not load: the server answered ${response.status}. Reload the page.`,
    );
  return new File([await response.blob()], 'en-es.safetensors');
}

function readDraft({ id }: Example): string | undefined {
  if (id === linkKey) return undefined;
  try {
    return localStorage.getItem(draftKey(id)) ?? undefined;
  } catch {
    return undefined; // localStorage is blocked
  }
}

/** Stores the visitor's version of an example, unless it is unchanged. */
function writeDraft({ id, code }: Example, text: string): void {
  if (id === linkKey) return; // the link keeps it
  try {
    if (text === code) localStorage.removeItem(draftKey(id));
    else localStorage.setItem(draftKey(id), text);
  } catch {
    // localStorage is blocked: the text is lost with the page
  }
}
