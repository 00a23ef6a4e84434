// Calls a function of any page in Chrome and brings back its result: what the page prints and reports on the way is passed on, and
// whatever hangs or breaks ends the call with an error that names it.

import type { Page } from 'puppeteer';
import { HeddleError } from '../core/errors.ts';
import type { Chrome, PageListeners } from './chrome.ts';
import { withTimeout } from './with-timeout.ts';

/** How a function of a page is called. */
export interface PageCall extends Pick<PageListeners, 'onConsole'> {
  /** Name of a function on the page's globalThis; the call waits until the page has put it there. */
  readonly call: string;
  /** Its arguments; plain JSON. */
  readonly args?: readonly unknown[];
  /** Hears each value that the page passes to `heddleReport(value)`, in order; plain JSON. */
  readonly onReport?: (value: unknown) => void;
  /** Milliseconds until the function is there, 60,000 unless given. */
  readonly loading?: number;
  /** Milliseconds that the call may take; without it there is no limit. */
  readonly timeout?: number;
  /** Milliseconds that may pass without a report or a line on the console; without it there is no limit. */
  readonly silence?: number;
}

/**
 * Opens the page at `url`, calls a function of it, closes the page and resolves to the result, plain JSON. Rejects with what the
 * function throws, and with a HeddleError that names the page and the function where the page breaks, crashes, does not load, or is
 * silent or at work for too long; the last thing that it said is part of the message.
 */
export async function runInPage<Result>(chrome: Chrome, url: string, options: PageCall): Promise<Result> {
  const { call, args = [], loading = 60_000, timeout, silence } = options;
  const what = `${call}() in ${url}`;
  let last = '';
  let fail: (error: Error) => void = () => {};
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  broken.catch(() => {}); // it may come after the call has ended
  const saying = () => (last === '' ? 'it had said nothing' : `the last that it said was: ${last}`);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = (line: string) => {
    if (line !== '') last = line.slice(0, 200);
    if (silence === undefined) return;
    clearTimeout(timer);
    timer = setTimeout(
      () => fail(new HeddleError(`${what} has been silent for ${silence / 1000} s; ${saying()}`)),
      silence,
    );
  };
  const gone = () => fail(new HeddleError(`Chrome ended while running ${what}; ${saying()}`));
  chrome.browser.once('disconnected', gone);
  let page: Page | undefined;
  try {
    page = await chrome.openPage(url, {
      onConsole(line, kind) {
        heard(line);
        options.onConsole?.(line, kind);
      },
      onError: (error) => fail(new HeddleError(`the page of ${what} broke: ${error.message}`)),
    });
    await page.exposeFunction('heddleReport', (value: unknown) => {
      heard(JSON.stringify(value) ?? '');
      options.onReport?.(value);
    });
    const there = page.waitForFunction(
      (name) => typeof Reflect.get(globalThis, name) === 'function',
      { timeout: 0 },
      call,
    );
    there.catch(() => {}); // its page may be closed first
    await Promise.race([withTimeout(loading, `waiting for ${what}`, there), broken]);
    heard('');
    const calling = page.evaluate((name, given) => Reflect.get(globalThis, name)(...given), call, args);
    calling.catch(() => {});
    const work = timeout === undefined ? calling : withTimeout(timeout, `${what}`, calling);
    return (await Promise.race([work, broken])) as Result;
  } catch (error) {
    if (error instanceof HeddleError && error.kind === 'timeout')
      throw new HeddleError(`${error.message}; ${saying()}`);
    throw error;
  } finally {
    clearTimeout(timer);
    chrome.browser.off('disconnected', gone);
    await page?.close().catch(() => {});
  }
}
