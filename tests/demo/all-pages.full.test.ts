// All pages in one session of a browser: nothing moves while a page loads; with cookies blocked each page works and says
// what is not kept; without WebGPU the front page answers in WebAssembly.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { launchChrome } from '../../src/host/chrome.ts';
import { demo, untilText } from '../support/demo.ts';

/** A profile with Chrome's setting that blocks all cookies, and with them localStorage, files and locks. */
const profile = mkdtempSync(join(tmpdir(), 'heddle-blocked-'));
mkdirSync(join(profile, 'Default'));
writeFileSync(
  join(profile, 'Default/Preferences'),
  JSON.stringify({ profile: { default_content_setting_values: { cookies: 2 } } }),
);
afterAll(() => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));

const plain = demo();
const blocked = demo(undefined, () =>
  launchChrome({ gpu: 'swiftshader', args: [`--user-data-dir=${profile}`] }),
);

const withoutGpu = demo(undefined, () =>
  launchChrome({ args: ['--disable-gpu', '--disable-software-rasterizer'] }),
);

/** Pages, and what shows that each is ready. */
const pages = [
  ['index.html', '#translation', '^¿Dónde'],
  ['train.html', '#translation', '^Te quiero'],
  ['learn.html', '#chapter', 'Tokens'],
  ['speech.html', '#model', 'Spoken'],
  ['documents.html', '#start', 'English'],
  ['lab.html', 'main', 'Kernels'],
  ['code.html', 'main', 'Program'],
  ['language.html', 'main', 'pairs'],
] as const;

/** Sums the layout shifts of a page, in the page before its scripts. */
function countShifts(): void {
  const shifts: [number, string][] = [];
  Object.assign(window, { shifts });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & {
      value: number;
      hadRecentInput: boolean;
      sources: { node: Node | null }[];
    })[])
      if (!entry.hadRecentInput)
        shifts.push([
          entry.value,
          entry.sources.map(({ node }) => (node as Element | null)?.id || node?.nodeName).join(),
        ]);
  }).observe({ type: 'layout-shift', buffered: true });
}

it.each([1440, 390])('no page moves while it loads, at %i px', async (width) => {
  const moved: Record<string, unknown> = {};
  for (const [name, selector, ready] of pages) {
    const height = width === 390 ? 844 : 900;
    const { page } = await plain.open(name, { width, height, before: countShifts });
    await untilText(page, selector, ready);
    const shifts = await page.evaluate(() => (window as unknown as { shifts: [number, string][] }).shifts);
    await page.close();
    if (shifts.reduce((sum, [value]) => sum + value, 0) >= 0.1) moved[name] = shifts;
  }
  expect(moved).toEqual({});
});

it('each page works without storage, and says in a sentence what is not kept', async () => {
  for (const [name, selector, ready] of pages) {
    const { page, errors } = await blocked.open(name);
    await untilText(page, '#not-kept', 'blocks storage');
    await untilText(page, selector, ready);
    expect(errors, name).toEqual([]);
    await page.close();
  }
});

it('the front page answers without WebGPU', async () => {
  const { page, requests, errors } = await withoutGpu.open('index.html');
  await untilText(page, '#translation', '^¿Dónde');
  expect(requests.some((url) => url.endsWith('.wasm'))).toBe(true);
  expect(await page.$$eval('[data-side="target"]', (words) => words.length)).toBeGreaterThan(1);
  expect(errors).toEqual([]);
  await page.close();
});
