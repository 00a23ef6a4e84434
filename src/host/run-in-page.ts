// Calls a function of a page in a browser and returns its result; console lines and reports go to callbacks.
// A page that hangs or fails is an error.

import type { Page } from 'puppeteer-core';
import { withCallbacks } from '../core/callbacks.ts';
import { HeddleError, reasonOf } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';
import { msg } from '../core/message.ts';
import { callError, type HeadlessBrowser, onBrowserEnd, type PageListeners } from './browser.ts';
import { withTimeout } from './with-timeout.ts';

/** Options of `runInPage`. */
export interface PageCall extends Pick<PageListeners, 'onConsole'> {
  /** Name of a function on globalThis of the page. The call waits until the page has defined it. */
  readonly call: string;
  /** Arguments of the function; plain JSON. */
  readonly args?: readonly unknown[];
  /** Receives each value that the page passes to `heddleReport(value)`, in order; plain JSON. */
  readonly onReport?: (value: unknown) => void;
  /** Time limit until the function is defined, in milliseconds (default: 60,000). */
  readonly loading?: number;
  /** Time limit of the call in milliseconds (default: none). */
  readonly timeout?: number;
  /** Time limit without a report or console line, in milliseconds (default: none). */
  readonly silence?: number;
}

const optionNames: Readonly<Record<keyof PageCall, true>> = {
  call: true,
  args: true,
  onReport: true,
  onConsole: true,
  loading: true,
  timeout: true,
  silence: true,
};

/**
 * Opens the page at `url`, calls a function of it, closes the page and returns the result; plain JSON. Throws
 * the error of the function, or a HeddleError with the last output of the page if it does not load, fails,
 * crashes or exceeds a time limit.
 *
 * @example
 * const sum = await runInPage(chrome, server.url, { call: 'add', args: [[1, 2], [3, 4]], timeout: 60_000 });
 */
export async function runInPage<Result>(
  browser: HeadlessBrowser,
  url: string,
  options: PageCall,
): Promise<Result> {
  checkNames({ area: 'runInPage' }, Object.keys(optionNames), Object.keys(options));
  return withCallbacks(options, (watched) => callInPage(browser, url, watched));
}

async function callInPage<Result>(browser: HeadlessBrowser, url: string, options: PageCall): Promise<Result> {
  const { call, args = [], loading = 60_000, timeout, silence } = options;
  const what = `${call}() in ${url}`;
  let last = '';
  let fail: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failure.catch(() => {}); // it may reject after the call has ended
  const lastOutput = () => (last === '' ? msg`it printed nothing` : msg`its last output was: ${last}`);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onOutput = (line: string) => {
    if (line !== '') last = line.slice(0, 200);
    if (silence === undefined) return;
    clearTimeout(timer);
    timer = setTimeout(
      () =>
        fail(
          new HeddleError(msg`${what} has been silent for ${silence / 1000} s`, {
            kind: 'timeout',
          }),
        ),
      silence,
    );
  };
  const stopWatching = onBrowserEnd(browser, what, (error) =>
    fail(new HeddleError(msg`${reasonOf(error)}; ${lastOutput()}`, { kind: 'device' })),
  );
  let page: Page | undefined;
  try {
    page = await browser.openPage(url, {
      onConsole(line, kind) {
        onOutput(line);
        options.onConsole?.(line, kind);
      },
      onError: (error) =>
        fail(new HeddleError(msg`the page of ${what} failed: ${error.message}`, { kind: 'device' })),
    });
    await page.exposeFunction('heddleReport', (value: unknown) => {
      onOutput(JSON.stringify(value) ?? '');
      options.onReport?.(value);
    });
    const defined = page.waitForFunction(
      (name) => typeof Reflect.get(globalThis, name) === 'function',
      { timeout: 0 },
      call,
    );
    defined.catch(() => {}); // the page may close before
    await Promise.race([withTimeout(loading, msg`waiting for ${what}`, defined), failure]);
    onOutput('');
    const calling = page.evaluate((name, given) => Reflect.get(globalThis, name)(...given), call, args);
    calling.catch(() => {});
    const work = timeout === undefined ? calling : withTimeout(timeout, what, calling);
    return (await Promise.race([work, failure])) as Result;
  } catch (error) {
    if (error instanceof HeddleError && error.kind === 'timeout')
      throw new HeddleError(msg`${reasonOf(error)}; ${lastOutput()}`, { kind: error.kind });
    throw callError(browser, what, error);
  } finally {
    clearTimeout(timer);
    stopWatching();
    await page?.close().catch(() => {});
  }
}
