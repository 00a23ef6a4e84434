// The page of documents with a real model on SwiftShader: translate, correct, confirm, reload, learn,
// download.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';
import { type DemoPage, demo, downloadOf, pickFiles, startProject } from '../support/demo.ts';
import { lookAt, textOf, untilMatches } from '../support/looks.ts';

const { open } = demo();
const folder = mkdtempSync(join(tmpdir(), 'heddle-documents-'));
let shown: DemoPage;
let page: Page;

const pairs = intlCorpus({ pairs: 60, seed: 5, source: 'en', target: 'es' });
const messages = pairs.slice(0, 12).map(({ source }) => source);
const po = `msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n${[...messages, '%s: 2 days']
  .map((text) => `#, c-format\nmsgid ${JSON.stringify(text)}\nmsgstr ""\n`)
  .join('\n')}`;

beforeAll(async () => {
  writeFileSync(join(folder, 'guide.po'), po);
  const memory = pairs.slice(20).map(({ source, target }) => `${source}\t${target}\n`);
  writeFileSync(join(folder, 'memory.tsv'), memory.join(''));
  shown = await open('documents.html');
  page = shown.page;
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  expect(shown.errors).toEqual([]);
});

const text = (selector: string) => textOf(page, selector);
const waitFor = (pattern: RegExp, selector: string) => untilMatches(page, selector, pattern);
const rows = () => page.$$eval('.segments tbody tr', (all) => all.map((row) => row.textContent ?? ''));
/** The text of a download of the page. */
const downloaded = async (button: string) => new TextDecoder().decode(await downloadOf(page, button));

it('translates an example in one click, and shows the translations that it came with', async () => {
  await page.locator('#try-example').click();
  await waitFor(/0 of 12 segments confirmed, 12 translated/, '#documents-count');
  const all = await rows();
  expect(all[1]).toMatch(/¿Cómo te llamas\?\s*document/);
  expect(all[11]).toMatch(/¡Hasta mañana!\s*memory/);
  await page.locator('[data-segment="1"]').click();
  await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
  await page.keyboard.down('Control');
  await page.keyboard.press('Enter');
  await page.keyboard.up('Control');
  await waitFor(/1 of 12/, '#documents-count');
  expect(await downloaded('#download-document')).toContain(
    '\nmsgid "What is your name?"\nmsgstr "¿Cómo te llamas?"',
  );
  await page.locator('#discard').click();
});

it('says that a document has no text, and keeps the form', async () => {
  writeFileSync(join(folder, 'blank.txt'), '\n\n');
  await pickFiles(page, '#pick-document', join(folder, 'blank.txt'));
  await page.locator('#start button[type=submit]').click();
  await waitFor(/blank\.txt has no text to translate/, '#start');
});

it('translates a document and shows its segments, accessible on all widths and in both themes', async () => {
  await page.waitForSelector('#pick-document');
  await lookAt(shown, 'documents-start');
  await pickFiles(page, '#pick-memory', join(folder, 'memory.tsv'));
  await startProject(page, join(folder, 'guide.po'));
  await waitFor(/13 translated/, '#documents-count');
  await waitFor(/^$/, '#documents-status');
  const all = await rows();
  expect(all).toHaveLength(13);
  expect(all[12]).toContain('%s');
  await lookAt(shown, 'documents');
});

it('confirms with Ctrl+Enter, moves on, and refuses lost codes', async () => {
  await page.locator('[data-segment="0"]').click();
  for (let i = 0; i < 5; i++) {
    await page.waitForFunction(
      (label) => document.activeElement?.getAttribute('aria-label') === label,
      {},
      `Translation of segment ${i + 1}`,
    );
    await page.keyboard.down('Control');
    await page.keyboard.press('KeyA');
    await page.keyboard.up('Control');
    await page.keyboard.type(`Texto ${i}`);
    await page.keyboard.down('Control');
    await page.keyboard.press('Enter');
    await page.keyboard.up('Control');
    await waitFor(new RegExp(`^\\s*${i + 1} of 13`), '#documents-count');
  }
  await page.locator('[data-segment="12"]').click();
  await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
  await page.keyboard.down('Control');
  await page.keyboard.press('KeyA');
  await page.keyboard.press('Enter');
  await page.keyboard.up('Control');
  await waitFor(/6 of 13/, '#documents-count');
  await page.locator('[data-segment="11"]').click();
  await page.keyboard.press('Escape');
});

it('keeps everything after a reload', async () => {
  const before = await rows();
  await page.reload();
  await waitFor(/6 of 13 segments confirmed, 13 translated/, '#documents-count');
  expect((await rows()).map((row) => row.replace(/\s+/g, ''))).toEqual(
    before.map((row) => row.replace(/\s+/g, '')),
  );
});

it('learns from corrections and writes document, memory and adapter', async () => {
  await page.locator('#learn').click();
  await page.waitForSelector('#learned');
  expect(await text('#learned')).toMatch(
    /Learned from 6 corrections, with 18 rehearsal pairs.*before, .*after/,
  );
  await waitFor(/13 translated/, '#documents-count');
  const written = await downloaded('#download-document');
  expect(written).toContain('msgstr "Texto 0"');
  expect(written.split('\n').length).toBeGreaterThanOrEqual(po.split('\n').length);
  const tmx = await downloaded('#download-memory');
  expect(tmx).toContain('<seg>Texto 4</seg>');
  await shown.screenshot('documents-learned');
  await page.reload();
  await page.waitForSelector('#learned');
});

it('is in the built pages', () => {
  expect(existsSync(join(import.meta.dirname, '../../dist/demo/documents.html'))).toBe(true);
  expect(readFileSync(join(import.meta.dirname, '../../dist/demo/documents.html'), 'utf8')).toContain(
    'Content-Security-Policy',
  );
});
