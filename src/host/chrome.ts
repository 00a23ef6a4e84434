// Chrome as a host: finds the system's browser, starts it through Puppeteer with WebGPU on (on a software adapter where the
// machine has no GPU) and opens pages in it. What runs in the page is not its matter.
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Browser, ConsoleMessage, LaunchOptions, Page } from 'puppeteer';
import { HeddleError } from '../core/errors.ts';
import type { AdapterDescription } from './adapter-info.ts';
import { describeChromeAdapter } from './chrome-adapter.ts';
import { within } from './with-timeout.ts';

/** How Chrome is started. */
export interface ChromeOptions {
  /**
   * `hardware`: the machine's GPU, and an error where Chrome finds none. `swiftshader`: Chrome's software adapter. `auto` (the
   * default): the machine's GPU, and SwiftShader where there is none.
   */
  gpu?: 'auto' | 'hardware' | 'swiftshader';
  /** false opens a window; the default is true. */
  headless?: boolean;
  /** The browser's program; by default PUPPETEER_EXECUTABLE_PATH, CHROME_PATH, then the usual places. */
  executablePath?: string;
  /** Timestamp queries in full nanoseconds instead of rounded to about 0.1 ms. */
  exactTimestamps?: boolean;
  /** Further command line flags for Chrome. */
  args?: string[];
  /** Close Chrome and end the process on SIGINT, SIGTERM and SIGHUP (the default). A caller that handles these sets false. */
  handleSignals?: boolean;
  /** Milliseconds that starting or opening a page may take; 60,000 by default. */
  timeout?: number;
}

/** A running Chrome; it owns the process, and `close` ends it. */
export interface Chrome {
  /** Puppeteer's handle, for what is not offered here. */
  browser: Browser;
  /** The adapter that pages get: the machine's own or Chrome's software one. */
  gpu: 'hardware' | 'swiftshader';
  /** `Chrome/130.0.6723.91`. */
  version: string;
  /** The flags that it was started with. */
  flags: readonly string[];
  /** Describes the adapter that came up: what it is, its features and limits. Throws a HeddleError where a page gets none. */
  adapter(): Promise<AdapterDescription>;
  /**
   * Opens a page at `url` and waits until it has loaded. `onConsole` gets every line that the page prints, `onError` every
   * error that nobody in the page caught, and its crash. Throws a HeddleError if it does not load in time.
   */
  openPage(url: string, listeners?: PageListeners): Promise<Page>;
  /** Ends Chrome; at most 10 s, then by force. */
  close(): Promise<void>;
}

/** What a page says while it runs. */
export interface PageListeners {
  onConsole?: (line: string, kind: ReturnType<ConsoleMessage['type']>) => void;
  onError?: (error: Error) => void;
}

/**
 * Starts Chrome with WebGPU and an empty profile of its own, cut off from every address but this machine's.
 * Throws a HeddleError if there is no Chrome or it does not start in time.
 */
export async function launchChrome(options: ChromeOptions = {}): Promise<Chrome> {
  const { gpu = 'auto' } = options;
  if (gpu === 'swiftshader' || (gpu === 'auto' && !mayHaveGpu())) return launch(options, 'swiftshader');
  const chrome = await launch(options, 'hardware');
  const found = await describeChromeAdapter(chrome).catch(() => undefined);
  if (found && !found.software) return chrome;
  await chrome.close();
  if (gpu === 'auto') return launch(options, 'swiftshader');
  throw new HeddleError(
    `Chrome found no GPU${found ? `, only ${found.architecture}` : ''}: chrome://gpu says why; use gpu: 'swiftshader' to compute on the CPU.`,
  );
}

async function launch(options: ChromeOptions, gpu: Chrome['gpu']): Promise<Chrome> {
  const executablePath = options.executablePath ?? findChrome();
  if (!executablePath) throw new HeddleError(noChromeMessage());
  if (!isProgram(executablePath))
    throw new HeddleError(`no Chrome: ${executablePath} is not a program that can be run`);
  const timeout = options.timeout ?? 60_000;
  const signals = options.handleSignals ?? true;
  const flags = [...chromeFlags(gpu, options.exactTimestamps), ...(options.args ?? [])];
  const launchOptions: LaunchOptions = {
    executablePath,
    headless: options.headless ?? true,
    args: flags,
    timeout,
    protocolTimeout: 0, // a training job is one call that lasts as long as it lasts
    handleSIGINT: signals,
    handleSIGTERM: signals,
    handleSIGHUP: signals,
  };
  const { default: puppeteer } = await import('puppeteer');
  let browser: Browser;
  try {
    browser = await within(timeout + 1000, `starting ${executablePath}`, puppeteer.launch(launchOptions));
  } catch (error) {
    throw new HeddleError(`Chrome did not start (${executablePath}): ${launchTrouble(error as Error)}`, {
      cause: error,
    });
  }
  const chrome: Chrome = {
    browser,
    gpu,
    version: await browser.version(),
    flags,
    adapter: () => describeChromeAdapter(chrome),
    openPage: (url, listeners) => openPage(browser, url, timeout, listeners),
    close: () => close(browser),
  };
  return chrome;
}

/**
 * Chrome's flags for WebGPU on the given adapter. As root, as in most containers, its sandbox cannot start; nothing but our
 * own page is ever opened: names do not resolve and only 127.0.0.1 is reached.
 */
export function chromeFlags(gpu: Chrome['gpu'], exactTimestamps = false): string[] {
  const flags = [
    '--enable-unsafe-webgpu',
    '--enable-features=Vulkan',
    '--disable-vulkan-surface',
    '--disable-gpu-watchdog', // a long kernel on a software adapter is slow, not hung
    '--disable-dev-shm-usage', // containers often have 64 MiB of it
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
  const page = await within(timeout, 'Chrome opening a tab', browser.newPage());
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
    await within(10_000, 'Chrome closing', browser.close());
  } catch {
    browser.process()?.kill('SIGKILL');
  }
}

/** Whether this machine may have a GPU that Chrome can use: on Linux a device file says so, elsewhere there always is one. */
function mayHaveGpu(): boolean {
  if (process.platform !== 'linux') return true;
  return ['/dev/dri', '/dev/nvidia0', '/dev/dxg', '/dev/kfd'].some((path) => existsSync(path));
}

/** Programs that are Chrome, by name on the PATH or by place, in the order they are tried. scripts/setup.mjs has the same list. */
export const CHROME_PROGRAMS = [
  'google-chrome-stable',
  'google-chrome',
  'chromium',
  'chromium-browser',
  '/usr/lib/chromium/chromium',
  '/opt/google/chrome/chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

/** The path of the system's Chrome or Chromium, or undefined. The environment decides, where it is set. */
export function findChrome(): string | undefined {
  const named = process.env.PUPPETEER_EXECUTABLE_PATH || process.env.CHROME_PATH;
  if (named) return named;
  for (const program of CHROME_PROGRAMS) {
    if (/[\\/]/.test(program)) {
      if (isProgram(program)) return program;
      continue;
    }
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, program);
      if (folder && isProgram(path)) return path;
    }
  }
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The one line of a failed launch that matters. Puppeteer's message holds all that Chrome wrote. */
function launchTrouble(error: Error): string {
  if (error.message.includes('No usable sandbox')) {
    return 'it finds no sandbox to run in; install its sandbox (Debian: apt-get install chromium-sandbox) or allow user namespaces';
  }
  const lines = error.message.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '' && !/^(stderr|TROUBLESHOOTING):/.test(line))
    .slice(0, 2)
    .join(' ');
}

function noChromeMessage(): string {
  const remedy = process.platform === 'linux' ? ' (Debian: apt-get install chromium)' : '';
  return `no Chrome found: install Chrome or Chromium${remedy}, or set CHROME_PATH to its program`;
}
