// Starts the system's Firefox through Puppeteer (WebDriver BiDi) with WebGPU enabled. Its WebGPU is wgpu,
// which picks a software adapter of the system (Mesa's llvmpipe) if the machine has no GPU.
import type { Page } from 'puppeteer-core';
import { type BrowserOptions, checkBrowserOptions, type HeadlessBrowser, startBrowser } from './browser.ts';
import { findFirefox, programAt } from './programs.ts';

/** Options of `launchFirefox`. `executablePath` is by default FIREFOX_PATH or a usual place. */
export interface FirefoxOptions extends BrowserOptions {
  /** More preferences of the profile, as in about:config. */
  preferences?: Readonly<Record<string, string | number | boolean>>;
}

/** A running Firefox; `close` ends its process. */
export interface Firefox extends HeadlessBrowser {
  readonly name: 'Firefox';
}

/** Preferences: WebGPU on every system and in workers, and no connections except to this machine. */
const PREFERENCES = {
  'dom.webgpu.enabled': true,
  'dom.webgpu.workers.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  // A proxy that does not exist, which addresses of this machine do not use.
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': 1,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': 1,
};

/**
 * Starts Firefox with WebGPU and an empty profile. Pages can only reach addresses of this machine. Throws a
 * HeddleError if there is no Firefox or it does not start in time.
 *
 * An error inside Firefox's WebGPU (a panic of wgpu) ends the browser, and no page can catch it. Pages
 * therefore create compute pipelines one at a time and announce each one before, so that the error can name
 * the pipeline.
 *
 * @example
 * const firefox = await launchFirefox();
 * console.log(firefox.version, (await firefox.adapter()).features);
 * await firefox.close();
 */
export async function launchFirefox(options: FirefoxOptions = {}): Promise<Firefox> {
  checkBrowserOptions('launchFirefox', options, { preferences: true });
  const path = options.executablePath ?? findFirefox();
  const executablePath = programAt(path, 'Firefox', 'Debian: apt-get install firefox-esr', 'FIREFOX_PATH');
  let pipeline: string | undefined;
  const browser = await startBrowser(
    {
      name: 'Firefox',
      executablePath,
      flags: options.args ?? [],
      launch: { browser: 'firefox', extraPrefsFirefox: { ...PREFERENCES, ...options.preferences } },
      lastPipeline: () => pipeline,
      async prepare(page: Page) {
        await page.exposeFunction('heddlePipeline', (name: string) => {
          pipeline = name;
        });
        await page.evaluateOnNewDocument(announcePipelines);
      },
    },
    options,
  );
  return { ...browser, name: 'Firefox' };
}

/** Runs in each page, before its own scripts: must not refer to anything outside itself. */
function announcePipelines(): void {
  if (typeof GPUDevice === 'undefined') return;
  const announce = (globalThis as unknown as { heddlePipeline: (name: string) => Promise<void> })
    .heddlePipeline;
  const nameOf = ({ label = '', compute }: GPUComputePipelineDescriptor): string => {
    const constants = Object.entries(compute.constants ?? {}).map(([name, value]) => `${name}=${value}`);
    return [label || compute.entryPoint || 'without a label', ...constants].join(' ');
  };
  const { prototype } = GPUDevice;
  const { createComputePipeline, createComputePipelineAsync } = prototype;
  let previous: Promise<unknown> = Promise.resolve();
  prototype.createComputePipelineAsync = function (descriptor) {
    const created = previous
      .then(() => announce(nameOf(descriptor)))
      .then(() => createComputePipelineAsync.call(this, descriptor));
    previous = created.catch(() => undefined);
    return created;
  };
  prototype.createComputePipeline = function (descriptor) {
    void announce(nameOf(descriptor));
    return createComputePipeline.call(this, descriptor);
  };
}
