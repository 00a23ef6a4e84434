// Two trainings side by side in the built page, with real workers: the same batches, one setting changed.
import { expect, it } from 'vitest';
import { demo, fillField, fillSmallTraining, untilText, withoutModels } from '../support/demo.ts';

const { open } = demo(withoutModels);

it('trains a second model beside the first, whose loss is grey behind it, and stops with it', async () => {
  const { page, errors, view, screenshot } = await open('train.html?tune=0');
  await fillField(page, 'Pairs', '500');
  await fillSmallTraining(page, { steps: 200, evaluateEvery: 100 });
  await page.locator('#beside-on').click();
  await page.locator('#beside-value').fill('0.000001');
  await page.waitForSelector('#start:not([disabled])');
  await page.locator('#start').click();
  await untilText(page, '#comparison', 'At step \\d+: your loss [\\d.]+, learning rate 0\\.000001 [\\d.]+');
  // Step 1: the same weights and batch, so the same loss, to three digits.
  const first = await page.evaluate(() => document.querySelector('#comparison')?.textContent ?? '');
  expect(first).not.toBe('');
  await untilText(page, '#comparison', 'At step [2-9]\\d: .*yours is lower');
  await page.$eval('#curves', (e) => e.scrollIntoView({ behavior: 'instant' }));
  for (const width of [1440, 390])
    for (const theme of ['light', 'dark'] as const) {
      await view({ width, height: 900, theme });
      await screenshot(`beside-${width}-${theme}`);
    }
  await view();
  await page.locator('#stop').click();
  await untilText(page, '.state', 'Stopped');
  // The second one is stored too: Runs compares both by the setting.
  await untilText(page, '#runs', '-beside[\\s\\S]*Learning rate: 1e-6');
  expect(errors).toEqual([]);
});
