// Opens the built demo in Chrome as a visitor would, and watches what a page may never do: ask another origin for something, break
// the content security policy, or leave an error uncaught.
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, beforeAll, vi } from 'vitest';
import { type Chrome, launchChrome } from '../../src/host/chrome.ts';
import { type FolderServer, type RequestHandler, serveFolder } from '../../src/host/static-server.ts';
import { distFile } from './dist.ts';

/** Where screenshots are kept: out of git, for whoever wants to look. */
const screenshots = resolve(import.meta.dirname, '../../runs/screenshots');

/** A page of the demo. */
export interface DemoPage {
  readonly page: Page;
  /** Every address that the page or its workers asked for, in order. */
  readonly requests: readonly string[];
  /** What went wrong: requests beyond the origin, violations of the policy, uncaught errors, errors on the console. */
  readonly faults: string[];
  /** Shows the page in a window of this size and a theme, as it was opened where that is left out. */
  view(view?: DemoView): Promise<void>;
  /** Keeps a picture of the whole page; gives its path. */
  screenshot(name: string): Promise<string>;
}

/** How a page is shown: 1280 by 900 pixels and light, unless said otherwise. */
export interface DemoView {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
}

/** How a page is opened. */
export interface DemoPageOptions extends DemoView {
  /** Runs in the page before anything of its own does. */
  readonly before?: () => void;
}

/** Starts one Chrome and one server for a test file; they end with it. `answer` is asked first, as in serveFolder. */
export function demo(answer?: RequestHandler): {
  open(name: string, options?: DemoPageOptions): Promise<DemoPage>;
  readonly url: string;
} {
  vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });
  let chrome: Chrome;
  let server: FolderServer;
  beforeAll(async () => {
    const folder = dirname(distFile('demo/index.html'));
    [chrome, server] = await Promise.all([launchChrome({ gpu: 'swiftshader' }), serveFolder(folder, 0, answer)]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([chrome?.close(), server?.close()]);
  });
  return {
    get url() {
      return server.url;
    },
    open: (name, options = {}) => openDemoPage(chrome, server.url, name, options),
  };
}

async function openDemoPage(
  chrome: Chrome,
  url: string,
  name: string,
  { before, ...shown }: DemoPageOptions,
): Promise<DemoPage> {
  const page = await chrome.browser.newPage();
  const requests: string[] = [];
  const faults: string[] = [];
  page.on('request', (request) => {
    requests.push(request.url());
    if (!new RegExp(`^(${url}|blob:${url}|about:)`).test(request.url())) faults.push(`request: ${request.url()}`);
  });
  page.on('pageerror', (error) => faults.push(`uncaught: ${error instanceof Error ? error.message : error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  await page.exposeFunction('heddleFault', (text: string) => void faults.push(text));
  await page.evaluateOnNewDocument(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const { heddleFault } = globalThis as unknown as { heddleFault(text: string): void };
      heddleFault(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  if (before) await page.evaluateOnNewDocument(before);
  const view = async ({ width = 1280, height = 900, theme = 'light' }: DemoView = shown) => {
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
  };
  await view();
  await page.goto(`${url}${name}`, { waitUntil: 'load', timeout: 60_000 });
  return {
    page,
    requests,
    faults,
    view,
    async screenshot(as) {
      mkdirSync(screenshots, { recursive: true });
      const path = join(screenshots, `${as}.png`);
      await page.screenshot({ path, fullPage: true });
      return path;
    },
  };
}
