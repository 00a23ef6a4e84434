// loadModel in Node: folders, archives, URLs, the hub and its cache, and errors if there is no model.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/api/model.ts';
import { importModel } from '../../src/entries/files-with-features.ts';
import { loadModel } from '../../src/entries/load-with-features.ts';
import { concatBytes } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { unzip, zipParts } from '../../src/files/zip.ts';
import { saveModelFolder } from '../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { registerHost } from '../../src/session/host.ts';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';
import { type Hub, startHub } from '../files/hub/hub.ts';
import { type ExpectedError, errorAbout } from '../support/expect-error.ts';
import { loadModelFolder } from '../support/load-folder.ts';
import { letterModel } from '../support/saved-model.ts';

registerHost(nodeHost());

const folder = mkdtempSync(join(tmpdir(), 'heddle-load-'));
const golden = '../shared/golden-marian/ssru-int8';
const at = (name: string) => join(folder, name);
const saved = letterModel();
const cpu = { device: 'cpu' } as const;
let server: Server;
let url: string;
let hub: Hub;
let expected: string;

beforeAll(async () => {
  process.env.HEDDLE_CACHE = at('cache');
  await saveModelFolder(nodeFiles(), at('model'), saved);
  server = createServer((request, response) => {
    const path = (request.url ?? '').slice(1);
    if (path.startsWith('broken')) return response.writeHead(500).end();
    if (path.startsWith('cut'))
      return response
        .writeHead(200, { 'Content-Length': 9000 })
        .write('PK', () => setTimeout(() => response.destroy(), 20));
    // Answers with an HTML page if the file is missing, as servers of single-page applications do.
    if (!existsSync(at(path)))
      return response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>');
    const type = { '.json': 'application/json' }[extname(path)] ?? 'application/octet-stream';
    const bytes = readFileSync(at(path));
    return response.writeHead(200, { 'Content-Type': type, 'Content-Length': bytes.length }).end(bytes);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const names = readdirSync(at('model'));
  hub = await startHub(
    Object.fromEntries(names.map((name) => [name, new Uint8Array(readFileSync(at(`model/${name}`)))])),
  );
  expected = await (await loadModel(at('model'), cpu)).translate('bad cab');
});
afterAll(async () => {
  delete process.env.HEDDLE_CACHE;
  server.close();
  await hub.close();
  rmSync(folder, { recursive: true });
});

const translates = async (model: Model) => expect(await model.translate('bad cab')).toBe(expected);

describe('a model is loaded', () => {
  it('from a folder that save wrote, and from an archive', async () => {
    const model = await loadModel(at('model'), cpu);
    for (const path of [at('copy'), at('copy.zip')]) {
      await model.save(path);
      await translates(await loadModel(path, cpu));
    }
  });

  it('from its safetensors file', async () => {
    await translates(await loadModel(at('model/model.safetensors'), cpu));
  });

  it('from a File', async () => {
    const model = await loadModel(at('model'), cpu);
    await translates(await loadModel(new File([await model.toBlob()], 'mine.zip'), cpu));
    const weights = new File([readFileSync(at('model/model.safetensors'))], 'mine.safetensors');
    await translates(await loadModel(weights, cpu));
  });

  it('from the files of a folder', async () => {
    const file = (name: string) => new File([readFileSync(at(`model/${name}`))], name);
    await translates(await loadModel(readdirSync(at('model')).map(file), cpu));
    await expect(loadModel([file('config.json'), file('config.json')], cpu)).rejects.toThrow(
      errorAbout({ values: ['config.json'] }),
    );
    await expect(loadModel([], cpu)).rejects.toThrow(errorAbout({ area: 'loadModel' }));
  });

  it.skipIf(!existsSync(golden))(
    'from the gzipped files of a Firefox release, and a zip archive of them (needs ../shared)',
    async () => {
      const whole = await loadModel(golden, cpu);
      const release = await whole.toBlob({ format: 'firefox', formatOptions: { languagePair: 'enes' } });
      const text = '12 5 30';
      const ids = await whole.translate(text);
      const parts = Object.entries(await unzip(new Uint8Array(await release.arrayBuffer()), 'release'));
      const files = parts.map(([name, bytes]) => new File([gzipSync(bytes)], `${name}.gz`));
      expect(files.map(({ name }) => name)).toContain('vocab.enes.spm.gz');
      const nested = zipParts(Object.fromEntries(parts.map(([name, bytes]) => [`enes/${name}`, bytes])));
      const archive = new File([concatBytes(nested) as BlobPart], 'enes.zip');
      for (const given of [files, archive, release])
        expect(await (await loadModel(given, cpu)).translate(text)).toBe(ids);
      const disk = memoryFiles();
      await importModel(files, 'enes', { files: disk });
      expect(await (await loadModelFolder(disk, 'enes')).config.decoderSelfAttention).toBe('ssru');
      expect(await disk.list('enes')).toContain('model.safetensors');
    },
  );

  it('reports a download from a URL, and its connection that ends', async () => {
    writeFileSync(
      at('seen.zip'),
      new Uint8Array(await (await (await loadModel(at('model'), cpu)).toBlob()).arrayBuffer()),
    );
    const seen: unknown[] = [];
    const onDownload = (progress: unknown) => void seen.push(progress);
    const size = readFileSync(at('seen.zip')).length;
    await loadModel(`${url}/seen.zip`, { ...cpu, onDownload });
    expect(seen[0]).toEqual({ file: 'seen.zip', loaded: 0, total: size });
    expect(seen.at(-1)).toEqual({ file: 'seen.zip', loaded: size, total: size });
    seen.splice(0);
    await loadModel(`${url}/model`, { ...cpu, onDownload });
    const last = seen.at(-1) as { loaded: number; total: number };
    expect(last.loaded).toBe(last.total);
    expect(seen).toContainEqual(expect.objectContaining({ file: 'model.safetensors' }));
    await expect(loadModel(`${url}/cut.zip`, cpu)).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringContaining('cut.zip: the request failed'),
    });
  });

  it('from the URL of a folder, and of an archive', async () => {
    writeFileSync(
      at('web.zip'),
      new Uint8Array(await (await (await loadModel(at('model'), cpu)).toBlob()).arrayBuffer()),
    );
    await translates(await loadModel(`${url}/model`, cpu));
    await translates(await loadModel(`${url}/model/`, cpu));
    await translates(await loadModel(`${url}/web.zip`, cpu));
  });

  it('from the hub, once', async () => {
    const seen: number[] = [];
    const options = {
      ...cpu,
      hub: hub.url,
      onDownload: ({ loaded }: { loaded: number }) => void seen.push(loaded),
    };
    await translates(await loadModel('me/it', options));
    expect(seen.at(-1)).toBeGreaterThan(1000);
    const requests = hub.log.length;
    await translates(await loadModel('me/it', options));
    expect(hub.log).toHaveLength(requests);
    expect(readdirSync(at('cache/hub'))).toHaveLength(1);
  });

  it('from a PyTorch export; save rejects formats that are unknown or do not fit', async () => {
    const model = await loadModel(at('model'), cpu);
    await model.save(at('torch'), { format: 'pytorch' });
    await translates(await loadModel(at('torch'), cpu));
    await expect(model.save(at('bart'), { format: 'bart' })).rejects.toThrow(
      errorAbout({ values: ['BART', 'finalNorm', 'true'] }),
    );
    await expect(model.save(at('x'), { format: 'tflite' as never })).rejects.toThrow(
      errorAbout({ area: 'save', values: ['tflite'] }),
    );
  });
});

it('saves over its files only with force, and names one that was changed since', async () => {
  const model = await loadModel(at('model'), cpu);
  await model.save(at('again'));
  await expect(model.save(at('again'))).rejects.toThrow(errorAbout({ options: ['force'] }));
  rmSync(at('again/config.json'));
  await model.save(at('again'), { force: true });
  const config = readFileSync(at('again/config.json'), 'utf8');
  writeFileSync(at('again/config.json'), config.replace('{', '{ "note": "mine",'));
  await expect(model.save(at('again'))).rejects.toThrow(errorAbout({ options: ['force'] }));
  expect(readFileSync(at('again/config.json'), 'utf8')).toContain('mine');
  await model.save(at('again'), { force: true });
  expect(readFileSync(at('again/config.json'), 'utf8')).toBe(config);
  model.dispose();
});

it('names the option that a misspelt one resembles, in every call', async () => {
  const load = (options: object) => loadModel(at('model'), { ...cpu, ...options });
  await expect(load({ weigths: 'int8' })).rejects.toThrow(
    errorAbout({ area: 'loadModel', values: ['weigths', 'weights'] }),
  );
  await expect(load({ weights: 'int3' })).rejects.toThrow(
    errorAbout({ area: 'loadModel', options: ['weights'], values: ['"int3"'] }),
  );
  const model = await load({ weights: 'f32', onDownload: undefined });
  await expect(model.save(at('y'), { dtpye: 'f16' } as never)).rejects.toThrow(
    errorAbout({ area: 'save', values: ['dtype'] }),
  );
  await expect(model.score([], { sourcelang: 'en' } as never)).rejects.toThrow(
    errorAbout({ area: 'score', values: ['sourceLang'] }),
  );
  expect(() => intlCorpus({ pair: 3 } as never)).toThrow(
    errorAbout({ area: 'intl', values: ['pair', 'pairs'] }),
  );
  model.dispose();
});

describe('loading fails with an error that names', () => {
  it.each<[string, () => string | Blob, ExpectedError]>([
    [
      'a path without a model',
      () => 'no-such-model',
      { kind: 'not-found', area: 'loadModel', values: ['no-such-model'] },
    ],
    [
      'a name that the hub does not have',
      () => 'you/it',
      { kind: 'not-found', area: 'loadModel', values: ['you/it'] },
    ],
    [
      'a URL without a model',
      () => `${url}/nothing`,
      { kind: 'not-found', area: expect.stringMatching(/\/nothing$/), values: ['config.json'] },
    ],
    [
      'a URL without a file',
      () => `${url}/nothing.zip`,
      { kind: 'not-found', area: expect.stringMatching(/\/nothing\.zip$/) },
    ],
    [
      'a server that fails',
      () => `${url}/broken/x.zip`,
      { kind: 'network', area: expect.stringMatching(/\/broken\/x\.zip$/), values: [500] },
    ],
    ['a Blob that is not an archive', () => new Blob(['x']), { area: 'the Blob' }],
    ['a value of another type', () => 7 as never, { area: 'loadModel' }],
  ])('%s', async (_, source, expected) => {
    await expect(loadModel(source(), { ...cpu, hub: hub.url })).rejects.toThrow(errorAbout(expected));
  });

  it('a value that is not a device', async () => {
    await expect(loadModel(at('model'), { device: {} as never })).rejects.toThrow(
      errorAbout({ values: ['gpu', 'wasm', 'auto'] }),
    );
  });
});
