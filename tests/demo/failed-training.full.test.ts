// Trainings that fail in a real browser: a loss that diverges, and a GPU that is lost again and again. What a
// visitor is told, and when.
import type { Page } from 'puppeteer';
import { afterEach, expect, it } from 'vitest';
import {
  atBothWidths,
  type DemoPage,
  demo,
  fillField,
  openDetails,
  ownChrome,
  pastePairs,
  untilText,
  withoutModels,
} from '../support/demo.ts';
import { tinyCorpus } from '../support/training.ts';

const { open } = demo(withoutModels, ownChrome); // it crashes the GPU process

/** What only users of the command line understand. */
const forCommandLine = /(^|\s)--\w|checkFinite|Debian|Vulkan|models\/|\.failed|\bnpm\b|\bNode\b/;

let opened: DemoPage;
afterEach(() => opened.page.close());

/** Opens the page with a tiny training of these settings, and starts it. */
async function start(settings: Record<string, string>): Promise<Page> {
  opened = await open('train.html?tune=0');
  const { page } = opened;
  await pastePairs(page, tinyCorpus);
  await page.select('#settings select', 'tiny');
  await openDetails(page, '#settings details');
  const role = (name: string) => (['Tokenizer', 'Schedule'].includes(name) ? 'combobox' : 'spinbutton');
  for (const [name, value] of Object.entries({
    Tokenizer: 'word',
    'Batch size': '8',
    'Dev sentences to translate': '0',
    ...settings,
  }))
    await fillField(page, name, value, role(name));
  await untilText(page, '#corpus-summary', 'pairs\\s*96');
  await page.locator('#start').click();
  return page;
}

/** Expects a message for visitors in the run panel and in the notices, at both widths. */
async function expectMessage(page: Page, pattern: RegExp): Promise<void> {
  await atBothWidths(page, async (width) => {
    for (const place of ['#notices .bad p', '#run .why']) {
      const shown = await page.$eval(place, (e) => (e.checkVisibility() && e.textContent) || '');
      expect(shown).toMatch(pattern);
      expect(shown).not.toMatch(forCommandLine);
      expect(shown.length).toBeLessThan(500);
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  });
}

it('says in plain words that the loss has diverged', async () => {
  const page = await start({
    Steps: '300',
    'Learning rate': '1000000',
    Schedule: 'constant',
    'Gradient clip norm': '0',
  });
  await untilText(page, '.state', 'Failed');
  await expectMessage(page, /^Training (diverged|is stuck at step \d+): .*lower(ing)? (the|learning)/);
});

/** Waits until the seconds of a recovery have increased. */
async function countsSeconds(page: Page): Promise<void> {
  await untilText(page, '.state', 'recovering, \\d+ s$');
  const seconds = await page.$eval('.state', (e) => Number.parseInt(e.textContent?.split(',')[2] ?? '', 10));
  await page.waitForFunction(
    (before) =>
      Number.parseInt(document.querySelector('.state')?.textContent?.split(',')[2] ?? '', 10) > before,
    {},
    seconds,
  );
}

it('counts the seconds after a crash of the GPU, keeps its charts, and says what to do if there is no adapter', async () => {
  const page = await start({ Steps: '100000', 'Evaluation interval (steps)': '5' });
  const session = await page.browser().target().createCDPSession();
  const chartIsDrawn = () =>
    page.waitForFunction(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('#curves canvas');
      if (!canvas?.width) return false;
      const image = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height);
      return image?.data.some((byte) => byte > 0);
    });
  // After the first crash the training continues. After the second one Chrome gives no adapter, which it
  // says after half a minute.
  for (const after of ['^Training$', '^Failed$']) {
    await untilText(page, '.state', '^Training$');
    await page.$eval('#curves', (e) => e.scrollIntoView({ behavior: 'instant' }));
    await chartIsDrawn();
    await session.send('Browser.crashGpuProcess' as never).catch(() => {});
    await untilText(page, '.state', '^GPU device lost, recovering');
    if (after === '^Failed$') await countsSeconds(page);
    await untilText(page, '.state', after);
    await chartIsDrawn();
  }
  await expectMessage(page, /^WebGPU found no GPU adapter\. After several crashes .*resume the training\.$/);
});
