// What tests of pages read and look at.

import type { Page } from 'puppeteer';
import { expect } from 'vitest';
import { axeViolations } from './axe.ts';
import type { DemoPage } from './demo.ts';
import { waitLimit } from './time-limits.ts';

/** The text of an element, with single spaces. */
export const textOf = (page: Page, selector: string): Promise<string> =>
  page.$eval(selector, (e) => e.textContent?.replace(/\s+/g, ' ').trim() ?? '');

/** Waits until the text of an element matches. `timeout`: milliseconds. */
export async function untilMatches(page: Page, selector: string, pattern: RegExp, timeout = waitLimit) {
  await page.waitForFunction(
    (s, p) => new RegExp(p).test(document.querySelector(s)?.textContent ?? ''),
    { timeout },
    selector,
    pattern.source,
  );
}

/** Looks at a page at both widths in both themes: no violations of axe, nothing wider than the window. */
export async function lookAt(shown: DemoPage, name: string): Promise<void> {
  const { page } = shown;
  for (const theme of ['light', 'dark'] as const)
    for (const width of [390, 1440]) {
      await shown.view({ width, height: 900, theme });
      expect(await axeViolations(page), `${width} px, ${theme}`).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `${width} px`).toBeLessThanOrEqual(0);
      await shown.screenshot(`${name}-${width}-${theme}`);
    }
  await shown.view();
}
