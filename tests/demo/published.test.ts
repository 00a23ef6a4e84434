// The built pages on a static host, under a sub-path: they load, translate, and open again offline.
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { dirname, extname, join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { demoModels, learnedPositionsModel } from '../../demo/train/page/demo-models.ts';
import { type Chrome, launchChrome } from '../../src/host/chrome.ts';
import { distFile } from '../support/dist.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folder = dirname(distFile('demo/index.html'));
const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
let chrome: Chrome;
let server: Server;
let url = '';

beforeAll(async () => {
  // A plain host: no header but the type, and nothing outside of /some/path/.
  server = createServer((request, response) => {
    const path = new URL(request.url ?? '', 'http://x').pathname.replace(/\/$/, '/index.html');
    const file = join(folder, path.replace('/some/path/', ''));
    if (!path.startsWith('/some/path/') || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}/some/path/`;
  chrome = await launchChrome({ gpu: 'swiftshader' });
});
afterAll(async () => {
  await chrome.close();
  server.closeAllConnections();
  server.close();
});

it('runs programs in their frame under a sub-path, on a host without CORS', async () => {
  const page = await chrome.browser.newPage();
  await page.goto(`${url}code.html#metrics-of-translations`, { waitUntil: 'load' });
  await page.locator('::-p-aria([name="Run"][role="button"])').click();
  await page.waitForFunction(() => /^Finished/.test(document.querySelector('#program .status')?.textContent ?? ''));
  expect(await page.$eval('.output', (e) => e.textContent)).toMatch(/score: 94\.57/);
  await page.close();
});

it('translates under a sub-path, and opens and translates again offline', async () => {
  const page = await chrome.browser.newPage();
  const failed: string[] = [];
  page.on('response', (response) => void (response.status() >= 400 && failed.push(response.url())));
  await page.goto(url, { waitUntil: 'load' });
  const answered = () =>
    page.waitForFunction(() => /martes/.test(document.querySelector('#translation')?.textContent ?? ''), {
      timeout: 60_000,
    });
  await answered();
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await page.reload(); // the model goes through the service worker, which keeps it
  await answered();
  expect(failed).toEqual([]);
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await page.reload();
  await answered();
  expect(await page.evaluate(() => document.querySelector('link[rel="manifest"]') !== null)).toBe(true);
  await page.close();
});

it('has models of at most 1 MB, of the sizes that the gallery says', () => {
  const assets = join(folder, 'assets');
  const models = readdirSync(assets).filter((name) => name.endsWith('.safetensors'));
  expect(models).toHaveLength(4);
  const sizes = models.map((name) => statSync(join(assets, name)).size);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1e6);
  // The script that trains them loads, with what it imports of the build.
  const script = join(import.meta.dirname, '../../scripts/train-demo-models.mjs');
  expect(spawnSync(process.execPath, [script, 'none'], { encoding: 'utf8' }).stderr).toMatch(
    'there is no model en-none; there are es, ar, ja, es-learned',
  );
  expect(sizes.sort()).toEqual([...demoModels, learnedPositionsModel].map(({ bytes }) => bytes).sort());
});
