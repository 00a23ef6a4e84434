// The projects of docs/examples/ with the packed library: each is installed in an empty folder, built and run.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import puppeteer from 'puppeteer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findDeno } from '../../scripts/install.mjs';
import { chromeFlags, launchChrome } from '../../src/host/chrome.ts';
import { findChrome } from '../../src/host/programs.ts';
import { serveFolder } from '../../src/host/static-server.ts';
import { distFile } from '../support/dist.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'heddle-projects-'));
let tarball = '';
beforeAll(() => {
  distFile('heddle.js');
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    stdio: 'pipe',
  });
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Copies a project and installs it with the packed library. */
function install(name: string): (program: string, ...args: string[]) => string {
  const cwd = join(folder, name);
  cpSync(join(root, 'docs/examples', name), cwd, { recursive: true });
  const path = join(cwd, 'package.json');
  const json = JSON.parse(readFileSync(path, 'utf8')) as { dependencies: Record<string, string> };
  json.dependencies.heddle = `file:${tarball}`;
  writeFileSync(path, JSON.stringify(json));
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd, encoding: 'utf8', env: { ...process.env, STEPS: '20' } });
  run('npm', 'install', '--no-audit', '--no-fund', '--loglevel=error');
  return run;
}

it.each(['vite-page', 'react'])('%s trains, cancels, and translates', async (name) => {
  install(name)('npm', 'run', 'build');
  const [chrome, server] = [
    await launchChrome({ gpu: 'swiftshader' }),
    await serveFolder(join(folder, name, 'dist')),
  ];
  try {
    const errors: string[] = [];
    const page = await chrome.openPage(server.url, { onError: (error) => errors.push(error.message) });
    const status = (pattern: RegExp) =>
      page.waitForFunction(
        (source) => new RegExp(source, 'i').test(document.querySelector('#status')?.textContent ?? ''),
        { timeout: 300_000 },
        pattern.source,
      );
    await page.locator('#train').click();
    await status(/step [1-9]/);
    await page.locator('#cancel').click();
    await status(/stopped|ready/);
    await page.locator('#train').click();
    await status(/trained|ready step 150/);
    await page.locator('#translate').click();
    await page.waitForFunction(() => document.querySelector('#translation')?.textContent !== '');
    expect(await page.$eval('#translation', (e) => e.textContent)).toBe('dos cinco');
    expect(errors).toEqual([]);
  } finally {
    await chrome.close();
    await server.close();
  }
});

it('extension translates a text with the model in its files', async () => {
  const run = install('extension');
  cpSync(join(root, 'demo/models/en-es.safetensors'), join(folder, 'extension/public/model.safetensors'));
  run('npm', 'run', 'build');
  const dist = join(folder, 'extension/dist');
  const browser = await puppeteer.launch({
    executablePath: findChrome(),
    pipe: true,
    enableExtensions: true,
    args: chromeFlags('swiftshader'),
  });
  try {
    const id = await browser.installExtension(dist);
    const page = await browser.newPage();
    const text = encodeURIComponent('Tuesday, March 4, 2025');
    await page.goto(`chrome-extension://${id}/popup.html?text=${text}`);
    await page.waitForFunction(() => /2025/.test(document.querySelector('#translation')?.textContent ?? ''), {
      timeout: 120_000,
    });
    expect(await page.$eval('#translation', (e) => e.textContent)).toBe('martes, 4 de marzo de 2025');
  } finally {
    await browser.close();
  }
});

it('node trains on a file and translates lines', () => {
  const run = install('node');
  writeFileSync(join(folder, 'node/pairs.tsv'), 'one\tuno\ntwo\tdos\nthree\ttres\nfour\tcuatro\n'.repeat(50));
  expect(run('npm', 'run', 'train', '--silent', '--', 'pairs.tsv', 'out')).toContain(
    'saved out after 20 steps',
  );
  const lines = execFileSync('npm', ['run', 'translate', '--silent', '--', 'out'], {
    cwd: join(folder, 'node'),
    encoding: 'utf8',
    input: 'one\ntwo\n',
  });
  expect(lines.trimEnd().split('\n')).toHaveLength(2);
});

it.skipIf(!findDeno())('deno trains and translates (needs Deno)', () => {
  const deno = findDeno() ?? '';
  const cwd = join(folder, 'deno');
  cpSync(join(root, 'docs/examples/deno'), cwd, { recursive: true });
  // Deno reads no tarball: the files of the package, unpacked.
  execFileSync('tar', ['xzf', tarball, '-C', cwd]);
  const path = join(cwd, 'deno.json');
  const json = JSON.parse(readFileSync(path, 'utf8')) as { imports: Record<string, string> };
  json.imports.heddle = './package/dist/heddle.deno.js';
  json.imports['heddle/data'] = './package/dist/data.deno.js';
  writeFileSync(path, JSON.stringify(json));
  const task = (...args: string[]) => execFileSync(deno, ['task', ...args], { cwd, encoding: 'utf8' });
  expect(task('train', 'out', '20')).toContain('saved out after 20 steps');
  expect(task('translate', 'out', 'Monday', 'Tuesday').trimEnd().split('\n')).toHaveLength(2);
});
