// Vitest's browser mode on our own Chrome host: the tests of the `chrome` project run in pages that src/host/chrome.ts opens.
import { defineBrowserProvider } from '@vitest/browser';
import type { Page } from 'puppeteer';
import type { BrowserProvider } from 'vitest/node';
import { type Chrome, launchChrome } from '../../src/host/chrome.ts';

/** The provider for `test.browser.provider`; it has no commands, since the tests do not click. */
export function puppeteer() {
  return defineBrowserProvider({
    name: 'puppeteer',
    supportedBrowser: ['chrome'],
    providerFactory: () => new PuppeteerProvider(),
  });
}

/** Owns one Chrome and a page a test session. */
class PuppeteerProvider implements BrowserProvider {
  name = 'puppeteer';
  supportsParallelism = false;
  #chrome: Promise<Chrome> | undefined;
  #pages = new Map<string, Page>();

  getCommandsContext() {
    return {};
  }

  async openPage(sessionId: string, url: string) {
    this.#chrome ??= launchChrome({ gpu: 'auto' });
    const chrome = await this.#chrome;
    await this.#pages.get(sessionId)?.close();
    const page = await chrome.openPage(url, {
      onError: (error) => console.error(`page: ${error.message}`),
    });
    this.#pages.set(sessionId, page);
  }

  async close() {
    const chrome = await this.#chrome;
    this.#chrome = undefined;
    this.#pages.clear();
    await chrome?.close();
  }
}
