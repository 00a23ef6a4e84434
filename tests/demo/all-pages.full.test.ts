// All pages in one session of a browser: nothing moves while a page loads, few files are loaded, each is accessible, fits
// its width and has a first stop of the keyboard, in English and Spanish; with cookies blocked each page works and says
// what is not kept; without WebGPU the front page answers in WebAssembly, and the others say what they need.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { launchChrome } from '../../src/host/chrome.ts';
import { axeViolations } from '../support/axe.ts';
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

/** The most files of a first view. */
const fewFiles = 60;

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

it.each([
  [1440, 'en'],
  [390, 'es'],
] as const)(
  'each page is still while it loads, small and accessible, at %i px in %s',
  async (width, language) => {
    const wrong: Record<string, unknown> = {};
    const before =
      language === 'en'
        ? countShifts
        : new Function(`localStorage.setItem('heddle-language', 'es'); (${countShifts})();`);
    for (const [name, selector, ready] of pages) {
      const height = width === 390 ? 844 : 900;
      const view = { width, height, before: before as () => void };
      const { page, requests, errors } = await plain.open(name, view);
      // The Spanish page has other words in its parts: its header and its first part are enough.
      if (language === 'en') await untilText(page, selector, ready);
      else await untilText(page, selector, '\\S');
      await untilText(page, 'nav a[aria-current]', '\\S');
      const { shifts, size, lang } = await page.evaluate(() => ({
        shifts: (window as unknown as { shifts: [number, string][] }).shifts,
        size: document.documentElement.scrollWidth,
        lang: document.documentElement.lang,
      }));
      const own = requests.filter((url) => url.startsWith(plain.url));
      await page.keyboard.press('Tab');
      const first = await page.evaluate(() => document.activeElement?.className);
      const violations = await axeViolations(page);
      await page.close();
      const problems = {
        ...(shifts.reduce((sum, [value]) => sum + value, 0) >= 0.1 && { shifts }),
        ...(new Set(own).size > fewFiles && { requests: own.length }),
        ...(size > width && { size }),
        ...(lang !== language && { lang }),
        ...(first !== 'skip' && { first }),
        ...(violations.length > 0 && { violations }),
        ...(errors.length > 0 && { errors }),
      };
      if (Object.keys(problems).length > 0) wrong[name] = problems;
    }
    expect(wrong).toEqual({});
  },
);

it('each page works without storage, and says in a sentence what is not kept', async () => {
  for (const [name, selector, ready] of pages) {
    const { page, errors } = await blocked.open(name);
    await untilText(page, '#not-kept', 'blocks storage');
    await untilText(page, selector, ready);
    expect(errors, name).toEqual([]);
    await page.close();
  }
});

it('the other pages say what they need without WebGPU', async () => {
  for (const name of [
    'train.html',
    'lab.html',
    'code.html',
    'language.html',
    'documents.html',
    'speech.html',
  ]) {
    const { page, errors } = await withoutGpu.open(name);
    await untilText(page, 'main', 'WebGPU');
    expect(errors, name).toEqual([]);
    await page.close();
  }
});

it('the front page answers without WebGPU', async () => {
  const { page, errors } = await withoutGpu.open('index.html');
  await untilText(page, '#translation', '^¿Dónde');
  expect(await page.evaluate(() => 'gpu' in navigator && navigator.gpu.requestAdapter())).toBeFalsy();
  expect(await page.$$eval('[data-side="target"]', (words) => words.length)).toBeGreaterThan(1);
  expect(errors).toEqual([]);
  await page.close();
});
