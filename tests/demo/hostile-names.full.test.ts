// Names and texts of visitors on the training page: HTML is text, and 2,000 characters do not widen the page.

import { afterEach, describe, expect, it } from 'vitest';
import { toHash } from '../../demo/lab/shared-results.ts';
import type { BenchRun } from '../../src/bench/bench-file.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { saveModelFolder } from '../../src/formats/save-heddle.ts';
import { type DemoPage, type DemoPageOptions, demo, pastePairs } from '../support/demo.ts';
import { letterModel } from '../support/saved-model.ts';
import { fakeWorker } from './fake-worker.ts';

const { open } = demo();
const opened: DemoPage[] = [];
afterEach(async () => {
  const shown = opened.splice(0);
  await Promise.all(shown.map(({ page }) => page.close())); // a second tab of the page Documents waits for the first
  for (const { errors } of shown) expect(errors).toEqual([]);
});

const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
const long = `${'a'.repeat(1000)} ${'日本'.repeat(500)}`;

it.each([390, 1440])('are shown as text at %i px', async (width) => {
  const shown = await open('train.html', { before: fakeWorker, width, height: 900 });
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
    const shown = await open('train.html', { before: fakeWorker, width, height: 900 });
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

describe.each([390, 1280])('at %i px', (width) => {
  const openAt = async (name: string, options: DemoPageOptions = {}) => {
    const shown = await open(name, { width, height: 900, ...options });
    opened.push(shown);
    return shown;
  };

  /** Expects that texts are escaped and cut, nothing was executed, and the page is not wider than the window. */
  async function expectHarmless({ page, screenshot }: DemoPage, name: string): Promise<void> {
    await screenshot(`hostile-${name}-${width}`);
    const found = await page.evaluate(() => {
      const raw: string[] = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const { nodeValue, parentElement } = walker.currentNode;
        if (parentElement?.closest('script, style, textarea')) continue;
        if (/(?![\n\t\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(nodeValue ?? ''))
          raw.push(nodeValue ?? '');
      }
      return {
        raw,
        elements: document.querySelectorAll('img[src=x], script:not([src], [type])').length,
        executed: /^[12]$/.test(document.title),
        wider: document.documentElement.scrollWidth - window.innerWidth,
      };
    });
    expect(found).toEqual({ raw: [], elements: 0, executed: false, wider: 0 });
  }

  /** Gives the storage of the page a model under a name. */
  async function store({ page }: DemoPage, name: string): Promise<void> {
    const files = memoryFiles();
    await saveModelFolder(files, 'm', letterModel());
    const parts: [string, number[]][] = [];
    for (const part of await files.list('m')) parts.push([part, [...(await files.read(`m/${part}`))]]);
    await page.evaluate(
      async (name, parts) => {
        let folder = await navigator.storage.getDirectory();
        for (const part of ['heddle', 'models', name])
          folder = await folder.getDirectoryHandle(part, { create: true });
        for (const [part, bytes] of parts) {
          const stream = await (await folder.getFileHandle(part, { create: true })).createWritable();
          await stream.write(Uint8Array.from(bytes));
          await stream.close();
        }
      },
      name,
      parts,
    );
  }

  it('a stored model, a document and a memory', async () => {
    const name = `<img src=x onerror=\u0022document.title=1\u0022>\u202egpj${'x'.repeat(150)}`;
    const shown = await openAt('documents.html');
    const { page } = shown;
    await page.waitForSelector('#pick-document');
    await store(shown, name);
    await page.reload();
    await page.waitForFunction(
      (name) =>
        [...document.querySelectorAll<HTMLOptionElement>('#documents-model option')].some(
          ({ value }) => value === name,
        ),
      {},
      name,
    );
    await page.evaluate(
      (name, marked, markup) => {
        const give = (id: string, file: File) => {
          const files = new DataTransfer();
          files.items.add(file);
          const input = document.querySelector<HTMLInputElement>(id);
          if (!input) return;
          input.files = files.files;
          input.dispatchEvent(new Event('change', { bubbles: true }));
        };
        const texts = [markup, marked, 'x'.repeat(2000), 'abc'];
        give('#pick-document', new File([texts.join('\n')], `${marked}${name}.txt`));
        give('#pick-memory', new File([`${marked}\t${markup}\nabc\t${marked}\n`], `${marked}${name}.tsv`));
        const list = document.querySelector<HTMLSelectElement>('#documents-model');
        if (!list) return;
        list.value = name;
        list.dispatchEvent(new Event('change', { bubbles: true }));
      },
      name,
      marked,
      markup,
    );
    await expectHarmless(shown, 'documents-start');
    await page.$eval('#start button[type=submit]', (button) => (button as HTMLButtonElement).click());
    await page.waitForFunction(() => {
      const count = document.querySelector('#documents-count')?.textContent ?? '';
      const [, all, translated] = /of (\d+) segments confirmed, (\d+) translated/.exec(count) ?? [];
      return (all && all === translated) || document.querySelector('.wrong')?.textContent?.trim();
    });
    expect(
      await page.$eval('#project-card, #start-card:not([hidden])', (card) => card.textContent),
    ).not.toContain('x'.repeat(61));
    await expectHarmless(shown, 'documents');
    // The next width begins anew.
    await page.$eval('#discard', (button) => (button as HTMLButtonElement).click());
    await page.waitForFunction(() => document.querySelector<HTMLElement>('#project-card')?.hidden);
  });

  it('a stored model and a model of the hub of the page of speech', async () => {
    const shown = await openAt('speech.html');
    const { page } = shown;
    await page.waitForSelector('#speech-hub');
    await page.$eval(
      '#speech-hub',
      (input, text) => {
        (input as HTMLInputElement).value = text;
        input.dispatchEvent(new Event('input', { bubbles: true }));
        input.closest('details')?.setAttribute('open', '');
        input.closest('form')?.requestSubmit();
      },
      `${markup}/${marked}${'x'.repeat(2000)}`,
    );
    await page.waitForFunction(() => document.querySelector('.wrong')?.textContent?.trim());
    await expectHarmless(shown, 'speech');
  });

  it('results of the lab in a link and in a file', async () => {
    const name = `${markup}${marked}${'x'.repeat(2000)}`;
    const variant = { variant: name, ms: 1, low: 1, high: 1, error: 0, passed: true };
    const kernel = { name, group: 'products', flops: 1e9, bytes: 1e6, speed: 1, variants: [variant] };
    const roofs = { bandwidth: { rate: 100 }, peak: { rate: 1000 } };
    const run = {
      heddle: name,
      when: new Date(0).toISOString(),
      adapter: name,
      roofs,
      roofSpread: { bandwidth: { spread: 0 }, peak: { spread: 0 } },
      kernels: [kernel],
    } as unknown as BenchRun;
    const shown = await openAt(`lab.html${await toHash(run)}`);
    const { page } = shown;
    await page.waitForFunction(() => document.body.textContent?.includes('\\u202egpj'));
    await page.evaluate(
      (text, name) => {
        const input = document.querySelector<HTMLInputElement>('input[type=file]');
        const files = new DataTransfer();
        files.items.add(new File([text], name));
        if (!input) return;
        input.files = files.files;
        input.dispatchEvent(new Event('change', { bubbles: true }));
      },
      JSON.stringify(run),
      `${name}.json`,
    );
    await page.waitForFunction(() =>
      /file.*onerror/.test(document.querySelector('.baseline-of')?.textContent ?? ''),
    );
    expect(await page.$eval('main', (main) => main.textContent)).not.toContain('x'.repeat(121));
    await expectHarmless(shown, 'lab');
  });

  it('what a program prints and saves', async () => {
    const shown = await openAt('code.html#metrics-of-translations');
    const { page } = shown;
    await page.waitForSelector('#program textarea');
    await page.$eval(
      '#program textarea',
      (area, text) => {
        area.value = `console.log(${text}); console.error({ name: ${text} });
dispatchEvent(new CustomEvent('heddle-file', { detail: { path: ${text}, bytes: new Uint8Array(3) } }));
throw new Error(${text});`;
        area.dispatchEvent(new Event('input'));
      },
      JSON.stringify(`${markup}${marked}${'x'.repeat(2000)}`),
    );
    await page.locator('::-p-aria([name="Run"][role="button"])').click();
    await page.waitForFunction(() =>
      /^Failed/.test(document.querySelector('#program .status')?.textContent ?? ''),
    );
    await page.waitForFunction(() => document.querySelector('.saved li'));
    await expectHarmless(shown, 'code');
  });
});
