// The server of headless pages.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FolderServer, serveFolder } from '../../src/host/static-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-server-'));
let server: FolderServer;

beforeAll(async () => {
  mkdirSync(join(folder, 'site'));
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(folder, 'site/index.html'), '<p>home');
  writeFileSync(join(folder, 'site/a b.js'), 'let x;');
  server = await serveFolder(join(folder, 'site'));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

it('serves files with their type, index.html for a folder, cross-origin isolated', async () => {
  const home = await fetch(server.url);
  expect([home.status, await home.text()]).toEqual([200, '<p>home']);
  expect(home.headers.get('content-type')).toContain('text/html');
  expect(home.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  expect(home.headers.get('content-security-policy')).toBe("frame-ancestors 'self'");
  const script = await fetch(`${server.url}a%20b.js?v=1`);
  expect([script.headers.get('content-type'), await script.text()]).toEqual([
    'text/javascript; charset=utf-8',
    'let x;',
  ]);
});

it('listens only on this machine', () => {
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
});

it.each(['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/missing', '/%'])(
  'answers %s with 404',
  async (path) => {
    // Not fetch, which normalizes the path.
    const status = await new Promise((resolve, reject) => {
      const { port } = new URL(server.url);
      request({ host: '127.0.0.1', port, path }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(404);
  },
);

it('serves an empty page without a folder', async () => {
  const empty = await serveFolder(undefined);
  expect((await fetch(empty.url)).status).toBe(200);
  expect((await fetch(`${empty.url}x`)).status).toBe(404);
  await empty.close();
});
