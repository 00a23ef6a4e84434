// The front page with its real model: a box that answers while one types, the threads of attention, doubts, other
// languages, long texts, and links of before the page Train had its own address.
import { beforeAll, expect, it } from 'vitest';
import { axeViolations } from '../support/axe.ts';
import { atBothWidths, type DemoPage, demo, openDetails, untilText } from '../support/demo.ts';

const { open } = demo();
let demoPage: DemoPage;

/** A slow host: the first model takes 8 seconds. */
const slow = demo(async ({ url = '' }) => {
  if (!/en-es-general-.*\.safetensors$/.test(url)) return false;
  await new Promise((resolve) => setTimeout(resolve, 8000));
  return false;
});

/** The tests share a page: its first translation compiles kernels for seconds. */
beforeAll(async () => {
  demoPage = await open('index.html');
});

it('answers while one types, with threads between the words', async () => {
  const { page, errors } = demoPage;
  await untilText(page, '#translation', '^¿Dónde');
  await page.$eval('#source', (e) => {
    (e as HTMLTextAreaElement).value = '';
  });
  await page.type('#source', 'I love you.');
  await untilText(page, '#translation', '^Te ');
  const words = (side: string) =>
    page.$$eval(`[data-side="${side}"]`, (all) => all.map(({ textContent }) => textContent));
  expect(await words('source')).toEqual(['I', 'love', 'you.']);
  expect((await words('target')).length).toBeGreaterThan(1);
  await page.focus('[data-side="target"]');
  await untilText(page, '.thread-readout', '“Te” looks at “');
  await page.keyboard.press('ArrowUp');
  await untilText(page, '.thread-readout', 'is looked at by');
  await page.locator('#matrix').click();
  await page.waitForSelector('.heat-drawing[data-columns]');
  expect(await axeViolations(page)).toEqual([]);
  expect(errors).toEqual([]);
});

it('goes on with the larger model when it has arrived', async () => {
  const { page, requests } = demoPage;
  await untilText(page, '.answer [role=status]', 'in WebAssembly$');
  const models = requests.flatMap((url) => /en-es-\w+(?=-[^/]*\.safetensors$)/.exec(url) ?? []);
  expect([...new Set(models)]).toEqual(['en-es-general', 'en-es-large']);
});

it('says what is no English, and marks words that it is not sure of', async () => {
  const { page, errors } = demoPage;
  const type = (text: string) =>
    page.$eval(
      '#source',
      (e, given) => {
        (e as HTMLTextAreaElement).value = given;
        e.dispatchEvent(new Event('input'));
      },
      text,
    );
  await type('Je voudrais acheter un billet pour le train de demain matin.');
  await untilText(page, '#problem', 'French');
  await type('asdf qwer zxcv');
  await untilText(page, '#problem', 'no English words');
  await type('😀🎉');
  await untilText(page, '#problem', 'no words');
  await type('The obsidian cathedral hummed.');
  await untilText(page, '#doubt', 'not sure of “');
  expect(await page.$$eval('#translation .doubt', (all) => all.length)).toBeGreaterThan(0);
  expect(errors).toEqual([]);
});

it('shows all methods of decoding on the screen, on a desktop and on a phone', async () => {
  const { page } = demoPage;
  await openDetails(page, '.settings');
  await atBothWidths(page, async (width) => {
    const edges = await page.$eval('.settings-body', (body) => {
      const { left, right } = body.getBoundingClientRect();
      return [left, right];
    });
    expect(Math.min(...edges)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...edges)).toBeLessThanOrEqual(width);
  });
  await page.$eval('.settings', (details) => {
    (details as HTMLDetailsElement).open = false;
  });
});

it('translates a long text sentence by sentence, with few elements', async () => {
  const { page, errors } = demoPage;
  await page.$eval('#source', (e) => {
    (e as HTMLTextAreaElement).value = 'I love you. Where is the station? '.repeat(30);
    e.dispatchEvent(new Event('input'));
  });
  await page.waitForFunction(() => document.querySelectorAll('#translation .sentence').length === 60);
  await page.locator('#translation .sentence:nth-of-type(2)').click();
  await page.waitForFunction(() => document.querySelectorAll('[data-side="source"]').length === 4);
  expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(1000);
  expect(errors).toEqual([]);
});

it('loads its code while the model is on its way, and each model once', async () => {
  const { page, requests, errors } = await slow.open('index.html');
  const isModel = (url: string) => url.endsWith('.safetensors');
  await page.waitForResponse((response) => isModel(response.url()));
  const before = requests.length;
  await untilText(page, '#translation', '^¿Dónde');
  const later = requests.slice(before).filter((url) => /\.js$|worker/.test(url));
  // The moving picture is loaded after the answer.
  expect(later.filter((url) => !url.includes('front-picture'))).toEqual([]);
  await untilText(page, '.answer [role=status]', 'in WebAssembly$'); // the larger model has replaced the small one
  expect(requests.filter(isModel)).toHaveLength(2);
  expect(errors).toEqual([]);
  await page.close();
});

it('opens the page Train for links with a recipe', async () => {
  const { page } = await open('index.html#gallery-card');
  await page.waitForFunction(() => location.pathname.endsWith('/train.html'));
  expect(new URL(page.url()).hash).toBe('#gallery-card');
  await page.close();
});
