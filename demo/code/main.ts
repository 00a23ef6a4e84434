// The page Code: examples of the library, to edit and run.

import { examples } from 'virtual:heddle-examples';
import { formatBytes, formatDuration } from '../../src/core/format-numbers.ts';
import { createCodeEditor, type LineMessage } from '../common/code-editor.ts';
import { byId, el, fill, hint, onFrame, set, setText, stack } from '../common/dom.ts';
import { field, select } from '../common/form-controls.ts';
import { mountHeader } from '../common/page-header.ts';
import { download } from '../common/save-blob.ts';
import { findProblem, problemPage } from '../common/webgpu-support.ts';
import { type ProgramEvent, type RunningProgram, runProgram } from './program-runner.ts';

type Example = (typeof examples)[number];

/** Key of the visitor's version of an example in localStorage. */
const draftKey = (id: string): string => `heddle-code-${id}`;

/** Milliseconds after which an edit is stored. */
const draftDelay = 500;

mountHeader('code');
const problem = await findProblem();
if (problem) fill(byId('webgpu-problem'), problemPage(problem, { recordedRun: true }));
mountPage();

function mountPage(): void {
  let example = exampleOf(location.hash);
  let program: RunningProgram | undefined;
  let started = 0;
  let messages: LineMessage[] = [];
  let saving: ReturnType<typeof setTimeout> | undefined;

  const choice = select(
    examples.map(({ id, title }) => [id, title]),
    example.id,
  );
  const about = hint();
  const editor = createCodeEditor('Program', { onInput: () => changed(), onRun: () => run() });
  const runButton = el('button', { type: 'button', class: 'main', onclick: () => run() }, 'Run');
  const stopButton = el('button', { type: 'button', disabled: true, onclick: () => stop() }, 'Stop');
  const resetButton = el('button', { type: 'button', onclick: () => reset() }, 'Reset the example');
  const status = el('p', { class: 'status', role: 'status' });
  const output = createOutput();
  const saved = el('ul', { class: 'saved', 'aria-label': 'Files of the program' });

  const changed = () => {
    clearTimeout(saving);
    saving = setTimeout(() => writeDraft(example, editor.text), draftDelay);
    resetButton.disabled = editor.text === example.code;
  };
  const show = (next: Example) => {
    example = next;
    choice.value = next.id;
    setText(about, next.text);
    editor.text = readDraft(next) ?? next.code;
    resetButton.disabled = editor.text === next.code;
    showMessages([]);
  };
  const reset = () => {
    editor.text = example.code;
    changed();
    showMessages([]);
  };
  const showMessages = (list: LineMessage[]) => {
    messages = list;
    editor.showMessages(messages);
  };
  const finish = (text: string, bad = false) => {
    status.classList.toggle('wrong', bad);
    setText(status, text);
  };
  const stop = () => {
    program?.stop();
    program = undefined;
    stopButton.disabled = true;
    finish(`Stopped after ${elapsed()}.`);
  };
  const elapsed = () => formatDuration((performance.now() - started) / 1000);
  const run = () => {
    program?.stop();
    writeDraft(example, editor.text); // an endless loop blocks the page in some browsers
    started = performance.now();
    showMessages([]);
    output.clear();
    fill(saved);
    status.classList.remove('wrong');
    setText(status, 'Running …');
    stopButton.disabled = false;
    program = runProgram(editor.text, loadModelFile, onEvent);
  };
  const onEvent = (event: ProgramEvent) => {
    if (event.type === 'print') output.print(event.level, event.text);
    else if (event.type === 'file') saved.append(fileLine(event.path, event.bytes));
    else if (event.type === 'error') {
      const where = event.line > 0 ? ` (line ${event.line})` : '';
      output.print('error', `${event.text}${where}`);
      showMessages([...messages, { line: event.line, text: event.text, kind: 'error' }]);
    } else
      finish(
        messages.length > 0 ? `Failed after ${elapsed()}.` : `Finished in ${elapsed()}.`,
        messages.length > 0,
      );
  };

  choice.addEventListener('change', () => {
    history.replaceState(null, '', `#${choice.value}`);
    show(exampleOf(location.hash));
  });
  window.addEventListener('hashchange', () => show(exampleOf(location.hash)));
  window.addEventListener('pagehide', () => writeDraft(example, editor.text));
  fill(
    byId('program-box'),
    stack(
      field('Example', choice),
      about,
      editor.element,
      el('div', { class: 'row' }, runButton, stopButton, resetButton),
      status,
      hint(
        'Ctrl+Enter runs the program. It runs in a sandboxed frame, without access to this site, its storage and the network. Saved files appear below the output.',
      ),
    ),
  );
  fill(byId('output-box'), stack(output.element, saved));
  show(example);
  set(byId('code-page'), { hidden: false });
}

function exampleOf(hash: string): Example {
  return (examples.find(({ id }) => `#${id}` === hash) ?? examples[0]) as Example;
}

/**
 * Creates the output. Lines are added once per frame, since a program may print faster than a page can draw.
 */
function createOutput() {
  const element = el('pre', {
    class: 'output',
    tabindex: 0,
    role: 'log',
    'aria-label': 'Output of the program',
  });
  let pending: HTMLElement[] = [];
  const draw = onFrame(() => {
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 4;
    element.append(...pending);
    pending = [];
    if (atEnd) element.scrollTop = element.scrollHeight;
  });
  return {
    element,
    print(level: string, text: string) {
      pending.push(el('span', { class: level }, `${text}\n`));
      draw();
    },
    clear() {
      pending = [];
      fill(element);
    },
  };
}

function fileLine(path: string, bytes: Uint8Array<ArrayBuffer>): HTMLElement {
  const name = path.split('/').at(-1) ?? path;
  const save = () => download(new Blob([bytes]), name);
  return el(
    'li',
    {},
    el('button', { type: 'button', class: 'link', onclick: save }, path),
    ` ${formatBytes(bytes.byteLength)}`,
  );
}

/** Loads the model that programs see as `file`: one that ships with the page. */
async function loadModelFile(): Promise<File> {
  const { demoModels } = await import('../train/page/demo-models.ts');
  const url = demoModels[0]?.url ?? '';
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(
      `The model en-es of the page did not load: the server answered ${response.status}. Reload the page.`,
    );
  return new File([await response.blob()], 'en-es.safetensors');
}

function readDraft({ id }: Example): string | undefined {
  try {
    return localStorage.getItem(draftKey(id)) ?? undefined;
  } catch {
    return undefined; // localStorage is blocked
  }
}

/** Stores the visitor's version of an example, unless it is unchanged. */
function writeDraft({ id, code }: Example, text: string): void {
  try {
    if (text === code) localStorage.removeItem(draftKey(id));
    else localStorage.setItem(draftKey(id), text);
  } catch {
    // localStorage is blocked: the text is lost with the page
  }
}
