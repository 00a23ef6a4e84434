// Finds and starts Chrome, and reports why it does not start.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Chrome, chromeFlags, launchChrome } from '../../src/host/chrome.ts';
import { findChrome } from '../../src/host/programs.ts';
import { type FolderServer, serveFolder } from '../../src/host/static-server.ts';
import { distFile } from '../support/dist.ts';
import { errorAbout } from '../support/expect-error.ts';
import { waitLimit } from '../support/time-limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-chrome-'));

afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, text = '#!/bin/sh\nexit 3\n'): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

describe('the search for Chrome', () => {
  it('uses the path in the environment variables', () => {
    vi.stubEnv('CHROME_PATH', '/some/chrome');
    expect(findChrome()).toBe('/some/chrome');
    vi.stubEnv('PUPPETEER_EXECUTABLE_PATH', '/other/chrome');
    expect(findChrome()).toBe('/other/chrome');
  });

  it('prefers google-chrome to chromium, along the PATH', () => {
    vi.stubEnv('CHROME_PATH', '');
    vi.stubEnv('PUPPETEER_EXECUTABLE_PATH', '');
    program('a/chromium');
    const wanted = program('b/google-chrome');
    vi.stubEnv('PATH', `${join(folder, 'a')}:${join(folder, 'b')}`);
    expect(findChrome()).toBe(wanted);
  });
});

describe('launchChrome', () => {
  it('reports that the given Chrome is not a program', async () => {
    const launched = launchChrome({ gpu: 'swiftshader', executablePath: join(folder, 'none') });
    await expect(launched).rejects.toThrow(errorAbout({ kind: 'unsupported', values: ['Chrome'] }));
  });

  it('reports that Chrome exits at once', async () => {
    const executablePath = program('broken');
    const launched = launchChrome({ gpu: 'swiftshader', executablePath });
    await expect(launched).rejects.toThrow(errorAbout({ kind: 'unsupported', values: ['Chrome'] }));
  });

  it('reports what to install if Chrome has no sandbox', async () => {
    const executablePath = program(
      'unboxed',
      '#!/bin/sh\necho "FATAL: No usable sandbox! Read this." >&2\nexit 1\n',
    );
    const launched = launchChrome({ gpu: 'swiftshader', executablePath });
    await expect(launched).rejects.toThrow(errorAbout({ kind: 'unsupported', values: ['Chrome'] }));
  });

  it('reports that Chrome hangs', async () => {
    const executablePath = program('hangs', '#!/bin/sh\nexec sleep 30\n');
    const launched = launchChrome({ gpu: 'swiftshader', executablePath, timeout: 300 });
    await expect(launched).rejects.toThrow(errorAbout({ kind: 'unsupported', values: ['Chrome'] }));
  });

  it('passes the flag for the software adapter only if asked to', () => {
    expect(chromeFlags('swiftshader')).toContain('--use-webgpu-adapter=swiftshader');
    expect(chromeFlags('hardware').join(' ')).not.toContain('swiftshader');
  });
});

describe('a running Chrome', () => {
  let chrome: Chrome;
  let server: FolderServer;
  beforeAll(async () => {
    [chrome, server] = await Promise.all([
      launchChrome({ gpu: 'swiftshader' }),
      serveFolder(dirname(distFile('headless-page.html'))),
    ]);
  });
  afterAll(async () => {
    await Promise.all([chrome?.close(), server?.close()]);
  });

  it('describes its software adapter', async () => {
    const adapter = await chrome.adapter();
    expect(adapter).toMatchObject({ host: 'Chrome', vendor: 'google', architecture: 'swiftshader' });
    expect(adapter.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
  });

  it('forwards console messages and uncaught errors of the page', async () => {
    const messages: string[] = [];
    const page = await chrome.openPage(`${server.url}headless-page.html`, {
      onConsole: (line, kind) => messages.push(`${kind}: ${line}`),
      onError: (error) => messages.push(`uncaught: ${error.message}`),
    });
    // As a string: an error of a function that Puppeteer evaluates is not an error of the page.
    await page.evaluate("console.log('step', 3); setTimeout(() => { throw new Error('late'); }); undefined");
    await vi.waitFor(() => expect(messages).toEqual(['log: step 3', 'uncaught: late']), {
      timeout: waitLimit,
    });
    await page.close();
  });

  it('connects only to this machine', async () => {
    const page = await chrome.openPage(`${server.url}headless-page.html`);
    const reached = await page.evaluate(() =>
      fetch('http://heddle.example/', { mode: 'no-cors' }).then(
        () => true,
        () => false,
      ),
    );
    expect(reached).toBe(false);
    await page.close();
  });

  it('names the page that did not load', async () => {
    await expect(chrome.openPage('http://127.0.0.1:1/')).rejects.toThrow(
      errorAbout({ kind: 'network', values: ['Chrome'] }),
    );
  });
});
