// `npm run dev`: Vite serves the pages from their sources, cross-origin isolated like the built ones.
import { resolve } from 'node:path';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Hub, startHub } from '../files/hub/hub.ts';

let server: ViteDevServer;
let url = '';
let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ 'config.json': new TextEncoder().encode('{}') });
  vi.stubEnv('HF_ENDPOINT', hub.url);
  const configFile = resolve(import.meta.dirname, '../../vite.config.ts');
  server = await createServer({
    configFile,
    mode: 'demo',
    logLevel: 'error',
    server: { port: 0, hmr: false, watch: null },
  });
  await server.listen();
  const address = server.httpServer?.address();
  url = `http://localhost:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([server?.close(), hub?.close()]);
});

it.each(['/', '/lab.html'])('serves %s, cross-origin isolated', async (path) => {
  const response = await fetch(`${url}${path}`);
  expect(response.status).toBe(200);
  expect(response.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  expect(await response.text()).toMatch(/<script type="module" src=".*main\.ts/);
});

it.each([
  '/lab/main.ts',
  '/lab/lab-worker.ts?worker_file&type=module',
  '/train/worker/training-worker.ts?worker_file&type=module',
])(
  'compiles %s',
  async (path) => {
    const response = await fetch(`${url}${path}`);
    expect(response.headers.get('content-type')).toContain('javascript');
    const imported = [...(await response.text()).matchAll(/from "(\/[^"]+)"/g)].map((m) => m[1] as string);
    expect(imported.length).toBeGreaterThan(3);
    for (const name of imported) expect((await fetch(`${url}${name}`)).status, name).toBe(200);
  },
  60_000,
);

it('proxies hub/ to the hub of HF_ENDPOINT', async () => {
  const listing = await fetch(`${url}/hub/api/models/me/it/revision/main?blobs=true`);
  expect(await listing.json()).toMatchObject({ siblings: [{ rfilename: 'config.json', size: 2 }] });
  expect(await (await fetch(`${url}/hub/me/it/resolve/main/config.json`)).text()).toBe('{}');
});
