// The page of the chapters: loads a model, inspects a sentence, and shows the chapter of the address.

import type { Inspection } from '../../src/index.ts';
import { byId, el, fill, set, setText } from '../common/dom.ts';
import { field, select } from '../common/form-controls.ts';
import { mountHeader } from '../common/page-header.ts';
import { findProblem, problemPage } from '../common/webgpu-support.ts';
import { type DemoModel, demoModels } from '../train/page/demo-models.ts';
import { createSession } from '../train/page/training-session.ts';
import type { Chapter } from './chapter.ts';
import { chapters } from './chapters.ts';

mountHeader('learn');
const problem = await findProblem();
if (problem) fill(byId('webgpu-problem'), problemPage(problem));
else await mountChapters();

async function mountChapters(): Promise<void> {
  const session = createSession({ tune: false });
  const stored = (await session.storage()).models;
  const models = select(
    [...demoModels.map(({ name }) => [name, name] as const), ...stored.map(({ name }) => [name, name] as const)],
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
  /** Counts requests, to discard the answer of an earlier one. */
  let asked = 0;
  const current = (): Chapter => chapters.find(({ id }) => `#${id}` === location.hash) ?? (chapters[0] as Chapter);

  async function compute(target?: readonly number[]): Promise<void> {
    const turn = ++asked;
    setText(status, 'Computing…');
    set(status, { class: 'hint' });
    try {
      const found = await session.inspect(text.value, { tensors: true, ...(target && { target }) });
      if (turn !== asked) return;
      inspection = found;
      setText(status, `${found.source.length} source tokens, ${found.target.length} target tokens.`);
      showChapter();
    } catch (error) {
      if (turn !== asked) return;
      setText(status, (error as Error).message);
      set(status, { class: 'wrong' });
    }
  }
  async function load(): Promise<void> {
    const shipped: DemoModel | undefined = demoModels.find(({ name }) => name === models.value);
    setText(status, `Loading ${models.value}…`);
    if (shipped) text.value = shipped.examples[0]?.[0] ?? '';
    await session.load(models.value, shipped && { url: shipped.url, step: shipped.step });
    await compute();
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
      inspection && chapter.picture(inspection, { session, text: () => text.value, compute }),
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
