// The first screen, with a fake worker: the film of a recorded training, and the lessons.
import type { Page } from 'puppeteer';
import { expect, it } from 'vitest';
import { untilText } from '../support/demo.ts';
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

it('teaches a task: it trains on it, and asks the model until the answer is right', async () => {
  await page.locator('[data-task="addition"]').click();
  await untilText(page, '.state', 'Training');
  const starts = await page.evaluate(() => window.fake.calls.filter(({ name }) => name === 'start'));
  expect(starts.map(({ args }) => args[0])).toMatchObject([{ corpus: { kind: 'task', task: 'addition' } }]);
  expect(await page.$eval('[data-task="sort"]', (button) => (button as HTMLButtonElement).disabled)).toBe(
    true,
  );
  expect(await page.$eval('#translate-text', (area) => (area as HTMLTextAreaElement).value)).toBe('48+17');
  await page.evaluate(() => window.fake.train(30, 50));
  await untilText(page, '#translation', '^6$');
  expect(await page.$eval('#learned', (e) => (e as HTMLElement).hidden)).toBe(true);
  // The examples of the model before it stay, and are answered by the model in training.
  expect(await page.$$eval('.try li', (all) => all.length)).toBe(3);
  await page.evaluate(() => window.fake.train(100, 50));
  await untilText(page, '#translation', '^65$');
  await untilText(page, '#learned', '^Right');
});
