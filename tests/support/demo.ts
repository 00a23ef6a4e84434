// Opens the built demo in Chrome or Firefox and records what a page must never do: requests to another origin, violations of the content security
// policy and uncaught errors.
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, beforeAll, vi } from 'vitest';
import type { HeadlessBrowser } from '../../src/host/browser.ts';
import { launchChrome } from '../../src/host/chrome.ts';
import { type FolderServer, type RequestHandler, serveFolder } from '../../src/host/static-server.ts';
import { distFile } from './dist.ts';

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
  /** Saves a screenshot of the whole page; returns its path. */
  screenshot(name: string): Promise<string>;
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
 * Starts a browser (default: Chrome on its software adapter) and a server for a test file; both stop when it ends. `answer` handles requests
 * first, as in serveFolder.
 */
export function demo(
  answer?: RequestHandler,
  launch: () => Promise<HeadlessBrowser> = () => launchChrome({ gpu: 'swiftshader' }),
): {
  open(name: string, options?: DemoPageOptions): Promise<DemoPage>;
  readonly url: string;
} {
  vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });
  let browser: HeadlessBrowser;
  let server: FolderServer;
  beforeAll(async () => {
    const folder = dirname(distFile('demo/index.html'));
    [browser, server] = await Promise.all([launch(), serveFolder(folder, 0, answer)]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([browser?.close(), server?.close()]);
  });
  return {
    get url() {
      return server.url;
    },
    open: (name, options = {}) => openDemoPage(browser, server.url, name, options),
  };
}

async function openDemoPage(
  { browser, name: browserName }: HeadlessBrowser,
  url: string,
  name: string,
  { before, ...shown }: DemoPageOptions,
): Promise<DemoPage> {
  const page = await browser.newPage();
  const requests: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => {
    requests.push(request.url());
    // Firefox loads a font of its own from a data: URL; the policy of the page reports its own ones.
    if (!new RegExp(`^(${url}|blob:${url}|blob:null/|about:|data:)`).test(request.url()))
      errors.push(`request: ${request.url()}`);
  });
  // The page asks before it is left during a training.
  page.on('dialog', (dialog) => void dialog.accept());
  page.on('pageerror', (error) => errors.push(`uncaught: ${error instanceof Error ? error.message : error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`console: ${message.text()}`);
  });
  await page.exposeFunction('heddleError', (text: string) => void errors.push(text));
  await page.evaluateOnNewDocument(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const { heddleError } = globalThis as unknown as { heddleError(text: string): void };
      heddleError(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  if (before) await page.evaluateOnNewDocument(before);
  const view = async ({ width = 1280, height = 900, theme = 'light' }: DemoView = shown) => {
    await page.setViewport({ width, height });
    // WebDriver BiDi cannot emulate the theme: Firefox keeps its own.
    if (browserName === 'Chrome') await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
  };
  await view();
  await page.goto(`${url}${name}`, { waitUntil: 'load', timeout: 60_000 });
  return {
    page,
    requests,
    errors,
    view,
    async screenshot(as) {
      mkdirSync(screenshots, { recursive: true });
      const path = join(screenshots, `${as}.png`);
      await page.screenshot({ path, fullPage: true });
      return path;
    },
  };
}
