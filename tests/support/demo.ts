// Opens the built pages in Chrome or Firefox and records errors: requests to another origin, violations of
// the content security policy, uncaught errors.
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ElementHandle, Page } from 'puppeteer';
import { afterAll, beforeAll } from 'vitest';
import type { HeadlessBrowser } from '../../src/host/browser.ts';
import { launchChrome } from '../../src/host/chrome.ts';
import { type FolderServer, type RequestHandler, serveFolder } from '../../src/host/static-server.ts';
import { distFile } from './dist.ts';
import { waitLimit } from './time-limits.ts';

/** Folder of screenshots, not in git. */
const screenshots = resolve(import.meta.dirname, '../../runs/screenshots');

/** A page of the demo. */
export interface DemoPage {
  readonly page: Page;
  /** URLs requested by the page and its workers, in order. */
  readonly requests: readonly string[];
  /** Requests to other origins, policy violations, uncaught errors and console errors. */
  readonly errors: string[];
  /** Sets window size and theme; without an argument, those that the page was opened with. */
  view(view?: DemoView): Promise<void>;
  /** In test:full: saves a screenshot of the whole page in runs/screenshots/. */
  screenshot(name: string): Promise<void>;
}

/** Window size and theme; default: 1280 by 900 pixels, light. */
export interface DemoView {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
}

/** Options of opening a page. */
export interface DemoPageOptions extends DemoView {
  /** Runs in the page before its scripts. */
  readonly before?: () => void;
}

/**
 * Starts a browser, by default the Chrome that the test files of this process share, and a server for a test
 * file, whose port makes an origin with a storage of its own. Both end with the file, of a shared browser its
 * pages. `answer` handles requests first, as in serveFolder.
 */
export function demo(
  answer?: RequestHandler,
  launch: () => Promise<HeadlessBrowser> = sharedChrome,
): {
  open(name: string, options?: DemoPageOptions): Promise<DemoPage>;
  readonly url: string;
} {
  let browser: HeadlessBrowser;
  let server: FolderServer;
  beforeAll(async () => {
    const folder = dirname(distFile('demo/index.html'));
    [browser, server] = await Promise.all([launch(), serveFolder(folder, 0, answer)]);
  });
  const pages = new Set<Page>();
  afterAll(async () => {
    if (launch === sharedChrome)
      await Promise.all([...pages].map((page) => page.close().catch(() => undefined)));
    else await browser?.close();
    await server?.close();
  });
  return {
    get url() {
      return server.url;
    },
    async open(name, options = {}) {
      const opened = await openDemoPage(browser, server.url, name, options);
      pages.add(opened.page);
      return opened;
    },
  };
}

/** Runs checks of one page at the widths of a desktop and of a phone. */
export async function atBothWidths(page: Page, check: (width: number) => Promise<void>): Promise<void> {
  const before = page.viewport();
  for (const width of [1280, 390]) {
    await page.setViewport({ width, height: width === 390 ? 844 : 900 });
    await check(width);
  }
  await page.setViewport(before);
}

/**
 * Handles requests for the page's own models as a host without them: their first translation compiles
 * kernels, which only some tests need.
 */
export const withoutModels: RequestHandler = async ({ url = '' }, response) => {
  if (!url.endsWith('.safetensors')) return false;
  response.writeHead(404).end();
  return true;
};

/**
 * Chrome on its software adapter. Sandboxed frames have a process of their own, which Puppeteer switches off
 * unless the variable is set.
 */
export function ownChrome(): Promise<HeadlessBrowser> {
  process.env.PUPPETEER_TEST_EXPERIMENTAL_CHROME_FEATURES = 'true';
  return launchChrome({ gpu: 'swiftshader' });
}

let shared: Promise<HeadlessBrowser> | undefined;

/**
 * The Chrome of this process, which Puppeteer closes when the process ends. For tests that do not crash it or
 * its GPU process.
 */
export async function sharedChrome(): Promise<HeadlessBrowser> {
  const running = await shared?.catch(() => undefined);
  if (!running?.browser.connected) shared = ownChrome();
  return shared as Promise<HeadlessBrowser>;
}

async function openDemoPage(
  { browser, name: browserName }: HeadlessBrowser,
  url: string,
  name: string,
  { before, ...shown }: DemoPageOptions,
): Promise<DemoPage> {
  const page = await browser.newPage();
  // Puppeteer waits 30 s for a dialog or a button; beside other work on all cores a page needs longer.
  page.setDefaultTimeout(waitLimit);
  // Puppeteer scrolls once to an element that exists, also if it is hidden; shown later below the window, it would be
  // waited for without a second scroll.
  const locator = page.locator.bind(page);
  page.locator = ((selector: string) => locator(selector).setVisibility('visible')) as Page['locator'];
  const requests: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => {
    requests.push(request.url());
    // Firefox loads a built-in font from a data: URL; the policy of the page reports requests of the page.
    if (!new RegExp(`^(${url}|blob:${url}|blob:null/|about:|data:)`).test(request.url()))
      errors.push(`request: ${request.url()}`);
  });
  // The page shows a dialog if it is left during a training.
  page.on('dialog', (dialog) => void dialog.accept());
  page.on('pageerror', (error) => errors.push(`uncaught: ${error instanceof Error ? error.message : error}`));
  page.on('console', (message) => {
    if (message.type() === 'error')
      errors.push(`console: ${message.text()} ${message.location().url ?? ''}`.trim());
  });
  await page.exposeFunction('heddleError', (text: string) => void errors.push(text));
  await page.evaluateOnNewDocument(() => {
    // A first visit would fetch all files of all pages for later visits offline, which published.test.ts
    // tests.
    Object.defineProperty(Navigator.prototype, 'serviceWorker', { value: undefined });
    document.addEventListener('securitypolicyviolation', (event) => {
      const { heddleError } = globalThis as unknown as { heddleError(text: string): void };
      heddleError(
        `policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`,
      );
    });
  });
  if (before) await page.evaluateOnNewDocument(before);
  const view = async ({ width = 1280, height = 900, theme = 'light' }: DemoView = shown) => {
    await page.setViewport({ width, height });
    // WebDriver BiDi cannot emulate the theme in Firefox.
    if (browserName === 'Chrome')
      await page.emulateMediaFeatures([
        { name: 'prefers-color-scheme', value: theme },
        // A smooth scroll that begins late on a busy machine moves a button away from under a click.
        { name: 'prefers-reduced-motion', value: 'reduce' },
      ]);
  };
  await view();
  await page.goto(`${url}${name}`, { waitUntil: 'load' });
  return {
    page,
    requests,
    errors,
    view,
    async screenshot(as) {
      if (!process.env.HEDDLE_FULL) return;
      mkdirSync(screenshots, { recursive: true });
      await page.screenshot({ path: join(screenshots, `${as}.png`), fullPage: true });
    },
  };
}

/** Waits until the text of an element matches a pattern. */
export const untilText = (page: Page, selector: string, pattern: string) =>
  page.waitForFunction(
    (s, p) => new RegExp(p).test(document.querySelector(s)?.textContent ?? ''),
    { polling: 50 },
    selector,
    pattern,
  );

/** Gives files to a file input, as the visitor's choice. */
export async function pickFiles(page: Page, selector: string, ...paths: readonly string[]): Promise<void> {
  const input = (await page.waitForSelector(selector)) as ElementHandle<HTMLInputElement>;
  await input.uploadFile(...paths);
}

/** The bytes that a button of a page downloads. */
export async function downloadOf(page: Page, button: string): Promise<Uint8Array> {
  const bytes = await page.evaluate(async (selector) => {
    const before = URL.createObjectURL;
    const blob = await new Promise<Blob>((resolve) => {
      URL.createObjectURL = (data) => {
        URL.createObjectURL = before;
        resolve(data as Blob);
        return before.call(URL, data);
      };
      document.querySelector<HTMLButtonElement>(selector)?.click();
    });
    return [...new Uint8Array(await blob.arrayBuffer())];
  }, button);
  return Uint8Array.from(bytes);
}

/** Shows the figure of a chapter of the page Learn, if a guess hides it. */
export const showFigure = (page: Page): Promise<void> =>
  page.$$eval('#guess-skip', ([skip]) => (skip as HTMLElement | undefined)?.click());

/** Opens a `<details>`. */
export const openDetails = (page: Page, selector: string): Promise<void> =>
  page.$eval(selector, (details) => {
    (details as HTMLDetailsElement).open = true;
  });

/** Starts a project of the page Documents with the model of dates. */
export async function startProject(page: Page, document: string): Promise<void> {
  await pickFiles(page, '#pick-document', document);
  await page.select('#documents-model', 'Dates → Spanish');
  await page.locator('#start button[type=submit]').click();
}

/** Pastes pairs, one per line, as the corpus. */
export async function pastePairs(page: Page, lines: string): Promise<void> {
  // In the middle of the screen: the bar at its bottom would take the click.
  await page.locator('input[value="paste"]').wait();
  await page.$eval('input[value="paste"]', (e) => e.scrollIntoView({ block: 'center', behavior: 'instant' }));
  await page.locator('input[value="paste"]').click();
  await page.$eval(
    '#corpus textarea',
    (area, value) => {
      (area as HTMLTextAreaElement).value = value;
      area.dispatchEvent(new Event('input', { bubbles: true }));
    },
    lines,
  );
}

/**
 * Sets the field with a label at once. Puppeteer's `fill` empties a field without an event before it types: a page
 * that draws in between puts the old value back, and both are there then.
 */
export async function fillField(page: Page, name: string, value: string, role = 'spinbutton'): Promise<void> {
  const field = await page.locator(`::-p-aria([name="${name}"][role="${role}"])`).waitHandle();
  await field.evaluate((control, text) => {
    (control as HTMLInputElement | HTMLSelectElement).value = text;
    for (const type of ['input', 'change']) control.dispatchEvent(new Event(type, { bubbles: true }));
  }, value);
}

/** Chooses an option of the list with a label. */
export const chooseOption = (page: Page, name: string, value: string): Promise<void> =>
  fillField(page, name, value, 'combobox');

/**
 * Sets the form of the training page for a tiny model of words. `choose` and `fill` set the field with a
 * label.
 */
export async function fillSmallTraining(
  page: Page,
  { steps, evaluateEvery }: { readonly steps: number; readonly evaluateEvery: number },
  { choose, fill } = { choose: chooseOption, fill: fillField },
): Promise<void> {
  await page.select('#settings select', 'tiny');
  await openDetails(page, '#settings details');
  await choose(page, 'Tokenizer', 'word');
  await fill(page, 'Steps', `${steps}`);
  await fill(page, 'Batch size', '8');
  await fill(page, 'Learning rate', '0.01');
  await choose(page, 'Schedule', 'constant');
  await fill(page, 'Evaluation interval (steps)', `${evaluateEvery}`);
  await fill(page, 'Dev sentences to translate', '4');
  await fill(page, 'Held-out fraction', '0.1');
}
