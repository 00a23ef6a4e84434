// A browser without a window, driven through Puppeteer: what Chrome (chrome.ts) and Firefox (firefox.ts)
// share. It opens pages and describes the adapter that they get.
import type { Browser, ConsoleMessage, LaunchOptions, Page } from 'puppeteer-core';
import { HeddleError } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';
import { type Message, msg } from '../core/message.ts';
import { type AdapterDescription, probeAdapter } from './adapter-info.ts';
import { optionalPackage, optionalPackages } from './optional-package.ts';
import { serveFolder } from './static-server.ts';
import { withTimeout } from './with-timeout.ts';

/** Options of `launchChrome` and `launchFirefox`. */
export interface BrowserOptions {
  /** Run without a window (default: true). */
  headless?: boolean;
  /** Path of the browser (default: that of the environment, then the usual places). */
  executablePath?: string;
  /** More command-line flags for the browser. */
  args?: string[];
  /** Close the browser and exit the process on SIGINT, SIGTERM and SIGHUP (default: true). */
  handleSignals?: boolean;
  /** Time limit for the start and for opening a page, in milliseconds (default: 60,000). */
  timeout?: number;
}

const browserOptions: Readonly<Record<keyof BrowserOptions, true>> = {
  headless: true,
  executablePath: true,
  args: true,
  handleSignals: true,
  timeout: true,
};

/** Throws a HeddleError for an option that a browser does not have; `own` are those of this browser only. */
export const checkBrowserOptions = <Options extends BrowserOptions>(
  area: string,
  options: Options,
  own: Readonly<Record<Exclude<keyof Options, keyof BrowserOptions>, true>>,
): void => checkNames({ area }, Object.keys({ ...browserOptions, ...own }), Object.keys(options));

/** A running browser; `close` ends its process. */
export interface HeadlessBrowser {
  readonly name: 'Chrome' | 'Firefox';
  /** Puppeteer's browser object. */
  browser: Browser;
  /** For example `Chrome/130.0.6723.91` or `firefox/145.0`. */
  version: string;
  /** Command-line flags of the browser. */
  flags: readonly string[];
  /** The last compute pipeline that a page created, if the browser reports it (Firefox). */
  lastPipeline(): string | undefined;
  /** Describes the adapter that pages get. Throws a HeddleError if there is none. */
  adapter(): Promise<AdapterDescription>;
  /** Opens a page and waits until it has loaded. Throws a HeddleError if it does not load in time. */
  openPage(url: string, listeners?: PageListeners): Promise<Page>;
  /** Ends the browser; kills the process if it does not end within 10 s. */
  close(): Promise<void>;
  /** `close` at the end of a block: `await using chrome = ...`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Callbacks for the output of a page. */
export interface PageListeners {
  /** Receives each line that the page prints on its console. */
  onConsole?: (line: string, kind: ReturnType<ConsoleMessage['type']>) => void;
  /** Receives each uncaught error, and the crash of the page. */
  onError?: (error: Error) => void;
}

/** What differs between the browsers. */
export interface BrowserStart {
  readonly name: HeadlessBrowser['name'];
  readonly executablePath: string;
  readonly flags: readonly string[];
  /** More options of Puppeteer. */
  readonly launch?: LaunchOptions;
  readonly lastPipeline?: HeadlessBrowser['lastPipeline'];
  /** Prepares each new page, before it loads. */
  readonly prepare?: (page: Page) => Promise<void>;
}

/** Starts a browser. Throws a HeddleError if it does not start in time. */
export async function startBrowser(start: BrowserStart, options: BrowserOptions): Promise<HeadlessBrowser> {
  const { name, executablePath, flags, launch, lastPipeline = () => undefined } = start;
  const timeout = options.timeout ?? 60_000;
  const signals = options.handleSignals ?? true;
  const instead = 'use Dawn instead';
  const { default: puppeteer } = await optionalPackage(
    'puppeteer-core',
    optionalPackages['puppeteer-core'],
    instead,
  );
  let browser: Browser;
  try {
    const launched = puppeteer.launch({
      executablePath,
      headless: options.headless ?? true,
      args: [...flags],
      timeout,
      protocolTimeout: 0, // a training run is one call without a time limit
      handleSIGINT: signals,
      handleSIGTERM: signals,
      handleSIGHUP: signals,
      ...launch,
    });
    browser = await withTimeout(timeout + 1000, `starting ${executablePath}`, launched);
  } catch (error) {
    throw new HeddleError(msg`${name} did not start (${executablePath}): ${launchTrouble(error as Error)}`, {
      kind: 'unsupported',
      cause: error,
    });
  }

  const openPage: HeadlessBrowser['openPage'] = async (url, listeners = {}) => {
    checkNames({ area: 'openPage' }, ['onConsole', 'onError'], Object.keys(listeners));
    const page = await withTimeout(timeout, `opening a tab in ${name}`, browser.newPage());
    page.on('console', (message) => listeners.onConsole?.(message.text(), message.type()));
    page.on('pageerror', (error) =>
      listeners.onError?.(error instanceof Error ? error : new Error(String(error))),
    );
    page.on('error', (error) => listeners.onError?.(error));
    await start.prepare?.(page);
    const adapter = process.env.HEDDLE_ADAPTER;
    // A page reads the global variable (engine/gpu/known-adapters.ts).
    if (adapter)
      await page.evaluateOnNewDocument(
        (name) => void Object.assign(globalThis, { HEDDLE_ADAPTER: name }),
        adapter,
      );
    try {
      await page.goto(url, { timeout, waitUntil: 'load' });
    } catch (error) {
      throw new HeddleError(msg`${name} did not load ${url}: ${(error as Error).message}`, {
        kind: 'network',
        cause: error,
      });
    }
    return page;
  };

  const close = async (): Promise<void> => {
    try {
      await withTimeout(10_000, `closing ${name}`, browser.close());
    } catch {
      browser.process()?.kill('SIGKILL');
    }
  };

  return {
    name,
    browser,
    version: await browser.version(),
    flags,
    lastPipeline,
    openPage,
    /** Uses an empty page of a local server, since WebGPU needs a secure context. */
    async adapter() {
      const server = await serveFolder(undefined);
      try {
        const page = await openPage(server.url);
        const request = page.evaluate(probeAdapter, name);
        const adapter = await withTimeout(ADAPTER_TIMEOUT, `finding a GPU in ${name}`, request);
        await page.close();
        if (!adapter) throw new HeddleError(msg`no WebGPU adapter in ${name}`, { kind: 'unsupported' });
        return adapter;
      } finally {
        await server.close();
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Time limit for the adapter request in milliseconds: a broken driver can block it forever. */
const ADAPTER_TIMEOUT = 20_000;

/**
 * Calls `fail` with an error if the browser ends during `task`. Returns a function that removes the listener.
 */
export function onBrowserEnd(
  browser: HeadlessBrowser,
  task: string,
  fail: (error: HeddleError) => void,
): () => void {
  const listener = () => fail(new HeddleError(endMessage(browser, task), { kind: 'device' }));
  browser.browser.once('disconnected', listener);
  return () => void browser.browser.off('disconnected', listener);
}

/**
 * The error of a call that failed because the browser has ended; Puppeteer reports only a closed target.
 * Other errors are returned unchanged.
 */
export const callError = (browser: HeadlessBrowser, task: string, error: unknown): unknown =>
  error instanceof Error && error.name === 'TargetCloseError'
    ? new HeddleError(endMessage(browser, task), { kind: 'device', cause: error })
    : error;

function endMessage(browser: HeadlessBrowser, task: string): Message {
  const pipeline = browser.lastPipeline();
  const reason =
    pipeline === undefined
      ? ''
      : msg`; the last compute pipeline was ${pipeline} (an error inside Firefox's WebGPU ends the whole browser)`;
  return msg`${browser.name} ended while running ${task}${reason}`;
}

/** The relevant line of a failed launch. Puppeteer's message contains all output of the browser. */
function launchTrouble(error: Error): string {
  if (error.message.includes('No usable sandbox')) {
    return 'no usable sandbox; install it (Debian: apt-get install chromium-sandbox) or allow user namespaces';
  }
  const lines = error.message.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '' && !/^(stderr|TROUBLESHOOTING):/.test(line))
    .slice(0, 2)
    .join(' ');
}
