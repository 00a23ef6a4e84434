// A page without a bundler takes the library from another origin: one file, `<script type="module">`.

import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { demo, untilText } from '../support/demo.ts';
import { distFile } from '../support/dist.ts';

const assets = join(dirname(distFile('demo/index.html')), 'assets');
const asked: string[] = [];
let server: Server;
let origin = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    asked.push(name);
    const path = name.startsWith('heddle') ? distFile(name) : join(assets, name);
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Content-Type', name.endsWith('.js') ? 'text/javascript' : 'application/octet-stream');
    response.end(readFileSync(path));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const pages = demo(async (request, response) => {
  if (!request.url?.endsWith('/no-bundler.html')) return false;
  const model = readdirSync(assets).find((name) => /^en-es-general-.*\.safetensors$/.test(name));
  const text = `<!doctype html><p></p><script type="module">
    import { loadModel } from '${origin}/heddle.bundle.js';
    const model = await loadModel('${origin}/${model}');
    document.querySelector('p').textContent = await model.translate('I love you.');
  </script>`;
  response.setHeader('Content-Type', 'text/html');
  response.end(text);
  return true;
});

it('translates with one file of code from another origin', async () => {
  const { page } = await pages.open('no-bundler.html');
  await untilText(page, 'p', '^Te (amo|quiero)');
  expect(asked.filter((name) => name.endsWith('.js'))).toEqual(['heddle.bundle.js']);
  await page.close();
});
