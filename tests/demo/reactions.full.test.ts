// A real training in a tab that is hidden, shown and closed: it pauses or slows down, and a closed tab leaves the
// checkpoint of its last steps.

import type { Page } from 'puppeteer';
import { expect, it, vi } from 'vitest';
import { demo, fillSmallTraining, pastePairs, untilText, withoutModels } from '../support/demo.ts';
import { waitLimit } from '../support/time-limits.ts';
import { tinyCorpus } from '../support/training.ts';

const { open } = demo(withoutModels);

/** Steps of the trainings, which no test reaches. */
const steps = 1_000_000;

/** Opens the page and starts a training, of `pasted-text`. */
async function startTraining(): Promise<{ page: Page; errors: string[] }> {
  const { page, errors } = await open('train.html?tune=0');
  await pastePairs(page, tinyCorpus);
  await fillSmallTraining(page, { steps, evaluateEvery: 0 });
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
  await page.evaluate(() => globalThis.heddlePage?.session.remove('pasted-text'));
  expect(errors).toEqual([]);
  await page.close();
});

it('saves a checkpoint when the tab is closed, or keeps the last one', async () => {
  const rounds = 3;
  let saved = 0;
  for (let round = 0; round < rounds; round++) {
    const { page } = await startTraining();
    const { before, took } = await page.evaluate(async () => {
      const { session } = globalThis.heddlePage as NonNullable<typeof globalThis.heddlePage>;
      let before = 0;
      session.on((event) => {
        if (event.type === 'checkpoint') before = event.step;
      });
      const begin = performance.now();
      await session.saveNow();
      return { before, took: performance.now() - begin };
    });
    await vi.waitFor(async () => expect(await stepOf(page)).toBeGreaterThan(before + 20), {
      timeout: waitLimit,
      interval: 20,
    });
    await new Promise((done) => setTimeout(done, 37 * round)); // a different moment of a step each round
    const at = await stepOf(page);
    const begin = performance.now();
    await page.close({ runBeforeUnload: true });
    await closed(page);
    const closing = performance.now() - begin;

    const { page: next } = await open('train.html?tune=0');
    await untilText(next, '#notices', 'The training of pasted-text stopped at step \\d+ of 1000000');
    const step = await next.$eval('#notices', (e) => Number(/at step (\d+)/.exec(e.textContent ?? '')?.[1]));
    console.log(
      `checkpoint: ${took.toFixed(0)} ms; closed after ${closing.toFixed(0)} ms at step ${at}, kept ${step} (saved before: ${before})`,
    );
    expect(step).toBeGreaterThanOrEqual(before); // the last one at least
    if (step >= at) saved++;
    const model = await next.evaluate(async () => {
      const { session } = globalThis.heddlePage as NonNullable<typeof globalThis.heddlePage>;
      await session.load('pasted-text'); // it is whole
      const { text } = await session.translate('one two');
      await session.remove('pasted-text');
      return typeof text;
    });
    expect(model).toBe('string');
    await next.close();
  }
  console.log(`${saved} of ${rounds} closed tabs left a checkpoint of their last steps`);
});

/** Waits until a page that was asked to close is closed. */
async function closed(page: Page): Promise<void> {
  while (!page.isClosed()) await new Promise((done) => setTimeout(done, 5));
}
