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
