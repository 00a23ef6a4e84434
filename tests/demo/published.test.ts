// The built pages on a static host, under a sub-path: they load, translate, download from the hub, and open
// again offline.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { dirname, extname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hubOrigin, trainingPagePolicy } from '../../demo/content-security-policy.ts';
import {
  demoModels,
  earlierModels,
  largeModel,
  learnedPositionsModel,
} from '../../demo/train/page/demo-models.ts';
import { type Chrome, launchChrome } from '../../src/host/chrome.ts';
import { type Hub, startHub } from '../files/hub/hub.ts';
import { untilText } from '../support/demo.ts';
import { distFile } from '../support/dist.ts';
import { hfFolder } from '../support/hf.ts';
import { itInFull } from '../support/in-full.ts';

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
let hub: Hub;
/** The pages with the hub of this test in place of Hugging Face's, and with their policy for workers too. */
let withHub = false;
const atHub = (text: string): string =>
  text
    .replaceAll(hubOrigin, hub.url)
    .replaceAll('https://*.hf.co', hub.url.replace('127.0.0.1', 'localhost'));

beforeAll(async () => {
  const files = await hfFolder('bart');
  hub = await startHub({
    'config.json': await files.read('bart/config.json'),
    'model.safetensors': await files.read('bart/model.safetensors'),
  });
  // A plain host: no header but the type, and nothing outside of /some/path/.
  server = createServer((request, response) => {
    const path = new URL(request.url ?? '', 'http://x').pathname.replace(/\/$/, '/index.html');
    const file = join(folder, path.replace('/some/path/', ''));
    if (!path.startsWith('/some/path/') || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    const headers: Record<string, string> = {
      'Content-Type': types[extname(file)] ?? 'application/octet-stream',
    };
    if (withHub) headers['Content-Security-Policy'] = atHub(trainingPagePolicy);
    const isText = withHub && /\.(html|js)$/.test(file);
    response.writeHead(200, headers);
    response.end(isText ? atHub(readFileSync(file, 'utf8')) : readFileSync(file));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}/some/path/`;
  chrome = await launchChrome({ gpu: 'swiftshader' });
});
afterAll(async () => {
  await chrome.close();
  await hub.close();
  server.closeAllConnections();
  server.close();
});

// The first test: the service worker of a later one would answer with the pages as they were built.
itInFull('downloads a model directly from the hub under a sub-path, as its policy allows', async () => {
  withHub = true;
  hub.state.elsewhere = hub.url.replace('127.0.0.1', 'localhost'); // another origin, as the hub's storage of large files
  hub.state.cuts['model.safetensors'] = [3000];
  const page = await chrome.browser.newPage();
  await page.evaluateOnNewDocument(() => {
    Object.defineProperty(Navigator.prototype, 'serviceWorker', { value: undefined });
  });
  await page.goto(`${url}?tune=0`, { waitUntil: 'load' });
  await page.locator('#hub-model').fill('me/gone');
  await page.locator('#hub-fetch').click();
  await untilText(
    page,
    '#hub-note.wrong',
    '^me/gone/config.json: there is no such model, revision or file \\(404\\); check the spelling',
  );
  await page.locator('#hub-model').fill('me/it');
  await page.locator('#hub-fetch').click();
  await untilText(page, '#hub-note', '^me/it was downloaded');
  // After the cut connection it continued with range requests, the cache of Chrome with one more.
  const [first, ...others] = hub.log.filter(({ path }) => path.startsWith('/cdn/')).map(({ range }) => range);
  expect(first).toBeUndefined();
  expect(others.length).toBeGreaterThan(0);
  for (const range of others) expect(range).toMatch(/^bytes=[1-9]\d{3,}-/);
  await page.locator('[aria-label="Load it to translate with it"]').click();
  await untilText(page, '#translate-box [role="status"]', 'it is loaded');
  await page.locator('#translate-text').fill('13 8 13 10');
  await page.locator('#translate').click();
  await untilText(page, '#translation', '^0 19 19 3 19 21 19 18 19 17 19 22 19$'); // from expected.json
  await page.close();
  withHub = false;
});

itInFull('loads a recorded run only when its panel is seen', async () => {
  const page = await chrome.browser.newPage();
  const json = new Set<string>();
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.endsWith('.json')) json.add(pathname);
  });
  await page.goto(`${url}train.html`, { waitUntil: 'load' });
  await untilText(page, '#translation', '^Te quiero');
  // The film of the first screen is small.
  expect([...json]).toEqual([expect.stringContaining('en-es-film')]);
  await page.$eval('#curves-card', (e) => e.scrollIntoView({ behavior: 'instant' }));
  await untilText(page, '#recorded', '^A recorded run');
  await page.waitForSelector('#curves canvas');
  expect(json.size).toBe(2);
  await page.close();
});

it('runs programs in their frame under a sub-path, on a host without CORS', async () => {
  const page = await chrome.browser.newPage();
  await page.goto(`${url}code.html#metrics-of-translations`, { waitUntil: 'load' });
  await page.locator('::-p-aria([name="Run"][role="button"])').click();
  await page.waitForFunction(() =>
    /^Finished/.test(document.querySelector('#program .status')?.textContent ?? ''),
  );
  expect(await page.$eval('#output', (e) => e.textContent)).toMatch(/score: 94\.57/);
  await page.close();
});

itInFull('translates under a sub-path, and opens and translates again offline', async () => {
  const page = await chrome.browser.newPage();
  const failed: string[] = [];
  page.on('response', (response) => void (response.status() >= 400 && failed.push(response.url())));
  await page.goto(url, { waitUntil: 'load' });
  await untilText(page, '#translation', '^¿Dónde puedo');
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await page.reload(); // the model goes through the service worker, which keeps it
  await untilText(page, '#translation', '^¿Dónde puedo');
  expect(failed).toEqual([]);
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await page.setViewport({ width: 390, height: 844 });
  await page.reload();
  await untilText(page, '#translation', '^¿Dónde puedo');
  expect(await page.evaluate(() => document.querySelector('link[rel="manifest"]') !== null)).toBe(true);
  // Another page in Spanish, neither of which was opened before.
  await page.evaluate(() => localStorage.setItem('heddle-language', 'es'));
  await page.goto(`${url}code.html`, { waitUntil: 'load' });
  await untilText(page, 'h1', '^Código$');
  await page.close();
});

it('has models of the sizes that the gallery says, and a script that trains them', () => {
  const assets = join(folder, 'assets');
  // The page Speech has a model of its own.
  const models = readdirSync(assets).filter((name) => /^en-.*\.safetensors$/.test(name));
  const sizes = models.map((name) => statSync(join(assets, name)).size);
  expect(sizes.sort()).toEqual(
    [...demoModels, largeModel, ...earlierModels, learnedPositionsModel].map(({ bytes }) => bytes).sort(),
  );
  // The script loads, with what it imports of the build.
  const script = join(import.meta.dirname, '../../scripts/train-demo-models.mjs');
  expect(spawnSync(process.execPath, [script, 'none'], { encoding: 'utf8' }).stderr).toMatch(
    'there is no model en-none; there are es, ar, ja, es-learned, es-steps, general',
  );
});
