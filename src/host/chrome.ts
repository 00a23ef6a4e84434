// Starts the system's Chrome through Puppeteer with WebGPU enabled. It uses SwiftShader, a software adapter,
// if the machine has no GPU.
import { existsSync } from 'node:fs';
import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { type BrowserOptions, checkBrowserOptions, type HeadlessBrowser, startBrowser } from './browser.ts';
import { findChrome, programAt } from './programs.ts';

/**
 * Options of `launchChrome`. `executablePath` is by default PUPPETEER_EXECUTABLE_PATH, CHROME_PATH or a usual
 * place.
 */
export interface ChromeOptions extends BrowserOptions {
  /**
   * `hardware`: the machine's GPU, with an error if Chrome finds none. `swiftshader`: Chrome's software
   * adapter. `auto` (default): the machine's GPU, or SwiftShader if there is none.
   */
  gpu?: 'auto' | 'hardware' | 'swiftshader';
  /** Report timestamp queries in nanoseconds instead of rounding them to about 0.1 ms (default: false). */
  exactTimestamps?: boolean;
}

/** A running Chrome; `close` ends its process. */
export interface Chrome extends HeadlessBrowser {
  readonly name: 'Chrome';
  /** Kind of the adapter that pages get. */
  gpu: 'hardware' | 'swiftshader';
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
  checkBrowserOptions('launchChrome', options, { gpu: true, exactTimestamps: true });
  const { gpu = 'auto' } = options;
  if (gpu === 'swiftshader' || (gpu === 'auto' && !mayHaveGpu())) return launch(options, 'swiftshader');
  const chrome = await launch(options, 'hardware');
  const adapter = await chrome.adapter().catch(() => undefined);
  if (adapter && !adapter.software) return chrome;
  await chrome.close();
  if (gpu === 'auto') return launch(options, 'swiftshader');
  throw new HeddleError(
    msg`Chrome found no GPU${adapter ? msg`, only ${adapter.architecture}` : ''}: see chrome://gpu for the reason, or use gpu: 'swiftshader' to compute on the CPU`,
    { kind: 'unsupported' },
  );
}

async function launch(options: ChromeOptions, gpu: Chrome['gpu']): Promise<Chrome> {
  const path = options.executablePath ?? findChrome();
  const executablePath = programAt(path, 'Chrome', 'Debian: apt-get install chromium', 'CHROME_PATH');
  const flags = [...chromeFlags(gpu, options.exactTimestamps), ...(options.args ?? [])];
  const browser = await startBrowser({ name: 'Chrome', executablePath, flags }, options);
  return { ...browser, name: 'Chrome', gpu };
}

/**
 * Chrome's flags for WebGPU on the given adapter. The sandbox cannot start as root, the user of most
 * containers; it is off then. Host names do not resolve, so that pages can only reach 127.0.0.1.
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

/** Whether Chrome may find a GPU: true except on Linux without the device file of one. */
function mayHaveGpu(): boolean {
  if (process.platform !== 'linux') return true;
  return ['/dev/dri', '/dev/nvidia0', '/dev/dxg', '/dev/kfd'].some((path) => existsSync(path));
}
