// The system's Firefox.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Firefox, launchFirefox } from '../../src/host/firefox.ts';
import { findFirefox } from '../../src/host/programs.ts';
import { runInPage } from '../../src/host/run-in-page.ts';
import { type FolderServer, serveFolder } from '../../src/host/static-server.ts';
import { errorAbout } from '../support/expect-error.ts';
import { waitLimit } from '../support/time-limits.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('finds Firefox at the path in FIREFOX_PATH', () => {
  vi.stubEnv('FIREFOX_PATH', '/some/firefox');
  expect(findFirefox()).toBe('/some/firefox');
});

it('throws an error that names the Debian package if Firefox is missing', async ({ skip }) => {
  vi.stubEnv('FIREFOX_PATH', '');
  vi.stubEnv('PATH', '');
  skip(findFirefox() !== undefined, 'Firefox is at a fixed path');
  await expect(launchFirefox()).rejects.toThrow(
    errorAbout({ kind: 'unsupported', values: ['Firefox', 'FIREFOX_PATH'] }),
  );
});

describe('a running Firefox', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-firefox-'));
  let firefox: Firefox;
  let server: FolderServer;
  beforeAll(async () => {
    // Naga panics if the size of a workgroup array is an override expression and another override follows.
    const script = `
      const panics = \`override N: u32 = 2u;
        var<workgroup> a: array<u32, N * 2u>;
        override LATER: u32 = 1u;
        @group(0) @binding(0) var<storage, read_write> y: array<u32>;
        @compute @workgroup_size(1) fn main() { a[0] = LATER; y[0] = a[0]; }\`;
      const works = '@compute @workgroup_size(1) fn main() {}';
      const compile = async (code, label) => {
        const device = await (await navigator.gpu.requestAdapter()).requestDevice();
        const module = device.createShaderModule({ code });
        await device.createComputePipelineAsync({ label, layout: 'auto', compute: { module } });
        return label;
      };
      globalThis.compile = () => Promise.all([compile(works, 'first'), compile(works, 'second')]);
      globalThis.panic = () => Promise.all([compile(works, 'good'), compile(panics, 'bad.main'), compile(works, 'next')]);
      globalThis.reach = () => fetch('http://192.0.2.1/', { mode: 'no-cors' }).then(() => true, () => false);
      globalThis.hello = () => { console.log('hello', 3); setTimeout(() => { throw new Error('late'); }); };`;
    writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="page.js"></script>');
    writeFileSync(join(folder, 'page.js'), script);
    [firefox, server] = await Promise.all([launchFirefox(), serveFolder(folder)]);
  });
  afterAll(async () => {
    await Promise.all([firefox?.close(), server?.close()]);
    rmSync(folder, { recursive: true });
  });

  it('names the browser and its version instead of the adapter', async () => {
    expect(firefox.version).toMatch(/^firefox\/[\d.]+/i);
    const adapter = await firefox.adapter();
    expect(adapter.host).toBe('Firefox');
    expect(`${adapter.vendor}${adapter.description}`).not.toBe('');
    if (adapter.vendor === '') expect(adapter.description).toMatch(/^Firefox \d+\.\d+/);
    expect(adapter.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
  });

  it('forwards console messages and uncaught errors, and connects only to this machine', async () => {
    const messages: string[] = [];
    const page = await firefox.openPage(server.url, {
      onConsole: (line, kind) => messages.push(`${kind}: ${line}`),
      onError: (error) => messages.push(`uncaught: ${error.message}`),
    });
    await page.evaluate('hello()');
    await vi.waitFor(
      () => expect(messages).toEqual(['log: hello 3', expect.stringMatching(/^uncaught: .*late/)]),
      { timeout: waitLimit },
    );
    expect(await page.evaluate('reach()')).toBe(false);
    await page.close();
  });

  it('names the pipeline of a panic, which ends the browser', async () => {
    expect(await runInPage(firefox, server.url, { call: 'compile' })).toEqual(['first', 'second']);
    expect(firefox.lastPipeline()).toBe('second');
    await expect(runInPage(firefox, server.url, { call: 'panic' })).rejects.toThrow(
      errorAbout({ kind: 'device', values: ['bad.main'] }),
    );
  });
});
