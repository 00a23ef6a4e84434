// The page of the chapters: the list of chapters, and the chapter of the address with its figure.

import { byId, keepFocus } from '../common/dom.ts';
import { acceptFiles } from '../common/dropped-files.ts';
import { mountHeader } from '../common/page-header.ts';
import { say, translated } from '../common/page-texts.ts';
import { type Content, html, nothing, show } from '../common/panel.ts';
import { download } from '../common/save-blob.ts';
import { hint } from '../common/tables.ts';
import { chapterOf, term, termNames } from '../common/terms.ts';
import { findProblem, problemPage } from '../common/webgpu-support.ts';
import { MovingPicture } from '../picture/moving-picture.ts';
import recordedScene from '../picture/recorded-scene.json' with { type: 'json' };
import { type Scene, sceneOf } from '../picture/scene.ts';
import { createSession } from '../train/page/training-session.ts';
import type { Chapter } from './chapter.ts';
import { chapters } from './chapters.ts';
import { LessonLink } from './lesson-link.ts';
import { ModelMap } from './model-map.ts';
import { SentencePanel } from './sentence-panel.ts';

mountHeader('learn');
const map = new ModelMap();
/** The picture of the whole model: a recorded translation until the model of the page has computed one. */
const picture = new MovingPicture(recordedScene as unknown as Scene);
byId('picture').append(picture.element);
const menu = byId<HTMLDetailsElement>('chapters-menu');
const narrow = window.matchMedia('(max-width: 820px)');
/** The figure of a chapter; nothing before the model is loaded. */
let figureOf: (chapter: Chapter) => Content = () => nothing;
/** The link to the lesson; nothing before the model is loaded. */
let lessonLink: Content = nothing;

/** On a narrow screen the list of chapters is closed, so that the chapter is not far below it. */
function fitMenu(): void {
  menu.open = !narrow.matches;
}
narrow.addEventListener('change', fitMenu);
fitMenu();
window.addEventListener('hashchange', () => {
  showChapter();
  fitMenu();
  goToChapter();
});
showChapter();
const problem = await findProblem();
if (problem) {
  show(problemPage(problem, { recordedRun: true }), byId('webgpu-problem'));
  byId('sentence').remove();
  byId('map').hidden = true;
  figureOf = () => hint(say`The picture of this chapter needs WebGPU.`);
  showChapter();
  byId('learn').hidden = false;
} else {
  const session = createSession({ tune: false });
  const stored = (await session.storage()).models.map(({ name }) => name);
  const sentence = new SentencePanel(session, stored, () => {
    map.inspection = sentence.inspection;
    if (sentence.inspection) picture.scene = sceneOf(sentence.inspection);
    showChapter();
  });
  byId('map-menu').append(map.element);
  const takeAway = async () => {
    if (!sentence.taken) return;
    const { name, lesson } = sentence.taken;
    download(await session.takeAway(name, lesson), `${name}-programs.zip`);
  };
  lessonLink = new LessonLink(() => sentence.lesson, takeAway).element;
  byId('sentence').append(sentence.element);
  acceptFiles((files) => void sentence.openModel(files));
  byId('learn').hidden = false;
  if (chapters.some(({ id }) => `#${id}` === location.hash)) goToChapter();
  figureOf = (chapter) => sentence.figureOf(chapter)?.element;
  await sentence.load();
}

/** Brings the chapter into view, below the picture, and moves the focus there. */
function goToChapter(): void {
  byId('chapter').focus({ preventScroll: true });
  byId('chapter').scrollIntoView();
}

/** Shows the chapter of the address. */
function showChapter(): void {
  const found = chapters.findIndex(({ id }) => `#${id}` === location.hash);
  const at = Math.max(0, found);
  const chapter = chapters[at] as Chapter;
  byId('chapters-now').textContent = say`Chapter ${at + 1} of ${chapters.length}: ${chapter.title}`;
  document.title = say`${chapter.title} · Learn · heddle`;
  map.chapter = chapter.id;
  const items = chapters.map(
    ({ id, title }) => html`
      <li><a href="#${id}" aria-current=${id === chapter.id ? 'page' : nothing}>${title}</a></li>`,
  );
  show(items, byId('chapters'));
  const place = byId('chapter');
  keepFocus(place, () => show(chapterPage(chapter, chapters[at - 1], chapters[at + 1]), place));
}

/** The paragraphs of a chapter; a term that another chapter explains is a button with its sentence at its first use. */
function textOf({ id, text }: Chapter): Content {
  const left = new Set(termNames.filter((name) => chapterOf(name) !== id));
  const withTerms = (paragraph: string): Content => {
    for (const name of left) {
      const found = new RegExp(`\\b${translated(name)}s?\\b`, 'iu').exec(paragraph);
      if (!found) continue;
      left.delete(name);
      const end = found.index + found[0].length;
      return html`${withTerms(paragraph.slice(0, found.index))}${term(id, name, found[0])}${withTerms(paragraph.slice(end))}`;
    }
    return paragraph;
  };
  return text.map((paragraph) => html`<p class="prose">${withTerms(paragraph)}</p>`);
}

/** A chapter with links to the ones before and after it. */
function chapterPage(chapter: Chapter, back?: Chapter, next?: Chapter): Content {
  const link = (to: Chapter | undefined, name: string) =>
    to ? html`<a class="button" href="#${to.id}">${name}: ${to.title}</a>` : nothing;
  return html`
    <h2 id="chapter-title">${chapter.title}</h2>
    <p class="question">${chapter.question}</p>
    ${figureOf(chapter)}
    <div class="stack chapter-text">${textOf(chapter)}</div>
    <div class="row">${link(back, say`Back`)}${link(next, say`Next`)}</div>
    ${lessonLink}`;
}
