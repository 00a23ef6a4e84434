// A visit with a phone of 360 pixels by touch only: train on a task, translate, export and import a model. Every
// element is tapped where it is on the screen, and nothing may cover it.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, expect, it } from 'vitest';
import { demo, untilText, withoutModels } from '../support/demo.ts';

const { open } = demo(withoutModels);
const folder = mkdtempSync(join(tmpdir(), 'heddle-phone-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const phone = { width: 360, height: 740, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

/** Counts the screen locks that the page requests and releases. */
function countLocks(): void {
  const locks = { requested: 0, released: 0 };
  Object.assign(globalThis, { locks });
  Object.defineProperty(Navigator.prototype, 'wakeLock', {
    value: {
      async request() {
        locks.requested++;
        return Object.assign(new EventTarget(), {
          released: false,
          async release() {
            locks.released++;
          },
        });
      },
    },
  });
}

/** Taps the middle of an element, once it is enabled, and shows it before: by a swipe, as a finger does. */
async function tap(page: Page, selector: string): Promise<void> {
  const found = await page.waitForSelector(`${selector}:not([disabled])`, { visible: true });
  await found?.evaluate((e) => e.scrollIntoView({ block: 'center', behavior: 'instant' }));
  const covered = await page.waitForFunction(
    (s) => {
      const element = document.querySelector(s);
      if (!element) return undefined;
      const { left, top, width, height } = element.getBoundingClientRect();
      if (width === 0 || height === 0 || left < 0 || left + width > window.innerWidth) return undefined;
      const above = document.elementFromPoint(left + width / 2, top + height / 2);
      return above && (element.contains(above) || above.contains(element)) ? 'free' : undefined;
    },
    { polling: 100 },
    selector,
  );
  expect(await covered.jsonValue(), selector).toBe('free');
  await found?.tap();
}

/** Replaces the text of a field: a tap, then the keys of the phone. */
async function type(page: Page, selector: string, text: string): Promise<void> {
  await tap(page, selector);
  await page.$eval(selector, (e) => (e as HTMLInputElement).select());
  await page.keyboard.type(text);
}

/** Elements that are wider than the screen, or controls that are too small for a finger. */
const faults = (page: Page) =>
  page.evaluate(() => {
    const wide =
      document.documentElement.scrollWidth > window.innerWidth ? ['the page scrolls sideways'] : [];
    const small = [...document.querySelectorAll<HTMLElement>('button, select, summary')].flatMap((e) => {
      const { width, height } = e.getBoundingClientRect();
      return width > 0 && height > 0 && (Math.round(height) < 24 || Math.round(width) < 24)
        ? [`${e.id || e.textContent?.trim()}: ${Math.round(width)} x ${Math.round(height)}`]
        : [];
    });
    return [...wide, ...small];
  });

it('trains on a task, translates, and imports a model by touch', async () => {
  const { page, errors, screenshot } = await open('train.html?tune=0', { before: countLocks });
  await page.setViewport(phone);
  await page.reload();
  const client = await page.createCDPSession();
  await client.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder });

  await tap(page, 'label:has(> input[value="task"])');
  await page.select('#corpus-task', 'sort'); // the phone shows its own list
  await type(page, '#corpus-task-pairs', '200');
  await page.select('#settings select', 'tiny');
  await tap(page, '#settings details > summary');
  const labelled = (label: string) =>
    page.evaluate(
      (text) =>
        [...document.querySelectorAll('label')].find((e) => e.textContent?.trim() === text)?.htmlFor ?? '',
      label,
    );
  await type(page, `#${await labelled('Steps')}`, '12');
  await type(page, `#${await labelled('Batch size')}`, '8');
  await untilText(page, '#plan-summary', 'parameters');
  expect(await faults(page)).toEqual([]);
  await screenshot('phone-settings');
  await tap(page, '#start');
  await untilText(page, '.state', 'Done');
  await untilText(page, '#run', 'sort · step 12 of 12');
  const { requested, released } = await page.evaluate(
    () => (globalThis as unknown as { locks: { requested: number; released: number } }).locks,
  );
  expect([requested > 0, released]).toEqual([true, requested]);
  await screenshot('phone-trained');

  await type(page, '#translate-text', 'a b c');
  await tap(page, '#translate');
  await untilText(page, '#translate-box [role="status"]', '\\d+ tokens? in ');
  expect(await faults(page)).toEqual([]);

  await tap(page, 'button[aria-label$="as a zip archive, with its checkpoint"]');
  const archive = await waitFor(() => readdirSync(folder).find((name) => name.endsWith('.zip')));
  await page.waitForSelector('#import-model');
  const [chooser] = await Promise.all([page.waitForFileChooser(), tapButton(page, 'Import model…')]);
  await chooser.accept([join(folder, archive)]);
  await untilText(page, '#models-message', 'was imported as [\\w-]+');
  expect(await faults(page)).toEqual([]);
  await screenshot('phone-imported');
  await page.select('#hidden-tab', 'pause');
  expect(errors).toEqual([]);
  await page.close();
});

/** Taps the button with a text. */
async function tapButton(page: Page, text: string): Promise<void> {
  await page.evaluate((text) => {
    const button = [...document.querySelectorAll('button')].find((e) => e.textContent?.trim() === text);
    button?.setAttribute('data-tap', '');
  }, text);
  await tap(page, '[data-tap]');
  await page.evaluate(() => document.querySelector('[data-tap]')?.removeAttribute('data-tap'));
}

/** What `find` returns once it is not undefined. */
async function waitFor<T>(find: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 600; tries++) {
    const found = find();
    if (found !== undefined) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('it did not come in 30 s');
}
