// A real training in a tab that is hidden and shown: it pauses or slows down.

import type { Page } from 'puppeteer';
import { expect, it } from 'vitest';
import { demo, fillSmallTraining, pastePairs, untilText, withoutModels } from '../support/demo.ts';
import { tinyCorpus } from '../support/training.ts';

const { open } = demo(withoutModels);

/** Steps of the trainings, which no test reaches. */
const steps = 1_000_000;

const fill = (page: Page, name: string, value: string) =>
  page.locator(`::-p-aria([name="${name}"][role="spinbutton"])`).fill(value);
const choose = (page: Page, name: string, value: string) =>
  page.locator(`::-p-aria([name="${name}"][role="combobox"])`).fill(value);

/** Opens the page and starts a training, of `pasted`. */
async function startTraining(): Promise<{ page: Page; errors: string[] }> {
  const { page, errors } = await open('index.html?tune=0');
  await pastePairs(page, tinyCorpus);
  await fillSmallTraining(page, { steps, evaluateEvery: 0 }, { choose, fill });
  await page.waitForSelector('#start:not([disabled])');
  await page.locator('#start').click();
  await untilText(page, '#run', 'step [1-9]\\d* of 1,000,000');
  return { page, errors };
}

/** Hides or shows the tab for its scripts: headless tabs are always visible. */
const setVisibility = (page: Page, state: DocumentVisibilityState) =>
  page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);

/** The step that the page shows. */
const stepOf = (page: Page): Promise<number> =>
  page.$eval('#run', (e) =>
    Number(/step ([\d,]+) of/.exec(e.textContent ?? '')?.[1]?.replaceAll(',', '') ?? Number.NaN),
  );

/** Updates per second during some seconds. */
async function rate(page: Page, seconds: number): Promise<number> {
  const from = await stepOf(page);
  const begin = performance.now();
  await new Promise((done) => setTimeout(done, 1000 * seconds));
  return ((await stepOf(page)) - from) / ((performance.now() - begin) / 1000);
}

it('pauses or slows down in a hidden tab as chosen, and says so', async () => {
  const { page, errors } = await startTraining();
  await page.select('#hidden-tab', 'pause');
  await setVisibility(page, 'hidden');
  await untilText(page, '.state', 'Paused');
  await untilText(page, '#run', 'Paused while this tab is hidden\\.');
  await setVisibility(page, 'visible');
  await untilText(page, '.state', 'Training');
  await untilText(page, '#run', 'Paused for \\d+ s while this tab was hidden\\.');

  await page.select('#hidden-tab', 'slow');
  const before = await rate(page, 6);
  await setVisibility(page, 'hidden');
  await untilText(page, '#run', 'Slowed down to a quarter while this tab is hidden\\.');
  const hidden = await rate(page, 6);
  await setVisibility(page, 'visible');
  const after = await rate(page, 6);
  console.log(`steps per second: ${before.toFixed(1)}, hidden ${hidden.toFixed(1)}, ${after.toFixed(1)}`);
  expect(hidden).toBeLessThan(0.6 * Math.max(before, after));
  expect(hidden).toBeGreaterThan(0);

  // The choice stays.
  await page.reload();
  expect(await page.$eval('#hidden-tab', (e) => (e as HTMLSelectElement).value)).toBe('slow');
  await page.evaluate(() => globalThis.heddlePage?.session.remove('pasted'));
  expect(errors).toEqual([]);
  await page.close();
});
