// The page of the chapters: loads a model, inspects a sentence, and shows the chapter of the address.

import type { Inspection } from '../../src/index.ts';
import { byId, el, fill, hint, refill, set, setText } from '../common/dom.ts';
import { field, select } from '../common/form-controls.ts';
import { mountHeader } from '../common/page-header.ts';
import { findProblem, problemPage } from '../common/webgpu-support.ts';
import { type DemoModel, demoModels, learnedPositionsModel } from '../train/page/demo-models.ts';
import { createSession } from '../train/page/training-session.ts';
import type { Chapter, ChapterHost } from './chapter.ts';
import { chapters } from './chapters.ts';

mountHeader('learn');
const menu = byId<HTMLDetailsElement>('chapters-menu');
const narrow = window.matchMedia('(max-width: 820px)');
const current = (): Chapter =>
  chapters.find(({ id }) => `#${id}` === location.hash) ?? (chapters[0] as Chapter);
/** Values of controls that the visitor has set, by their names. */
const kept = new Map<string, string>();
/** Draws the picture of the present chapter; undefined before the model is loaded. */
let picture: (chapter: Chapter) => HTMLElement | undefined = () => undefined;

/** On a narrow screen the list of chapters is closed, so that the chapter is not far below it. */
function fitMenu(): void {
  menu.open = !narrow.matches;
}
narrow.addEventListener('change', fitMenu);
fitMenu();
window.addEventListener('hashchange', () => {
  showChapter();
  fitMenu();
  byId('chapter').focus();
});
showChapter();
const problem = await findProblem();
if (problem) {
  fill(byId('webgpu-problem'), problemPage(problem, { recordedRun: true }));
  byId('sentence').remove();
  picture = () => hint('The picture of this chapter needs WebGPU.');
  showChapter();
  set(byId('learn'), { hidden: false });
} else await mountModel();

/** Shows the chapter of the address. */
function showChapter(): void {
  const chapter = current();
  const at = chapters.indexOf(chapter);
  setText(byId('chapters-now'), `Chapter ${at + 1} of ${chapters.length}: ${chapter.title}`);
  fill(
    byId('chapters'),
    ...chapters.map(({ id, title }) =>
      el('li', {}, el('a', { href: `#${id}`, 'aria-current': id === chapter.id && 'page' }, title)),
    ),
  );
  document.title = `${chapter.title} · Learn · heddle`;
  const link = (to: Chapter | undefined, text: string) =>
    to && el('a', { class: 'button', href: `#${to.id}` }, `${text}: ${to.title}`);
  refill(
    byId('chapter'),
    el('h2', { id: 'chapter-title' }, chapter.title),
    ...chapter.text.map((paragraph) => el('p', { class: 'prose' }, paragraph)),
    picture(chapter),
    el('div', { class: 'row' }, link(chapters[at - 1], 'Back'), link(chapters[at + 1], 'Next')),
  );
}

/** Gives a control the value that the visitor last set under this name, and remembers its next values. */
function keep<C extends HTMLInputElement | HTMLSelectElement>(control: C, name: string): C {
  const isBox = control instanceof HTMLInputElement && control.type === 'checkbox';
  const before = kept.get(name);
  if (before !== undefined && isBox) control.checked = before === 'true';
  else if (
    before !== undefined &&
    (control instanceof HTMLInputElement || [...control.options].some(({ value }) => value === before))
  )
    control.value = before;
  control.addEventListener('input', () => kept.set(name, isBox ? String(control.checked) : control.value));
  return control;
}

/** Loads a model and adds pictures of its numbers to the chapters. */
async function mountModel(): Promise<void> {
  const session = createSession({ tune: false });
  const stored = (await session.storage()).models;
  const shippedModels = [...demoModels, learnedPositionsModel];
  const models = select(
    [...shippedModels, ...stored].map(({ name }) => [name, name] as const),
    demoModels[0]?.name ?? '',
  );
  const text = el('input', {
    ...{ type: 'text', autocomplete: 'off', spellcheck: 'false', dir: 'auto' },
    id: 'sentence-text',
  });
  const status = el('p', { class: 'hint', role: 'status', id: 'sentence-status' });
  const form = el(
    'form',
    { class: 'sentence' },
    field('Model', models),
    field('Sentence', text),
    el('button', { type: 'submit', class: 'main' }, 'Compute'),
  );
  fill(byId('sentence'), form, status);
  set(byId('learn'), { hidden: false });

  let inspection: Inspection | undefined;
  picture = (chapter) => inspection && chapter.picture(inspection, host());
  /** The sentence of the inspection. */
  let computed = '';
  /** Counts requests, to discard the answer of an earlier one. */
  let requests = 0;

  /**
   * Computes the sentence of the form with its translation, or again the same sentence with a given target.
   */
  async function compute(target?: readonly number[]): Promise<void> {
    const request = ++requests;
    setText(status, 'Computing…');
    set(status, { class: 'hint' });
    try {
      const sentence = target ? computed : text.value;
      const found = await session.inspect(sentence, { tensors: true, ...(target && { target }) });
      if (request !== requests) return;
      inspection = found;
      computed = sentence;
      setText(status, `${found.source.length} source tokens, ${found.target.length} target tokens.`);
      showChapter();
    } catch (error) {
      if (request === requests) showError(error);
    }
  }
  /**
   * Loads the selected model and computes a sentence; by default an example of a model that ships with the
   * page.
   */
  async function load(sentence?: string): Promise<void> {
    const request = ++requests;
    const shipped: DemoModel | undefined = shippedModels.find(({ name }) => name === models.value);
    setText(status, `Loading ${models.value}…`);
    set(status, { class: 'hint' });
    text.value = sentence ?? shipped?.examples[0]?.[0] ?? text.value;
    try {
      await session.load(models.value, shipped && { url: shipped.url, step: shipped.step });
    } catch (error) {
      if (request === requests) showError(error);
      return;
    }
    if (request === requests) await compute();
  }
  /** Loads another model for a control of the chapter. */
  async function use(model: DemoModel): Promise<void> {
    models.value = model.name;
    await load(text.value);
  }
  /** What the picture of the present chapter can ask for. */
  function host(): ChapterHost {
    const request = requests;
    return {
      session,
      text: () => computed,
      compute,
      use,
      keep,
      attempt: (work) => void work.catch((error) => request === requests && showError(error)),
    };
  }
  function showError(error: unknown): void {
    setText(status, (error as Error).message);
    set(status, { class: 'wrong' });
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void compute();
  });
  models.addEventListener('change', () => void load());
  await load();
}
