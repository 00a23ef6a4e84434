// Provider for Vitest's browser mode: the tests of the projects `chrome` and `firefox` run in pages that
// src/host opens.
import { defineBrowserProvider } from '@vitest/browser';
import type { Page } from 'puppeteer-core';
import type { BrowserProvider } from 'vitest/node';
import type { HeadlessBrowser } from '../../src/host/browser.ts';
import { launchChrome } from '../../src/host/chrome.ts';
import { launchFirefox } from '../../src/host/firefox.ts';

/**
 * Without a GPU Firefox uses Mesa's llvmpipe, which compiles kernels in about half the time without LLVM's
 * optimizations and with vectors of 4 lanes; results are the same.
 */
const launchFastFirefox = () => {
  process.env.GALLIVM_PERF ??= 'nopt';
  process.env.LP_NATIVE_VECTOR_WIDTH ??= '128';
  return launchFirefox();
};

/** The provider for `test.browser.provider`. It has no commands, since the tests do not click. */
export function puppeteer() {
  return defineBrowserProvider({
    name: 'puppeteer',
    supportedBrowser: ['chrome', 'firefox'],
    providerFactory: (project) =>
      new PuppeteerProvider(() =>
        project.config.browser.name === 'firefox' ? launchFastFirefox() : launchChrome(),
      ),
  });
}

/** Owns one browser, and a page per test session. */
class PuppeteerProvider implements BrowserProvider {
  name = 'puppeteer';
  supportsParallelism = false;
  #browser: Promise<HeadlessBrowser> | undefined;
  readonly #launch: () => Promise<HeadlessBrowser>;
  #pages = new Map<string, Page>();

  constructor(launch: () => Promise<HeadlessBrowser>) {
    this.#launch = launch;
  }

  getCommandsContext() {
    return {};
  }

  async openPage(sessionId: string, url: string) {
    this.#browser ??= this.#launch();
    const browser = await this.#browser;
    await this.#pages.get(sessionId)?.close();
    const page = await browser.openPage(url, {
      onError: (error) => console.error(`page: ${error.message}`),
    });
    this.#pages.set(sessionId, page);
  }

  async close() {
    const browser = await this.#browser;
    this.#browser = undefined;
    this.#pages.clear();
    await browser?.close();
  }
}
