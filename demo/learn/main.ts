// The page of the chapters: loads a model, inspects a sentence, and shows the chapter of the address.

import type { Inspection } from '../../src/index.ts';
import { byId, el, fill, set, setText } from '../common/dom.ts';
import { field, select } from '../common/form-controls.ts';
import { mountHeader } from '../common/page-header.ts';
import { findProblem, problemPage } from '../common/webgpu-support.ts';
import { type DemoModel, demoModels, learnedPositionsModel } from '../train/page/demo-models.ts';
import { createSession } from '../train/page/training-session.ts';
import type { Chapter, ChapterHost } from './chapter.ts';
import { chapters } from './chapters.ts';

mountHeader('learn');
const problem = await findProblem();
if (problem) fill(byId('webgpu-problem'), problemPage(problem));
else await mountChapters();

async function mountChapters(): Promise<void> {
  const session = createSession({ tune: false });
  const stored = (await session.storage()).models;
  const shippedModels = [...demoModels, learnedPositionsModel];
  const models = select(
    [...shippedModels, ...stored].map(({ name }) => [name, name] as const),
    demoModels[0]?.name ?? '',
  );
  const text = el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', id: 'sentence-text' });
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
  /** The sentence of the inspection. */
  let computed = '';
  /** Counts requests, to discard the answer of an earlier one. */
  let asked = 0;
  const current = (): Chapter => chapters.find(({ id }) => `#${id}` === location.hash) ?? (chapters[0] as Chapter);

  /** Computes the sentence of the form with its translation, or again the same sentence with a given target. */
  async function compute(target?: readonly number[]): Promise<void> {
    const turn = ++asked;
    setText(status, 'Computing…');
    set(status, { class: 'hint' });
    try {
      const sentence = target ? computed : text.value;
      const found = await session.inspect(sentence, { tensors: true, ...(target && { target }) });
      if (turn !== asked) return;
      inspection = found;
      computed = sentence;
      setText(status, `${found.source.length} source tokens, ${found.target.length} target tokens.`);
      showChapter();
    } catch (error) {
      if (turn === asked) showError(error);
    }
  }
  /** Loads the selected model and computes a sentence; by default an example of a model that ships with the page. */
  async function load(sentence?: string): Promise<void> {
    const turn = ++asked;
    const shipped: DemoModel | undefined = shippedModels.find(({ name }) => name === models.value);
    setText(status, `Loading ${models.value}…`);
    set(status, { class: 'hint' });
    text.value = sentence ?? shipped?.examples[0]?.[0] ?? text.value;
    try {
      await session.load(models.value, shipped && { url: shipped.url, step: shipped.step });
    } catch (error) {
      if (turn === asked) showError(error);
      return;
    }
    if (turn === asked) await compute();
  }
  /** Loads another model for a control of the chapter, which keeps the focus. */
  async function use(model: DemoModel): Promise<void> {
    const { value } = document.activeElement as HTMLInputElement;
    models.value = model.name;
    await load(text.value);
    if (document.activeElement === document.body)
      byId('chapter')
        .querySelector<HTMLElement>(`[value="${CSS.escape(value)}"]`)
        ?.focus();
  }
  /** What the picture of the present chapter can ask for. */
  function host(): ChapterHost {
    const turn = asked;
    return {
      session,
      text: () => computed,
      compute,
      use,
      attempt: (work) => void work.catch((error) => turn === asked && showError(error)),
    };
  }
  function showError(error: unknown): void {
    setText(status, (error as Error).message);
    set(status, { class: 'wrong' });
  }
  function showChapter(): void {
    const chapter = current();
    fill(
      byId('chapters'),
      ...chapters.map(({ id, title }) =>
        el('li', {}, el('a', { href: `#${id}`, 'aria-current': id === chapter.id && 'page' }, title)),
      ),
    );
    document.title = `${chapter.title} · Learn · heddle`;
    const title = el('h2', { id: 'chapter-title' }, chapter.title);
    const at = chapters.indexOf(chapter);
    const link = (to: Chapter | undefined, text: string) =>
      to && el('a', { class: 'button', href: `#${to.id}` }, `${text}: ${to.title}`);
    fill(
      byId('chapter'),
      title,
      ...chapter.text.map((paragraph) => el('p', { class: 'prose' }, paragraph)),
      inspection && chapter.picture(inspection, host()),
      el('div', { class: 'row' }, link(chapters[at - 1], 'Back'), link(chapters[at + 1], 'Next')),
    );
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void compute();
  });
  models.addEventListener('change', () => void load());
  window.addEventListener('hashchange', () => {
    showChapter();
    byId('chapter').focus();
  });
  showChapter();
  await load();
}
