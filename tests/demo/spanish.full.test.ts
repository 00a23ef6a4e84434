// All pages in Spanish, as a browser in Argentina opens them: no text is left in English, at the width of a desktop
// and of a phone, and no page has an error.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, expect, it } from 'vitest';
import { chapters } from '../../demo/learn/chapters.ts';
import {
  type DemoPage,
  demo,
  fillField,
  openDetails,
  showFigure,
  startProject,
  untilText,
} from '../support/demo.ts';
import { textPattern } from '../support/text-pattern.ts';

const { open } = demo();
const file = join(import.meta.dirname, '../../demo/texts/es.json');
type Text = string | Readonly<Record<string, string>>;
const texts = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Text>);

const folder = mkdtempSync(join(tmpdir(), 'heddle-spanish-'));
const dates = join(folder, 'dates.txt');
writeFileSync(dates, 'Tuesday, March 4, 2025\n\n2 days, 7 hours\n');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** English texts that are not the same in Spanish, as patterns. */
const spanish = new Set(
  texts.flatMap(([, text]) => (typeof text === 'string' ? [text] : Object.values(text))),
);
const patterns = texts
  .filter(([key, text]) => key !== text && !spanish.has(key))
  .map(([key]) => key.replaceAll(/<[^>]+>/g, '').trim())
  .filter((key) => (key.replaceAll(/\{\d+\}/g, '').match(/\p{L}/gu)?.length ?? 0) >= 3)
  .map(textPattern);

/** English words that a Spanish text does not have. */
const words = /\b(?:the|of|is|are|with|from|this|that|your|its?|and|has|have|which|each|by|at|for)\b/i;

/** Texts of a page that are shown or read aloud, except what models read and write, code and the names of files. */
const textsOf = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const skipped =
      '[lang]:not(html), code, pre, textarea, .mono, svg, noscript, #log, bdi, .token, .tokens, .segments td, .sentence';
    const found = new Set<string>();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node instanceof Element ? node : node.parentElement;
      if (!element || element.closest(skipped)) continue;
      if (node instanceof Text) found.add(node.data.trim());
      else
        for (const name of ['title', 'aria-label', 'placeholder', 'alt'])
          found.add(element.getAttribute(name)?.trim() ?? '');
    }
    return [...found, document.title].filter(Boolean);
  });

/** What of these texts is English. */
const englishIn = (found: readonly string[], known: readonly RegExp[] = []): string[] =>
  found.filter(
    (text) =>
      !known.some((pattern) => pattern.test(text)) &&
      (words.test(text) || patterns.some((pattern) => pattern.test(text))),
  );

/** Sets the languages of the browser. */
function inArgentina(): void {
  Object.defineProperty(Navigator.prototype, 'languages', { get: () => ['es-AR', 'en'] });
}

const openInSpanish = (name: string): Promise<DemoPage> => open(name, { before: inArgentina });

/** Looks at a page at both widths. `known`: texts that are English in all languages, such as names. */
async function check(
  { page, errors, view, screenshot }: DemoPage,
  name: string,
  known: readonly RegExp[] = [],
) {
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('es');
  for (const width of [1440, 390]) {
    await view({ width, height: width === 390 ? 844 : 900 });
    expect(englishIn(await textsOf(page), known), `${name} at ${width}`).toEqual([]);
    const isWide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(isWide, `${name} scrolls sideways at ${width}`).toBe(false);
    await screenshot(`spanish-${name}-${width}`);
  }
  expect(errors).toEqual([]);
}

/** Names, a phrase that the visitor writes in English, and a token of the first sentence of Learn. */
const names = [
  /^(?:T5|FLAN-T5|BARThez|BART|mT5|Pegasus)/,
  /heddle \d/,
  /Tatoeba/,
  /en inglés: learning rate/,
  /^(?:\d+: )?[“"]?the[”"]?$/,
];

it('trains, translates and lists runs', async () => {
  const opened = await openInSpanish('train.html?tune=0');
  const { page } = opened;
  await untilText(page, '#plan-summary', 'parámetros');
  await untilText(page, '#translate-box [role="status"]', 'tokens?|cargado');
  await check(opened, 'train', names);
  await page.locator('label:has(> input[value="task"])').click();
  await page.select('#settings select', 'tiny');
  await openDetails(page, '#settings details');
  await fillField(page, 'Pasos', '30');
  await untilText(page, '#plan-summary', 'parámetros');
  await page.locator('#start').click();
  await untilText(page, '.state', 'Terminado');
  await untilText(page, '#runs', 'terminado');
  await check(opened, 'trained', names);
});

it('explains each chapter with its figure', async () => {
  const opened = await openInSpanish('learn.html?tune=0');
  const { page } = opened;
  await untilText(page, '#sentence-status', 'tokens de origen');
  for (const { id } of chapters) {
    await page.evaluate((hash) => {
      location.hash = hash;
    }, id);
    await page.waitForFunction(
      (hash) => document.querySelector(`#chapters a[href="#${hash}"][aria-current]`),
      {},
      id,
    );
    await check(opened, `learn-${id}`, [...names, /«(?:is|the)»/]);
    await showFigure(page);
    await page.waitForSelector('#chapter :is([data-picture], .tokens, .scalpel)');
    await check(opened, `learn-${id}`, [...names, /«(?:is|the)»/]);
  }
});

it('translates a document', async () => {
  const opened = await openInSpanish('documents.html?tune=0');
  const { page } = opened;
  await startProject(page, dates);
  await untilText(page, '#documents-count', '2 traducidos');
  await untilText(page, '#documents-status', '^$');
  await check(opened, 'documents-translated', names);
});

it('writes down a clip', async () => {
  const opened = await openInSpanish('speech.html?tune=0');
  await opened.page.locator('#clip-2').click();
  await untilText(opened.page, '#heard-facts', 'texto después de');
  await check(opened, 'speech-heard', names);
});

it.each([
  ['lab', '#lab:not([hidden])', 'Medir'],
  ['code', '#code-page:not([hidden])', 'Ejecutar'],
  ['documents', '#start-card:not([hidden])', 'Traducir'],
  ['speech', '#model', 'Modelo'],
  ['language', '#start-card:not([hidden])', 'Empezar'],
])('shows the page %s', async (name, selector, pattern) => {
  const opened = await openInSpanish(`${name}.html?tune=0`);
  await untilText(opened.page, selector, pattern);
  await check(opened, name, names);
});
