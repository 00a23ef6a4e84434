// The first screen of the page Train, with a fake worker: the film of a recorded training, the lessons and their stage,
// the switch for engineers.
import type { Page } from 'puppeteer';
import { expect, it } from 'vitest';
import { axeViolations } from '../support/axe.ts';
import { untilText } from '../support/demo.ts';
import { itInFull } from '../support/in-full.ts';
import { withFakeWorkerPage } from './fake-worker-page.ts';

let page: Page;
withFakeWorkerPage((opened) => {
  page = opened;
});

const guesses = () => page.$$eval('.film-guess', (all) => all.map((e) => e.textContent));

it('shows the last step of the film under reduced motion; the slider moves it', async () => {
  // The pages of the tests prefer reduced motion.
  await untilText(page, '#film output', 'step 800');
  expect(await guesses()).toEqual('martes , 4 de marzo de 20 25 [end]'.split(' '));
  const slide = (to: string) =>
    page.$eval(
      '#film-step',
      (slider, value) => {
        (slider as HTMLInputElement).value = value;
        slider.dispatchEvent(new Event('input'));
      },
      to,
    );
  await slide('0');
  await untilText(page, '#film output', 'step 0');
  expect(await page.$$eval('.film-guess.right', (all) => all.length)).toBeLessThan(3);
  await page.locator('.film-guess:first-child').click();
  expect(await page.$$eval('.film-next li', (rows) => rows.length)).toBe(5);
  // Played, it ends at the last step.
  await slide('19');
  await page.locator('#film button.quiet').click();
  await untilText(page, '#film output', 'step 800');
  await untilText(page, '#film button.quiet', 'Play');
});

it('teaches a task on a stage: it asks the model until the answer is right, and says after how many steps', async () => {
  await page.locator('[data-task="addition"]').click();
  await untilText(page, '.state', 'Training');
  const starts = await page.evaluate(() => window.fake.calls.filter(({ name }) => name === 'start'));
  expect(starts.map(({ args }) => args[0])).toMatchObject([{ corpus: { kind: 'task', task: 'addition' } }]);
  expect(await page.$eval('[data-task="sort"]', (button) => (button as HTMLButtonElement).disabled)).toBe(
    true,
  );
  const question = () => page.$eval('#stage-question', (field) => (field as HTMLInputElement).value);
  expect(await question()).toBe('48+17');
  const isSeen = () =>
    page.$eval('#learning-stage', (stage) => {
      const { top, bottom } = stage.getBoundingClientRect();
      return top >= 0 && bottom <= window.innerHeight;
    });
  expect(await isSeen()).toBe(true);
  expect(await page.$eval('#film', (film) => film.checkVisibility())).toBe(false);
  await page.evaluate(() => window.fake.train(30, 50));
  await untilText(page, '#stage-answer', '^6$');
  expect(await page.$eval('#stage-answer', (answer) => answer.className)).toBe('stage-answer');
  await page.evaluate(() => window.fake.train(100, 50));
  await untilText(page, '#stage-answer', '^65$');
  await untilText(page, '#learned', '^Right after 130 steps');
  expect(await page.$$eval('.stage-trail li > span', (all) => all.map((e) => e.textContent))).toEqual(['6']);
  expect(await page.$eval('#stage-answer', (answer) => answer.className)).toBe('stage-answer right');
  expect(await isSeen()).toBe(true);
  // A question of the visitor.
  await page.$eval('#stage-question', (field) => {
    (field as HTMLInputElement).value = '5+5+5';
    field.dispatchEvent(new Event('input'));
  });
  await untilText(page, '#learned', '^No question of this task');
  expect(await axeViolations(page)).toEqual([]);
});

it('shows a dev sentence of another training on the stage', async () => {
  await page.locator('#start').click();
  await untilText(page, '.state', 'Training');
  await page.evaluate(() => window.fake.train(50, 50));
  await untilText(page, '#stage-question', '^Tuesday, 4 March 2025$');
  await untilText(page, '#stage-answer', '^martes, 4 de marzo de 2024$');
  expect(await page.$eval('#stage-answer', (e) => e.querySelectorAll('b').length)).toBeGreaterThan(20);
});

it('copies a picture of a lesson, or downloads it', async () => {
  await page.locator('[data-task="addition"]').click();
  await untilText(page, '.state', 'Training');
  await page.evaluate(() => window.fake.train(130, 50));
  await untilText(page, '#stage-answer', '^65$');
  const size = await page.evaluate(async () => {
    const written = new Promise<ClipboardItem>((resolve) => {
      navigator.clipboard.write = async ([item]) => resolve(item as ClipboardItem);
    });
    document.querySelector<HTMLButtonElement>('#stage-picture')?.click();
    const picture = await createImageBitmap(await (await written).getType('image/png'));
    return [picture.width, picture.height];
  });
  expect(size).toEqual([1200, 630]);
  await untilText(page, '#stage-note', 'copied');
});

itInFull('races against a recorded curve of 400 steps, and draws a picture of the result', async () => {
  await page.locator('#race').click();
  await untilText(page, '#comparison', 'Grey: the recorded training');
  await page.waitForFunction(
    () => document.querySelector<HTMLInputElement>('#setting-steps')?.value === '400',
  );
  await page.locator('#start').click();
  await untilText(page, '.state', 'Training');
  await page.evaluate(() => window.fake.train(100, 50));
  await untilText(page, '#learned', '^You are behind by');
  expect(await page.$eval('#stage-answer', (loss) => loss.className)).toBe('stage-answer');
  await page.evaluate(() => window.fake.train(300, 50));
  await untilText(page, '#learned', '^You win by 0\\.\\d+ after 400 steps');
  await untilText(page, '#stage-other', '^0\\.48');
  expect(await axeViolations(page)).toEqual([]);
  await page.evaluate(() => {
    navigator.clipboard.write = async () => undefined;
  });
  await page.locator('#stage-picture').click();
  await untilText(page, '#stage-note', 'copied');
});

it('learns a secret language, and a friend guesses it by the link', async () => {
  await page.locator('#teach-secret').click();
  await page.locator('#secret-teach').click();
  await untilText(page, '#secret-answer', '^martes');
  const taught = await page.evaluate(
    () => window.fake.calls.find(({ name }) => name === 'teachSecret')?.args,
  );
  expect(taught?.[1]).toHaveLength(5);
  await page.locator('#secret-link').click();
  await untilText(page, '#secret-note', 'sees three pairs');
  expect(await axeViolations(page)).toEqual([]);
  await page.reload();
  await untilText(page, '#secret h2', '^Guess');
  expect(await page.$$eval('.secret-known li', (all) => all.length)).toBe(3);
  const guess = async (text: string) => {
    await page.locator('#secret-guess').fill(text);
    await page.keyboard.press('Enter');
  };
  await guess('donde esta la estacion');
  await untilText(page, '#secret-verdict', '^No: ¿Dónde está la estación, miau\\?$');
  await page.locator('#secret-next').click();
  await guess('me gustaría un café miau');
  await untilText(page, '#secret-verdict', '^Right');
  expect(await axeViolations(page)).toEqual([]);
  await page.evaluate(() => {
    location.hash = '#secret=broken';
  });
  await untilText(page, '#secret-note', 'damaged or cut off');
});

it('shows what is for engineers only with their switch, and remembers it', async () => {
  const shown = () =>
    page.$$eval('.for-engineers', (all) => all.filter((each) => each.checkVisibility()).length);
  await page.waitForSelector('.gallery li');
  expect(await page.$$eval('.gallery li', (all) => all.filter((e) => e.checkVisibility()).length)).toBe(4);
  expect(await shown()).toBe(0);
  await page.locator('#for-engineers').click();
  expect(await page.$$eval('.gallery li', (all) => all.filter((e) => e.checkVisibility()).length)).toBe(12);
  await page.reload();
  await page.waitForSelector('.gallery li');
  expect(await shown()).toBeGreaterThan(7);
  await page.locator('#for-engineers').click();
  expect(await shown()).toBe(0);
});
