// Downloads from a hub, through the proxy of the page's server, into the storage of the browser: complete or
// not at all, and resumable.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { hubProxy } from '../../demo/hub-proxy.ts';
import { pullToBrowser } from '../../demo/storage/browser-pull.ts';
import { LockedError } from '../../demo/storage/model-locks.ts';
import { ExistsError, ModelStore } from '../../demo/storage/model-store.ts';
import type { PullOptions } from '../../src/api/hub-models.ts';
import { browserFiles } from '../../src/files/browser-files.ts';
import type { PullProgress } from '../../src/files/hub/pull-model.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { loadModelFolder } from '../../src/formats/model-folder.ts';
import { type Hub, startHub } from '../files/hub/hub.ts';
import { errorAbout, errorOfKind } from '../support/expect-error.ts';
import { fakeDisk } from '../support/fake-opfs.ts';
import { hfFolder } from '../support/hf.ts';
import { waitLimit } from '../support/time-limits.ts';

let hub: Hub;
let server: Server;
let page: string;
let disk: ReturnType<typeof fakeDisk>;
let seen: PullProgress[];
/** Response of the page's server to requests that it does not forward. */
let otherwise: { status: number; type: string; body: string };
let held: Set<string>;

beforeEach(async () => {
  const files = await hfFolder('bart');
  hub = await startHub({
    'config.json': await files.read('bart/config.json'),
    'model.safetensors': await files.read('bart/model.safetensors'),
  });
  disk = fakeDisk();
  seen = [];
  otherwise = { status: 404, type: 'text/plain', body: 'not found' };
  held = new Set();
  const answer = hubProxy(hub.url);
  server = createServer(async (request, response) => {
    if (await answer(request, response)) return;
    response.writeHead(otherwise.status, { 'Content-Type': otherwise.type }).end(otherwise.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  page = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubGlobal('navigator', {
    storage: { estimate: async () => ({}), persisted: async () => false },
    locks: {
      query: async () => ({ held: [...held].map((name) => ({ name })) }),
      request: async (name: string, _: unknown, work: (lock: object | null) => Promise<void> | undefined) => {
        if (held.has(name)) return work(null);
        held.add(name);
        await work({});
        held.delete(name);
      },
    },
  });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  server.closeAllConnections();
  server.close();
  await hub.close();
});

/** Downloads as a tab that was just opened. */
function download(model = 'me/it', web: PullOptions = {}, path = 'hub'): Promise<string> {
  const files = browserFiles(disk.open());
  const { signal } = new AbortController();
  const options = { fetch, signal, retryDelay: 1, idleTimeout: 5000, maxRetries: 3, ...web };
  return pullToBrowser(
    files,
    new ModelStore(files, memoryFiles()),
    options,
    model,
    `${page}/${path}`,
    (x) => void seen.push(x),
  );
}
const store = () => new ModelStore(kept(), memoryFiles());
const kept = () => browserFiles(disk.open());
const exists = (path: string) => kept().exists(path);
const expectModel = async () => {
  expect(await kept().list('models/it')).toEqual([
    'config.json',
    'heddle-manifest.json',
    'model.safetensors',
  ]);
  const bytes = await kept().read('models/it/model.safetensors');
  expect(Buffer.compare(bytes, hub.state.files['model.safetensors'] as Uint8Array)).toBe(0);
  expect((await loadModelFolder(kept(), 'models/it')).config.dModel).toBe(12);
  expect(await exists('pulls/it')).toBe(false);
};
const ranges = () =>
  hub.log
    .filter((x) => x.method === 'GET' && x.path.startsWith('/cdn/'))
    .map(({ range }) => Number(range?.slice(6, -1)));

it('downloads a model through the proxy, which follows redirects', async () => {
  expect(await download()).toBe('it');
  await expectModel();
  const size = Object.values(hub.state.files).reduce((n, x) => n + x.length, 0);
  expect(seen.at(-1)).toEqual({ file: 'model.safetensors', loaded: size, total: size });
});

it('continues with a range request after the connection was cut', async () => {
  hub.state.cuts['model.safetensors'] = [3000, 2000];
  await download();
  await expectModel();
  const [first, second, third] = ranges();
  expect(first).toBeNaN();
  expect(second).toBeGreaterThan(0);
  expect(third).toBeGreaterThan(second as number);
});

it('continues in another tab after all retries failed, and has no model until then', async () => {
  hub.state.cuts['model.safetensors'] = [3000, ...Array(9).fill(0)];
  await expect(download()).rejects.toThrow(
    errorAbout({ kind: 'network', area: 'me/it/model.safetensors', values: [3000] }),
  );
  expect([await exists('models/it'), await exists('pulls/it/config.json')]).toEqual([false, true]);
  expect((await store().info()).partial).toEqual(['it']);
  hub.state.cuts = {};
  hub.log.length = 0;
  await download();
  await expectModel();
  const { partial, models } = await store().info();
  expect([partial, models.map(({ name, parameters }) => [name, parameters > 0])]).toEqual([
    [],
    [['it', true]],
  ]);
  expect(ranges()).toEqual([expect.any(Number)]);
  expect(ranges()[0]).toBeGreaterThan(0);
});

it('continues after it was cancelled', async () => {
  const stop = new AbortController();
  hub.state.stalls['model.safetensors'] = 3000;
  const cancelled = download('me/it', { signal: stop.signal });
  await vi.waitFor(() => expect(seen.at(-1)?.loaded).toBeGreaterThan(2000), { timeout: waitLimit });
  stop.abort();
  await expect(cancelled).rejects.toThrow(errorOfKind('aborted'));
  expect([await exists('models/it'), [...held]]).toEqual([false, []]);
  hub.log.length = 0;
  await download();
  await expectModel();
  expect(ranges()[0]).toBeGreaterThan(0);
});

it('deletes an incomplete download, but not while a tab continues it', async () => {
  hub.state.cuts['model.safetensors'] = [3000, ...Array(9).fill(0)];
  await expect(download()).rejects.toThrow(
    errorAbout({ kind: 'network', area: 'me/it/model.safetensors', values: [3000] }),
  );
  held.add('heddle model it');
  expect((await store().info()).partial).toEqual([]);
  await expect(store().removePartial('it')).rejects.toThrow(LockedError);
  held.clear();
  await store().removePartial('it');
  expect([await exists('pulls'), (await store().info()).partial]).toEqual([false, []]);
});

it.each(['config.json', 'model.safetensors'])('deletes %s if its checksum is wrong', async (name) => {
  hub.state.sums[name] = 'ab'.repeat(name === 'config.json' ? 20 : 32);
  await expect(download()).rejects.toThrow(
    errorAbout({ kind: 'network', area: `me/it/${name}`, values: [hub.state.sums[name]] }),
  );
  expect([await exists('models/it'), await exists(`pulls/it/${name}`)]).toEqual([false, false]);
  expect(await exists(`pulls/it/${name}.part`)).toBe(false);
});

it('rejects a model that cannot be read, and deletes it', async () => {
  hub.state.files['config.json'] = new TextEncoder().encode('{"model_type":"vit"}');
  await expect(download()).rejects.toThrow(
    errorAbout({ area: 'me/it/config.json', values: ['model_type', '"vit"'] }),
  );
  expect([await exists('models/it'), await exists('pulls/it')]).toEqual([false, false]);
  // Before the weights are downloaded.
  expect(ranges()).toEqual([]);
});

it('reports that the storage is full, and continues when there is space', async () => {
  disk.quota = 20_000;
  await expect(download()).rejects.toThrow(
    errorAbout({ kind: 'quota', area: expect.stringMatching(/^pulls\/it\//), values: ['write'] }),
  );
  expect(await exists('models/it')).toBe(false);
  disk.quota = Number.POSITIVE_INFINITY;
  await download();
  await expectModel();
});

it('deletes a model whose weights are broken', async () => {
  hub.state.files['model.safetensors'] = new Uint8Array(5000);
  await expect(download()).rejects.toThrow(errorAbout({ area: 'me/it/model.safetensors' }));
  expect([await exists('models/it'), await exists('pulls/it')]).toEqual([false, false]);
});

it.each([
  { status: 404, type: 'text/plain', body: 'not found' },
  { status: 404, type: 'text/html', body: '<!doctype html>none' },
  { status: 200, type: 'text/html; charset=utf-8', body: '<!doctype html><title>The page again</title>' },
  { status: 403, type: 'application/xml', body: '<Error/>' },
])('downloads directly from the hub if the server of the page answers $status $type', async (given) => {
  otherwise = given;
  await download('me/it', { fallbackHub: hub.url }, 'no-hub');
  await expectModel();
  hub.state.api = false;
  await expect(download('me/gone', { fallbackHub: hub.url }, 'no-hub')).rejects.toThrow(
    errorAbout({ kind: 'not-found', area: 'me/gone/config.json' }),
  );
});

it('downloads from a hub without a file listing, and another revision', async () => {
  hub.state.api = false;
  await download('me/it@refs/pr/1');
  await expectModel();
  expect(hub.log.some(({ path }) => path.includes('/resolve/refs/pr/1/'))).toBe(true);
});

it('rejects invalid names, models that exist and models that a tab is downloading', async () => {
  await expect(download('it')).rejects.toThrow(errorAbout({ values: ['it'] }));
  await expect(download('me/it@../x')).rejects.toThrow(errorAbout({ area: 'pull' }));
  await expect(download('me/gone')).rejects.toThrow(
    errorAbout({ kind: 'not-found', area: 'me/gone/config.json' }),
  );
  held.add('heddle model it');
  await expect(download()).rejects.toThrow(LockedError);
  held.clear();
  await download();
  hub.log.length = 0;
  const again = download();
  await expect(again).rejects.toThrow(ExistsError);
  await expect(again).rejects.toThrow(ExistsError);
  expect(hub.log).toEqual([]);
});

it('exports weights as one safetensors file; sharded weights only as an archive', async () => {
  await download();
  const weights = await store().weights('it');
  expect(weights.size).toBe(hub.state.files['model.safetensors']?.length);
  const files = kept();
  await files.write(
    'models/it/model-00001-of-00001.safetensors',
    await files.read('models/it/model.safetensors'),
  );
  for (const name of ['model.safetensors', 'heddle-manifest.json']) await files.remove(`models/it/${name}`);
  await expect(store().weights('it')).rejects.toThrow(errorAbout({ values: ['it'] }));
  expect((await store().archive('it')).size).toBeGreaterThan(weights.size);
});

it('explains how to download private models, and reports an unreachable hub', async () => {
  hub.state.token = 'secret';
  await expect(download()).rejects.toThrow(errorAbout({ kind: 'network', area: 'me/it', values: [401] }));
  await hub.close();
  await expect(download()).rejects.toThrow(errorAbout({ kind: 'network', area: 'me/it' }));
});

it('forwards only what a download needs, and no credentials', async () => {
  const ask = (path: string, init?: RequestInit) => fetch(`${page}${path}`, init);
  const headers = { Cookie: 'a=b', Authorization: 'Bearer visitor' };
  const file = await ask('/hub/me/it/resolve/main/config.json', { headers });
  expect([
    file.status,
    file.headers.get('Content-Security-Policy'),
    file.headers.get('Content-Type'),
  ]).toEqual([200, "sandbox; default-src 'none'", 'application/octet-stream']);
  expect(hub.log.map(({ token }) => token)).toEqual([undefined]);
  const head = await ask('/hub/me/it/resolve/main/model.safetensors', { method: 'HEAD' });
  expect(head.headers.get('X-Linked-Size')).toBe(String(hub.state.files['model.safetensors']?.length));
  hub.log.length = 0;
  for (const path of [
    '/hub/',
    '/hub/api/whoami-v2',
    '/hub/me/it/resolve/main/../../../../api/whoami-v2',
    '/hub/me',
  ])
    expect((await ask(path)).status, path).toBe(404);
  expect((await ask('/hub/me/it/resolve/main/config.json', { method: 'POST', body: 'x' })).status).toBe(404);
  expect(hub.log).toEqual([]);
});

it('pulls a model of Firefox Translations by the address of a record or of its files', async () => {
  const bin = 'model.enes.intgemm.alphas.bin';
  const record = {
    models: { 'en-es': [{ files: { model: { path: bin }, vocab: { path: 'vocab.enes.spm' } } }] },
  };
  const bodies: Record<string, string> = {
    '/db/models.json': JSON.stringify(record),
    [`/${bin}`]: 'weights',
  };
  const release = createServer((request, response) => {
    response.end(bodies[request.url ?? ''] ?? 'pieces');
  });
  await new Promise<void>((resolve) => release.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(release.address() as AddressInfo).port}`;
  // The weights are no model: all files were found and read.
  for (const text of [`${address}/db/models.json#en-es`, `${address}#en-es`])
    await expect(download(text)).rejects.toThrow(errorAbout({ area: 'en-es/model.enes.intgemm.alphas.bin' }));
  release.close();
});
