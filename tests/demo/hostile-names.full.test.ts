// Names and texts of visitors on the training page: HTML is text, and 2,000 characters do not widen the page.

import { afterEach, expect, it } from 'vitest';
import { type DemoPage, demo, pastePairs } from '../support/demo.ts';
import { fakeWorker } from './fake-worker.ts';

const { open } = demo();
const opened: DemoPage[] = [];
afterEach(() => {
  for (const { errors } of opened) expect(errors.splice(0)).toEqual([]);
});

const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
const long = `${'a'.repeat(1000)} ${'日本'.repeat(500)}`;

it.each([390, 1440])('are shown as text at %i px', async (width) => {
  const shown = await open('index.html', { before: fakeWorker, width, height: 900 });
  opened.push(shown);
  const { page } = shown;
  const rename = page.locator('::-p-aria([name="Rename intl-en-fr"][role="button"])');
  await rename.wait();
  await page.evaluate(
    (names) => {
      window.fake.models = window.fake.models.map((model, i) => ({ ...model, name: names[i % 2] as string }));
    },
    [markup, long],
  );
  await rename.click();
  await page.locator('dialog input').fill('other');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('#models')?.textContent?.includes('onerror'));
  const listed = await page.$eval('#models', (models) => models.innerHTML);
  expect(listed).toContain(`${'a'.repeat(40)}…本${'日本'.repeat(7)}`);
  expect(listed.replaceAll(`data-model="${long}"`, '')).not.toContain('a'.repeat(61));
  await pastePairs(page, `${markup}\t${markup}\n${long}\t${long}\n`.repeat(12));
  await shown.screenshot(`hostile-${width}`);
  expect(await page.evaluate(() => document.querySelectorAll('img[src=x]').length)).toBe(0);
  expect(await page.title()).not.toMatch(/^[12]$/);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(wide).toBeLessThanOrEqual(0);
});

const marked = `\u202egpj.\u001b[31mevil\u2067\u0007 ${'x'.repeat(300)} ${'語'.repeat(200)}`;

it.each([390, 1280])(
  'show control characters and marks that turn a line as escapes, and are cut, at %i px',
  async (width) => {
    const shown = await open('index.html', { before: fakeWorker, width, height: 900 });
    opened.push(shown);
    const { page } = shown;
    await page.evaluate((name) => {
      const run = {
        folder: name,
        settings: { pairs: name, 'dev pairs': name, changes: name },
        step: 3,
        steps: 3,
        state: 'done',
        best: {},
        final: { loss: 0.5 },
        seconds: 3,
        tokensPerSecond: 3,
        mfu: null,
        adapter: name,
        parameters: 3,
        targetVocabulary: 4,
      } as const;
      window.fake.runs = [run, { ...run, folder: `${name}2`, targetVocabulary: 5, lossPerCharacter: 0.25 }];
      window.fake.models = window.fake.models.map((model, i) => (i === 0 ? { ...model, name } : model));
      document.dispatchEvent(new Event('visibilitychange'));
    }, marked);
    await page.waitForFunction(() => document.querySelectorAll('[data-run]').length === 2);
    const runs = await page.$eval('#runs', (panel) => panel.textContent ?? '');
    expect(runs).toContain('different vocabularies');
    expect(runs).toContain('0.2500');
    expect(runs).toContain('\\u202egpj.\\u001b[31mevil\\u2067');
    expect(runs).not.toContain('x'.repeat(61));
    await shown.screenshot(`marked-${width}`);
    const raw = await page.evaluate(() => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      let texts = '';
      while (walker.nextNode()) texts += walker.currentNode.nodeValue ?? '';
      return /(?![\n\t\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(texts);
    });
    expect(raw).toBe(false);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(wide).toBeLessThanOrEqual(0);
  },
);

it.each([
  ['documents.html', '#pick-document', 'po', '#start button[type=submit]'],
  ['speech.html', '#pick-model', 'safetensors', undefined],
  ['language.html', '#pick-pairs', 'tsv', undefined],
])('do not widen %s at 390 px, also in errors', async (name, input, ending, submit) => {
  const shown = await open(name, { width: 390, height: 844 });
  opened.push(shown);
  const { page } = shown;
  await page.waitForSelector(input);
  await page.$eval(
    input,
    (element, name) => {
      const files = new DataTransfer();
      files.items.add(new File(['none'], name));
      (element as HTMLInputElement).files = files.files;
      element.dispatchEvent(new Event('change', { bubbles: true }));
    },
    `${marked}${markup}${'x'.repeat(5000)}.${ending}`,
  );
  if (submit) await page.$eval(submit, (button) => (button as HTMLButtonElement).click());
  const selector = ending === 'tsv' ? '.picked' : '.wrong';
  await page.waitForFunction(
    (selector) =>
      [...document.querySelectorAll(selector)].some((e) => e.textContent?.includes('\\u001b[31mevil')),
    {},
    selector,
  );
  expect(await page.evaluate(() => document.querySelectorAll('img[src=x]').length)).toBe(0);
  expect(await page.$$eval('.picked', (all) => all.every((e) => (e.textContent ?? '').length < 100))).toBe(
    true,
  );
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
});
