// heddle/headless from the installed package: the documented example, and errors of a page that hangs or
// throws.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chrome, launchChrome } from '../../src/host/chrome.ts';
import { runInPage } from '../../src/host/run-in-page.ts';
import { type FolderServer, serveFolder } from '../../src/host/static-server.ts';
import { distFile } from '../support/dist.ts';
import { errorAbout } from '../support/expect-error.ts';
import { itInFull } from '../support/in-full.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'heddle-headless-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('runs the documented example', async () => {
  distFile('headless.js');
  const [example = '', page = ''] = [
    ...readFileSync(join(root, 'docs/headless.md'), 'utf8').matchAll(/```js\n([\s\S]*?)```/g),
  ].map((m) => m[1] as string);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/heddle'));
  mkdirSync(join(folder, 'site'));
  writeFileSync(
    join(folder, 'site/index.html'),
    '<!doctype html><script type="module" src="add.js"></script>',
  );
  writeFileSync(join(folder, 'site/add.js'), page);
  writeFileSync(join(folder, 'example.mjs'), example);
  const output = await new Promise<string>((done, fail) => {
    execFile(process.execPath, ['example.mjs'], { cwd: folder, timeout: 150_000 }, (error, stdout, stderr) =>
      error ? fail(new Error(`${error.message}\n${stderr}`)) : done(stdout),
    );
  });
  const lines = output.trim().split('\n');
  expect(lines[0]).toMatch(/^(Headless)?Chrom\S+\/[\d.]+ on (swiftshader|hardware): \w+ \w+$/);
  expect(lines).toContain('report: { limit: true }');
  expect(lines).toContain('page log: added 4 numbers');
  expect(lines.at(-1)).toBe('[ 11, 22, 33, 44 ]');
});

describe('a function of a page', () => {
  let chrome: Chrome;
  let server: FolderServer;
  beforeAll(async () => {
    mkdirSync(join(folder, 'pages'));
    const script = `
      globalThis.later = async (ms, value) => { await new Promise((done) => setTimeout(done, ms)); return value; };
      globalThis.count = (n) => { for (let i = 0; i < n; i++) heddleReport(i); return 'counted'; };
      globalThis.fails = () => { throw new RangeError('too much'); };
      globalThis.breaks = () => new Promise(() => setTimeout(() => { throw new Error('late'); }));
      globalThis.hangs = () => { console.log('step 3 of 8'); return new Promise(() => {}); };`;
    writeFileSync(
      join(folder, 'pages/index.html'),
      '<!doctype html><script type="module" src="page.js"></script>',
    );
    writeFileSync(join(folder, 'pages/page.js'), script);
    [chrome, server] = await Promise.all([
      launchChrome({ gpu: 'swiftshader' }),
      serveFolder(join(folder, 'pages')),
    ]);
  });
  afterAll(async () => {
    await Promise.all([chrome?.close(), server?.close()]);
  });

  it('receives its arguments, and returns its result and reports', async () => {
    expect(await runInPage(chrome, server.url, { call: 'later', args: [5, { x: [1, 2] }] })).toEqual({
      x: [1, 2],
    });
    const reports: unknown[] = [];
    const result = runInPage(chrome, server.url, {
      call: 'count',
      args: [4],
      onReport: (value) => reports.push(value),
    });
    expect(await result).toBe('counted');
    expect(reports).toEqual([0, 1, 2, 3]);
  });

  it('rejects with the error of the page', async () => {
    await expect(runInPage(chrome, server.url, { call: 'fails' })).rejects.toThrow(
      expect.objectContaining({ name: 'RangeError', message: 'too much' }),
    );
  });

  it('rejects with an uncaught error of the page', async () => {
    await expect(runInPage(chrome, server.url, { call: 'breaks' })).rejects.toThrow(
      errorAbout({ kind: 'device', values: ['late'] }),
    );
  });

  itInFull('is named in the error of a timeout, with the last message', async () => {
    await expect(runInPage(chrome, server.url, { call: 'hangs', timeout: 1500 })).rejects.toThrow(
      errorAbout({ kind: 'timeout', values: ['1.5 s', 'step 3 of 8'] }),
    );
    await expect(runInPage(chrome, server.url, { call: 'hangs', silence: 1500 })).rejects.toThrow(
      errorAbout({ kind: 'timeout', values: ['1.5 s', 'step 3 of 8'] }),
    );
  });

  it('is named in the error if the page has no such function', async () => {
    await expect(runInPage(chrome, server.url, { call: 'absent', loading: 500 })).rejects.toThrow(
      errorAbout({ kind: 'timeout', values: [0.5] }),
    );
  });

  it('runs on an adapter that Chrome describes', async () => {
    const adapter = await chrome.adapter();
    expect(adapter).toMatchObject({
      host: 'Chrome',
      vendor: 'google',
      architecture: 'swiftshader',
      software: true,
    });
    expect(adapter.limits.maxBufferSize).toBeGreaterThan(0);
    expect(chrome.version).toMatch(/Chrom\S+\/\d+/);
    expect(chrome.flags).toContain('--use-webgpu-adapter=swiftshader');
  });
});
