// Starts the system's Chrome through Puppeteer with WebGPU enabled and opens pages in it. It uses SwiftShader, a
// software adapter, if the machine has no GPU.
import { existsSync } from 'node:fs';
import type { Browser, ConsoleMessage, LaunchOptions, Page } from 'puppeteer-core';
import { HeddleError } from '../core/errors.ts';
import { type AdapterDescription, probeAdapter } from './adapter-info.ts';
import { findChrome, isProgram, noChromeMessage } from './chrome-program.ts';
import { optionalPackage } from './optional-package.ts';
import { serveFolder } from './static-server.ts';
import { withTimeout } from './with-timeout.ts';

/** Options of `launchChrome`. */
export interface ChromeOptions {
  /**
   * `hardware`: the machine's GPU, with an error if Chrome finds none. `swiftshader`: Chrome's software adapter. `auto`
   * (default): the machine's GPU, or SwiftShader if there is none.
   */
  gpu?: 'auto' | 'hardware' | 'swiftshader';
  /** Run without a window (default: true). */
  headless?: boolean;
  /** Path of the browser (default: PUPPETEER_EXECUTABLE_PATH, CHROME_PATH, then the usual places). */
  executablePath?: string;
  /** Report timestamp queries in nanoseconds instead of rounding them to about 0.1 ms (default: false). */
  exactTimestamps?: boolean;
  /** More command-line flags for Chrome. */
  args?: string[];
  /** Close Chrome and exit the process on SIGINT, SIGTERM and SIGHUP (default: true). */
  handleSignals?: boolean;
  /** Time limit for starting Chrome and for opening a page, in milliseconds (default: 60,000). */
  timeout?: number;
}

/** A running Chrome. It owns the process; `close` ends it. */
export interface Chrome {
  /** Puppeteer's browser object. */
  browser: Browser;
  /** Kind of the adapter that pages get. */
  gpu: 'hardware' | 'swiftshader';
  /** For example `Chrome/130.0.6723.91`. */
  version: string;
  /** Command-line flags of the browser. */
  flags: readonly string[];
  /** Describes the adapter that pages get. Throws a HeddleError if there is none. */
  adapter(): Promise<AdapterDescription>;
  /** Opens a page at `url` and waits until it has loaded. Throws a HeddleError if it does not load in time. */
  openPage(url: string, listeners?: PageListeners): Promise<Page>;
  /** Ends Chrome; kills the process if it does not end within 10 s. */
  close(): Promise<void>;
}

/** Callbacks for the output of a page. */
export interface PageListeners {
  /** Receives each line that the page prints on its console. */
  onConsole?: (line: string, kind: ReturnType<ConsoleMessage['type']>) => void;
  /** Receives each uncaught error, and the crash of the page. */
  onError?: (error: Error) => void;
}

/**
 * Starts Chrome with WebGPU and an empty profile. Pages can only reach addresses of this machine.
 * Throws a HeddleError if there is no Chrome or it does not start in time.
 *
 * @example
 * const chrome = await launchChrome({ gpu: 'auto' });
 * console.log(chrome.version, (await chrome.adapter()).description);
 * await chrome.close();
 */
export async function launchChrome(options: ChromeOptions = {}): Promise<Chrome> {
  const { gpu = 'auto' } = options;
  if (gpu === 'swiftshader' || (gpu === 'auto' && !mayHaveGpu())) return launch(options, 'swiftshader');
  const chrome = await launch(options, 'hardware');
  const adapter = await chrome.adapter().catch(() => undefined);
  if (adapter && !adapter.software) return chrome;
  await chrome.close();
  if (gpu === 'auto') return launch(options, 'swiftshader');
  throw new HeddleError(
    `Chrome found no GPU${adapter ? `, only ${adapter.architecture}` : ''}: see chrome://gpu for the reason, or use gpu: 'swiftshader' to compute on the CPU`,
  );
}

async function launch(options: ChromeOptions, gpu: Chrome['gpu']): Promise<Chrome> {
  const executablePath = options.executablePath ?? findChrome();
  if (!executablePath) throw new HeddleError(noChromeMessage());
  if (!isProgram(executablePath)) throw new HeddleError(`no Chrome: ${executablePath} is not an executable file`);
  const timeout = options.timeout ?? 60_000;
  const signals = options.handleSignals ?? true;
  const flags = [...chromeFlags(gpu, options.exactTimestamps), ...(options.args ?? [])];
  const launchOptions: LaunchOptions = {
    executablePath,
    headless: options.headless ?? true,
    args: flags,
    timeout,
    protocolTimeout: 0, // a training run is one call without a time limit
    handleSIGINT: signals,
    handleSIGTERM: signals,
    handleSIGHUP: signals,
  };
  const instead = 'use Dawn instead (--host dawn)';
  const { default: puppeteer } = await optionalPackage('puppeteer-core', () => import('puppeteer-core'), instead);
  let browser: Browser;
  try {
    browser = await withTimeout(timeout + 1000, `starting ${executablePath}`, puppeteer.launch(launchOptions));
  } catch (error) {
    throw new HeddleError(`Chrome did not start (${executablePath}): ${launchTrouble(error as Error)}`, {
      cause: error,
    });
  }
  return {
    browser,
    gpu,
    version: await browser.version(),
    flags,
    adapter: () => adapterOf(browser, timeout),
    openPage: (url, listeners) => openPage(browser, url, timeout, listeners),
    close: () => close(browser),
  };
}

/**
 * Chrome's flags for WebGPU on the given adapter. The sandbox cannot start as root, the user of most containers; it is
 * off then. Host names do not resolve, so that pages can only reach 127.0.0.1.
 */
export function chromeFlags(gpu: Chrome['gpu'], exactTimestamps = false): string[] {
  const flags = [
    '--enable-unsafe-webgpu',
    '--enable-features=Vulkan',
    '--disable-vulkan-surface',
    '--disable-gpu-watchdog', // a kernel on a software adapter can take longer than its limit
    '--disable-dev-shm-usage', // containers often have only 64 MiB of shared memory
    '--no-default-browser-check',
    '--no-pings',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
  ];
  if (gpu === 'swiftshader') flags.push('--use-webgpu-adapter=swiftshader');
  if (process.getuid?.() === 0) flags.push('--no-sandbox');
  if (exactTimestamps) flags.push('--disable-dawn-features=timestamp_quantization');
  return flags;
}

async function openPage(browser: Browser, url: string, timeout: number, listeners: PageListeners = {}): Promise<Page> {
  const page = await withTimeout(timeout, 'opening a tab in Chrome', browser.newPage());
  page.on('console', (message) => listeners.onConsole?.(message.text(), message.type()));
  page.on('pageerror', (error) => listeners.onError?.(error instanceof Error ? error : new Error(String(error))));
  page.on('error', (error) => listeners.onError?.(error));
  try {
    await page.goto(url, { timeout, waitUntil: 'load' });
  } catch (error) {
    throw new HeddleError(`Chrome did not load ${url}: ${(error as Error).message}`, { cause: error });
  }
  return page;
}

async function close(browser: Browser): Promise<void> {
  try {
    await withTimeout(10_000, 'closing Chrome', browser.close());
  } catch {
    browser.process()?.kill('SIGKILL');
  }
}

/** Time limit for the adapter request in milliseconds: a broken driver can block it forever. */
const ADAPTER_TIMEOUT = 20_000;

/** Describes the adapter from an empty page of a local server, since WebGPU needs a secure context. */
async function adapterOf(browser: Browser, timeout: number): Promise<AdapterDescription> {
  const server = await serveFolder(undefined);
  try {
    const page = await openPage(browser, server.url, timeout);
    const request = page.evaluate(probeAdapter, 'Chrome');
    const adapter = await withTimeout(ADAPTER_TIMEOUT, 'finding a GPU in Chrome', request);
    await page.close();
    if (!adapter) throw new HeddleError('no WebGPU adapter in Chrome');
    return adapter;
  } finally {
    await server.close();
  }
}

/** Whether Chrome may find a GPU: true except on Linux without the device file of one. */
function mayHaveGpu(): boolean {
  if (process.platform !== 'linux') return true;
  return ['/dev/dri', '/dev/nvidia0', '/dev/dxg', '/dev/kfd'].some((path) => existsSync(path));
}

/** The relevant line of a failed launch. Puppeteer's message contains all output of Chrome. */
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
