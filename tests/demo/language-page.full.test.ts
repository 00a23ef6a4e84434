// The page of a language on SwiftShader, at a very small size: all steps, a stop and a reload in between, the files for
// Firefox and its engine.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';
import { type DemoPage, demo, pickFiles } from '../support/demo.ts';
import { distFile } from '../support/dist.ts';
import { lookAt, textOf, untilMatches } from '../support/looks.ts';
import { testLimit } from '../support/time-limits.ts';

const { open } = demo();
const folder = mkdtempSync(join(tmpdir(), 'heddle-language-'));
let shown: DemoPage;
let page: Page;

beforeAll(async () => {
  const pairs = [...intlCorpus({ pairs: 150, source: 'en', target: 'es' })];
  const lines = pairs.map(({ source, target }) => `${source}\t${target}\n`);
  writeFileSync(join(folder, 'dates.tsv'), `${lines.join('')}${lines[0]}`);
  shown = await open('language.html?tune=0');
  page = shown.page;
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  expect(shown.errors).toEqual([]);
});

const click = (selector: string) =>
  page.waitForSelector(selector).then((e) => e?.evaluate((button) => (button as HTMLElement).click()));
const fill = async (values: Readonly<Record<string, number>>) => {
  for (const [id, value] of Object.entries(values)) await page.locator(`#language-${id}`).fill(String(value));
};
/** Whether the steps have ended, well or with an error. */
const ended = () =>
  document.querySelector('#download-firefox, #continue-language, #flow [role=alert]:not(:empty)') !== null;
const seconds = (step: string) => textOf(page, `[data-step=${step}] > .number`);

it('starts with a file of pairs, and stops', async () => {
  await page.waitForSelector('#pick-pairs');
  await lookAt(shown, 'language-form');
  await pickFiles(page, '#pick-pairs', join(folder, 'dates.tsv'));
  await fill({ vocabSize: 400, batchSize: 8, teacherSteps: 150, studentSteps: 2, quantizeSteps: 1 });
  await page.select('#language-teacher', 'tiny');
  await click('#start-language');
  await untilMatches(page, '[data-step=teacher]', /step \d+ of 150, loss/);
  expect(await textOf(page, '[data-step=clean]')).toContain('150 of 151 pairs kept, 8 of them for measuring');
  await lookAt(shown, 'language-running');
  await click('#stop-language');
  await page.waitForSelector('#continue-language');
  expect(await textOf(page, '[role=alert]')).toBe('');
  expect(await seconds('tokenizer')).not.toBe('');
  expect(await seconds('teacher')).toBe('');
});

it('continues after a reload, up to the files', async () => {
  await page.reload();
  await click('#continue-language');
  await untilMatches(page, '[data-step=teacher]', /step \d+ of 150, loss/);
  await page.waitForFunction(ended, { timeout: testLimit });
  expect(await textOf(page, '#flow [role=alert]')).toBe('');
  const models = await page.$$eval('#flow th[scope=row]', (all) => all.map((e) => e.textContent?.trim()));
  expect(models).toEqual(['teacher', 'student', 'student, trained for int8', 'int8 files']);
  const files = await page.$$eval('#flow dt', (all) => all.map((e) => e.textContent?.trim()));
  expect(files).toEqual(
    expect.arrayContaining([
      ...['lex.50.50.enes.s2t.bin', 'model.enes.intgemm.alphas.bin', 'vocab.enes.spm'],
    ]),
  );
  await lookAt(shown, 'language-done');
});

it('keeps the model for the page Train', async () => {
  await click('#keep-language');
  await untilMatches(page, '#language-said', /en-es for Firefox on the page Train/);
});

it.skipIf(!existsSync(join(distFile('demo/index.html'), '../firefox/bergamot-translator-worker.wasm')))(
  "translates in Firefox's engine (needs the engine in dist/demo/firefox)",
  async () => {
    await click('#try-firefox');
    await page.waitForSelector('#firefox-text');
    await page.locator('#firefox-text').fill('three hours');
    await page.keyboard.press('Enter');
    await untilMatches(page, '#firefox-status', /translations/);
    expect(await page.$$eval('#firefox-results dt', (all) => all.length)).toBe(2);
  },
  240_000,
);

it('forgets the language', async () => {
  await click('#discard-language');
  await page.waitForSelector('#start-card:not([hidden])');
  await page.reload();
  await page.waitForSelector('#start-card:not([hidden])');
});
