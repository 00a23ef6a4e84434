// The page of documents, whose tab crashes or whose browser is killed at a random moment while it translates and a
// person corrects: what was confirmed is there after the next start, and the document is finished.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Chrome, launchChrome } from '../../src/host/chrome.ts';
import { type FolderServer, serveFolder } from '../../src/host/static-server.ts';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';
import { startProject } from '../support/demo.ts';
import { distFile } from '../support/dist.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-killed-'));
const count = 60;
const messages = [
  ...new Set(intlCorpus({ pairs: 200, seed: 6, source: 'en', target: 'es' }).map(({ source }) => source)),
].slice(0, count);

let server: FolderServer;
let chrome: Chrome | undefined;

beforeAll(async () => {
  const entries = messages.map((text) => `msgid ${JSON.stringify(text)}\nmsgstr ""\n`);
  writeFileSync(
    join(folder, 'guide.po'),
    `msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n${entries.join('\n')}`,
  );
  server = await serveFolder(dirname(distFile('demo/index.html')), 0);
});
afterAll(async () => {
  await chrome?.close().catch(() => undefined);
  await server?.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** The page in a browser with the profile of before; the browser that runs, unless it was killed. */
async function openPage(): Promise<Page> {
  const args = [`--user-data-dir=${join(folder, 'profile')}`];
  if (!chrome?.browser.connected) chrome = await launchChrome({ gpu: 'swiftshader', args });
  const page = await chrome.browser.newPage();
  await page.goto(`${server.url}documents.html`);
  return page;
}

const untilCount = (page: Page, pattern: string) =>
  page.waitForFunction(
    (p) => new RegExp(p).test(document.querySelector('#documents-count')?.textContent ?? ''),
    { polling: 50 },
    pattern,
  );

/** Writes and confirms the translation of a segment. */
async function confirmSegment(page: Page, index: number, text: string): Promise<void> {
  const button = `[data-segment="${index}"]`;
  await page.waitForSelector(`${button}, textarea[aria-label="Translation of segment ${index + 1}"]`);
  if (await page.$(button)) await page.locator(button).click();
  await page.waitForSelector(`textarea[aria-label="Translation of segment ${index + 1}"]`);
  await page.$eval(
    'textarea',
    (area, value) => {
      area.value = value;
      area.dispatchEvent(new Event('input', { bubbles: true }));
    },
    text,
  );
  await page.focus('textarea');
  await page.keyboard.down('Control');
  await page.keyboard.press('Enter');
  await page.keyboard.up('Control');
}

/** Crashes the tab, or kills all processes of the browser. */
async function kill(page: Page, isTab: boolean): Promise<void> {
  if (isTab) {
    const client = await page.createCDPSession();
    const crashed = new Promise((resolve) => page.once('error', resolve));
    await Promise.race([client.send('Page.crash').catch(() => undefined), crashed]);
    await page.close().catch(() => undefined); // a crashed tab may be closed already
    return;
  }
  const program = chrome?.browser.process();
  const ended = new Promise((resolve) => program?.once('exit', resolve));
  program?.kill('SIGKILL');
  await ended;
}

it('loses nothing that was confirmed, and finishes the document', async () => {
  let page = await openPage();
  await startProject(page, join(folder, 'guide.po'));
  const confirmed = new Map<number, string>();
  for (let round = 0; round < 8; round++) {
    await untilCount(page, '^\\s*\\d+ of 60');
    // The last one is confirmed while the tab is killed.
    for (let i = 0; i < 3; i++) {
      const index = 3 * round + i;
      const text = `Texto ${index} de la ronda ${round}`;
      await confirmSegment(page, index, text);
      if (i === 2) break;
      await untilCount(page, `^\\s*${confirmed.size + 1} of`);
      confirmed.set(index, text);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));
    await kill(page, round % 2 === 0);
    page = await openPage();
    await page.waitForSelector('.segments tbody tr');
    const rows = await page.$$eval('.segments tbody tr', (all) => all.map((row) => row.textContent ?? ''));
    for (const [index, text] of confirmed) {
      expect(rows[index], `segment ${index} after round ${round}`).toContain(text);
      expect(rows[index]).toContain('confirmed');
    }
    const last = 3 * round + 2;
    if (rows[last]?.includes('confirmed')) confirmed.set(last, `Texto ${last} de la ronda ${round}`);
  }
  await untilCount(page, '60 translated');
});
