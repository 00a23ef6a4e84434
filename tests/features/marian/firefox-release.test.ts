// Models of Firefox Translations from a local server with the layouts of Mozilla's storage, of
// firefox-translations-models, and of Remote Settings.

import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { pullModel } from '../../../src/entries/files-with-features.ts';
import { filesInRecord } from '../../../src/features/marian/firefox-release.ts';
import { isLanguagePair } from '../../../src/features/marian/marian-format.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import '../../../src/entries/node.ts';
import { errorAbout } from '../../support/expect-error.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const contents = {
  'model.enes.intgemm.alphas.bin': bytes('weights'.repeat(1000)),
  'lex.50.50.enes.s2t.bin': bytes('list'),
  'vocab.enes.spm': bytes('pieces'),
};
const [model, lex, vocab] = Object.keys(contents) as [string, string, string];
const sum = (name: string) =>
  createHash('sha256')
    .update(contents[name as keyof typeof contents])
    .digest('hex');

let server: Server;
let base: string;
let served: Record<string, Uint8Array | string>;
beforeAll(async () => {
  server = createServer((request, response) => {
    const body = served[(request.url ?? '').slice(1)];
    if (body === undefined) return response.writeHead(404).end();
    return response.writeHead(200, { 'Content-Length': Buffer.byteLength(body) }).end(body);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const storage = 'models/en-es/run_1/exported';
beforeEach(() => {
  const path = (name: string) => ({ path: `${storage}/${name}.gz` });
  const tiny = { architecture: 'tiny', releaseStatus: 'Nightly', files: { model: path('model.tiny.bin') } };
  const files = {
    model: { ...path(model), uncompressedSize: 7000, uncompressedHash: sum(model) },
    lexicalShortlist: path(lex),
    vocab: path(vocab),
  };
  const released = { architecture: 'base-memory', releaseStatus: 'Release', files };
  served = {
    'db/models.json': JSON.stringify({ baseUrl: base, models: { 'en-es': [tiny, released], 'en-fr': [] } }),
    ...Object.fromEntries(
      Object.entries(contents).map(([name, data]) => [`${storage}/${name}.gz`, gzipSync(data)]),
    ),
  };
});

const pull = async (options: { registry?: string; baseUrl?: string }, pair = 'en-es') => {
  const files = memoryFiles();
  const pulled = await pullModel(pair, 'out', { files, maxRetries: 0, ...options });
  expect(pulled.files.map(({ name }) => name).sort()).toEqual([lex, model, vocab]);
  for (const [name, data] of Object.entries(contents)) expect(await files.read(`out/${name}`)).toEqual(data);
  expect(await files.exists('out.part')).toBe(false);
};

it('pulls the released model of a pair from the layout of Mozilla', async () => {
  await pull({ baseUrl: base });
  await pull({ registry: `${base}/db/models.json` });
  await pull({ registry: `${base}/db/models.json`, baseUrl: `${base}/` }, 'en-es@base-memory');
  await expect(pull({ baseUrl: base }, 'en-es@large')).rejects.toThrow(
    errorAbout({ kind: 'not-found', area: 'pull', values: ['tiny', 'base-memory'] }),
  );
});

it('pulls from registry.json and from the records of Remote Settings', async () => {
  const entry = (name: string) => ({ name, size: 1, expectedSha256Hash: sum(name), modelType: 'prod' });
  const gz = (name: string) => gzipSync(contents[name as keyof typeof contents]);
  served = {
    'registry.json': JSON.stringify({ enes: { model: entry(model), lex: entry(lex), vocab: entry(vocab) } }),
    ...Object.fromEntries([model, lex, vocab].map((name) => [`models/prod/enes/${name}.gz`, gz(name)])),
  };
  await pull({ baseUrl: base });
  const record = (name: string, version: string, location: string) => ({
    name,
    version,
    fromLang: 'en',
    toLang: 'es',
    attachment: { location, hash: sum(name) },
  });
  const data = [
    record(model, '1.0', 'old.bin'),
    ...[model, lex, vocab].map((n) => record(n, '2.0', `at/${n}`)),
  ];
  served = {
    'records.json': JSON.stringify({ data }),
    ...Object.fromEntries(Object.entries(contents).map(([name, body]) => [`at/${name}`, body])),
  };
  await pull({ registry: `${base}/records.json` });
});

it('names what is wrong', async () => {
  await expect(pull({ baseUrl: base }, 'en-de')).rejects.toThrow(
    errorAbout({ kind: 'not-found', area: 'pull', values: ['en-de'] }),
  );
  await expect(pull({ baseUrl: `${base}/none` })).rejects.toThrow(
    errorAbout({ kind: 'not-found', area: expect.stringMatching(/\/none$/) }),
  );
  await expect(pull({ registry: 'ftp://x' })).rejects.toThrow(
    errorAbout({ area: 'pull', values: ['ftp://x'] }),
  );
  served[`${storage}/${model}.gz`] = gzipSync(bytes('other'));
  await expect(pull({ baseUrl: base })).rejects.toThrow(
    errorAbout({ kind: 'network', area: 'out.part/model.enes.intgemm.alphas.bin.gz' }),
  );
  delete served[`${storage}/${vocab}.gz`];
  await expect(pull({ baseUrl: base })).rejects.toThrow(
    errorAbout({ kind: 'not-found', area: 'en-es/vocab.enes.spm.gz' }),
  );
});

it('takes no other files than those of a model', () => {
  const files = (path: string) => ({ model: { path }, vocab: { path: 'v/vocab.enes.spm.gz' } });
  for (const path of [
    '../model.enes.bin',
    'a/../model.enes.bin',
    'a/config.json',
    'https://x/model.enes.bin',
    'a//model.b.bin',
  ])
    expect(() => filesInRecord({ models: { 'en-es': [{ files: files(path) }] } }, 'en-es')).toThrow(
      errorAbout({ kind: 'not-found', area: 'pull', values: ['en-es'] }),
    );
  expect(['en-es', 'zh_hant-en', 'a/b', 'en-es-x', 'it'].map(isLanguagePair)).toEqual([
    ...[true, true, false, false, false],
  ]);
});
