// Downloads of models, whole and interrupted.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Files } from '../../../src/files/files.ts';
import type { HttpOptions } from '../../../src/files/hub/http.ts';
import { type PullProgress, pull } from '../../../src/files/hub/pull-model.ts';
import { repository } from '../../../src/files/hub/repository.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { scratch } from '../../support/cli.ts';
import { type ExpectedError, errorAbout, errorOfKind } from '../../support/expect-error.ts';
import { type Hub, startHub } from './hub.ts';

const text = (value: string) => new TextEncoder().encode(value);
const noise = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 13);
const model = noise(100_000);

let hub: Hub;
let kept: Map<string, Uint8Array>;
let files: Files;
let seen: PullProgress[];

beforeEach(async () => {
  hub = await startHub({
    'config.json': text('{"a":1}'),
    'model.safetensors': model,
    'vocab.json': text('{}'),
    'README.md': text('# It'),
    'pytorch_model.bin': noise(50),
    'evil.sh': text('rm'),
  });
  kept = new Map();
  files = memoryFiles(kept);
  seen = [];
});
afterEach(() => hub.close());

const web = (change: Partial<HttpOptions> = {}): HttpOptions => ({
  fetch,
  signal: new AbortController().signal,
  idleTimeout: 5000,
  retryDelay: 1,
  maxRetries: 3,
  ...change,
});
const run = (change: Partial<HttpOptions> = {}, revision = 'main') =>
  pull(files, web(change), repository('me/it', revision, hub.url), 'out', (event) => void seen.push(event));
/** Stored files except the manifests. */
const names = () => [...kept.keys()].filter((name) => !name.endsWith('heddle-manifest.json')).sort();
const bodies = (name: string) =>
  hub.log.filter(({ method, path }) => method === 'GET' && path === `/cdn/${name}`);

/** Compared at once: element by element takes a second. */
const expectModel = (bytes = model) =>
  expect(Buffer.compare(kept.get('out/model.safetensors') ?? new Uint8Array(0), bytes)).toBe(0);

describe('a model is downloaded', () => {
  const all = ['out/config.json', 'out/model.safetensors', 'out/vocab.json'];

  it('with only the files that heddle reads, at the commit of the listing', async () => {
    const { files: got } = await run();
    expect(names()).toEqual(all);
    expect(got.map((x) => [x.name, x.bytes])).toEqual([
      ['config.json', 7],
      ['vocab.json', 2],
      ['model.safetensors', 100_000],
    ]);
    expectModel();
    const revisions = hub.log
      .filter(({ path }) => path.startsWith('/me/'))
      .map(({ path }) => path.split('/')[4]);
    expect(new Set(revisions)).toEqual(new Set(['c0ffee'.padEnd(40, '0')]));
  });

  it('onto a disk, after a damaged copy', async () => {
    const out = join(scratch(), 'it');
    mkdirSync(`${out}.part`);
    writeFileSync(join(`${out}.part`, 'config.json'), '{"a":1}');
    writeFileSync(join(`${out}.part`, 'model.safetensors'), model.subarray(1));
    await pull(nodeFiles(), web(), repository('me/it', 'main', hub.url), out, () => {});
    expect(readdirSync(out).sort()).toEqual([
      'config.json',
      'heddle-manifest.json',
      'model.safetensors',
      'vocab.json',
    ]);
    expect(Buffer.compare(readFileSync(join(out, 'model.safetensors')), model)).toBe(0);
    expect([bodies('config.json').length, bodies('model.safetensors').length]).toEqual([0, 1]);
  });

  it('unless the folder of incomplete downloads has a file of the user', async () => {
    kept.set('out.part/notes.txt', text('mine'));
    kept.set('out.part/vocab.json.part/about.json', text('{}'));
    await expect(run()).rejects.toThrow(errorAbout({ area: 'out.part', values: ['notes.txt'] }));
    expect([...kept.keys()].sort()).toEqual(['out.part/notes.txt', 'out.part/vocab.json.part/about.json']);
  });

  it('if it fits on the disk, with the largest file twice while it is joined', async () => {
    let free = 200_008; // 7 and 2 bytes of the small files, 100,000 of the weights twice
    files = { ...memoryFiles(kept), free: async () => free };
    const refused = async (needs: string) => {
      await expect(run()).rejects.toMatchObject({
        message: `out: no room on the disk: the download needs ${needs} are free; free some space, or use another disk`,
        kind: 'quota',
      });
    };
    await refused('195.3 KiB, 195.3 KiB');
    expect(hub.log.filter(({ path }) => path.startsWith('/cdn/'))).toEqual([]);
    free = 0;
    await files.write('out.part/vocab.json', text('{}'));
    await refused('195.3 KiB, 0 B');
    // Bytes that have arrived take no room again.
    await files.write('out.part/model.safetensors.part/about.json', text('{}'));
    await files.write('out.part/model.safetensors.part/0-40000', noise(40_000));
    await refused('156.3 KiB, 0 B');
    free = 200_009;
    await run();
    expectModel();
  });

  it('with progress reports', async () => {
    await run();
    expect(seen.at(-1)).toEqual({ file: 'model.safetensors', loaded: 100_009, total: 100_009 });
    expect(seen.every((x, i) => x.total === 100_009 && x.loaded >= (seen[i - 1]?.loaded ?? 0))).toBe(true);
  });

  it('from a server without a listing', async () => {
    hub.state.api = false;
    await run();
    expect(names()).toEqual(all);
    hub.state.sums['model.safetensors'] = 'ab'.repeat(32);
    kept.clear();
    await expect(run()).rejects.toThrow(errorAbout({ kind: 'network', area: 'me/it/model.safetensors' }));
  });

  it.each([
    [
      'T5',
      [
        'config.json',
        'generation_config.json',
        'special_tokens_map.json',
        'spiece.model',
        'tokenizer_config.json',
      ],
    ],
    [
      'M2M100',
      [
        'config.json',
        'added_tokens.json',
        'sentencepiece.bpe.model',
        'special_tokens_map.json',
        'vocab.json',
      ],
    ],
    ['NLLB', ['config.json', 'sentencepiece.bpe.model', 'tokenizer.json', 'tokenizer_config.json']],
    ['MarianMT', ['config.json', 'source.spm', 'target.spm', 'vocab.json', 'tokenizer_config.json']],
    ['ByT5', ['config.json', 'special_tokens_map.json', 'tokenizer_config.json']],
  ])('with the tokenizer files of %s, listed or not', async (_, family) => {
    for (const api of [true, false]) {
      hub.state.files = Object.fromEntries(
        [...family, 'flax_model.msgpack'].map((name) => [name, text('{}')]),
      );
      hub.state.files['model.safetensors'] = noise(50);
      hub.state.api = api;
      kept.clear();
      await run();
      expect(names()).toEqual([...family, 'model.safetensors'].sort().map((name) => `out/${name}`));
    }
  });

  it('of a revision with slashes', async () => {
    await run({}, 'refs/pr/1');
    expect(names()).toEqual(all);
  });

  it.each([true, false])('in shards, as its index names them (listed: %s)', async (api) => {
    hub.state.api = api;
    const { 'model.safetensors': _, ...rest } = hub.state.files;
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const index = { weight_map: { a: shards[0], b: shards[1], c: shards[1] } };
    hub.state.files = { ...rest, 'model.safetensors.index.json': text(JSON.stringify(index)) };
    for (const shard of shards) {
      hub.state.files[shard] = noise(500);
      hub.state.redirected.add(shard);
    }
    await run();
    expect(names()).toEqual(
      ['config.json', ...shards, 'model.safetensors.index.json', 'vocab.json'].map((x) => `out/${x}`),
    );
  });
});

describe('an interrupted connection', () => {
  it('resumes at the byte where it ended', async () => {
    hub.state.cuts['model.safetensors'] = [30_000, 50_000];
    await run();
    expectModel();
    const ranges = bodies('model.safetensors').map(({ range }) => range);
    expect(ranges.length).toBe(3);
    expect(ranges[0]).toBeUndefined();
    const [second, third] = ranges.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]));
    expect(second).toBeGreaterThan(0);
    expect(third).toBeGreaterThan(second as number);
  });

  it('is an error after several retries, and a later call resumes', async () => {
    hub.state.cuts['model.safetensors'] = [40_000, ...Array(9).fill(0)];
    const failed = run();
    await expect(failed).rejects.toThrow(
      errorAbout({ kind: 'network', area: 'me/it/model.safetensors', values: [40000, 100000] }),
    );
    expect(names().some((name) => name.startsWith('out/'))).toBe(false);
    expect(names().some((name) => name.startsWith('out.part/model.safetensors.part/0-'))).toBe(true);
    hub.state.cuts = {};
    hub.log.length = 0;
    await run();
    expect(names().filter((name) => name.startsWith('out.part'))).toEqual([]);
    expectModel();
    expect(bodies('model.safetensors').map(({ range }) => range)).toEqual([
      expect.stringMatching(/^bytes=[1-9]/),
    ]);
    expect(hub.log.filter(({ path }) => path.endsWith('config.json'))).toEqual([]);
  });

  it('restarts if the server does not support ranges', async () => {
    hub.state.ranges = false;
    hub.state.cuts['model.safetensors'] = [30_000];
    await run();
    expectModel();
  });

  it('restarts if the file has changed', async () => {
    hub.state.cuts['model.safetensors'] = [40_000, ...Array(9).fill(0)];
    await expect(run()).rejects.toThrow(
      errorAbout({ kind: 'network', area: 'me/it/model.safetensors', values: [40000, 100000] }),
    );
    hub.state.cuts = {};
    hub.state.files['model.safetensors'] = noise(100_000).reverse();
    await run();
    expectModel(noise(100_000).reverse());
  });

  it('is detected by an idle timeout', async () => {
    const slow: typeof fetch = async (input, init) => {
      if (!String(input).includes('model.safetensors')) return fetch(input, init);
      return new Promise((_, reject) =>
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
      );
    };
    await expect(run({ fetch: slow, idleTimeout: 300, maxRetries: 1 })).rejects.toThrow(
      errorAbout({ kind: 'timeout', area: 'me/it/model.safetensors', values: [0.3] }),
    );
  });

  it('by Ctrl-C keeps the received bytes', async () => {
    const stop = new AbortController();
    const stopped = pull(
      files,
      web({ signal: stop.signal }),
      repository('me/it', 'main', hub.url),
      'out',
      (event) => {
        if (event.file === 'model.safetensors' && event.loaded > 20) stop.abort();
      },
    );
    await expect(stopped).rejects.toThrow(errorOfKind('aborted'));
    expect(names()).toContain('out.part/config.json');
    await run();
    expectModel();
  });
});

describe('a server', () => {
  it('that is busy is retried', async () => {
    hub.state.statuses = { 'config.json': [503, 429], '/main': [500], 'cdn/model.safetensors': [502] };
    await run();
    expectModel();
  });

  it('that stays busy is an error', async () => {
    hub.state.statuses = { 'config.json': Array(9).fill(503) };
    await expect(run()).rejects.toThrow(
      errorAbout({ kind: 'network', area: 'me/it/config.json', values: [503] }),
    );
  });

  it('that requires a token receives it', async () => {
    hub.state.token = 'secret';
    await expect(run()).rejects.toThrow(errorAbout({ kind: 'network', area: 'me/it', values: [401] }));
    await expect(run({ token: 'wrong' })).rejects.toThrow(
      errorAbout({ kind: 'network', area: 'me/it', values: [401] }),
    );
    await run({ token: 'secret' });
    expectModel();
  });

  it('that redirects to another server does not leak the token', async () => {
    const other = await startHub(hub.state.files);
    try {
      hub.state.elsewhere = other.url;
      await run({ token: 'secret' });
      expect(other.log.map(({ token }) => token)).toEqual([undefined]);
    } finally {
      await other.close();
    }
  });

  it.each(['config.json', 'model.safetensors'])('whose checksum of %s is wrong is an error', async (name) => {
    const wrong = 'ab'.repeat(name === 'config.json' ? 20 : 32);
    hub.state.sums[name] = wrong;
    const sum = name === 'config.json' ? 'Git checksum' : 'SHA-256';
    await expect(run()).rejects.toThrow(
      errorAbout({ kind: 'network', area: `me/it/${name}`, values: [sum, wrong] }),
    );
    expect(names().some((path) => path.startsWith('out/') || path.includes(`${name}.part`))).toBe(false);
  });

  it.each([
    [99_999, true],
    [100_001, true],
    [100_001, false],
  ])('whose length is wrong is an error (%i, with ranges: %s)', async (length, ranges) => {
    hub.state.ranges = ranges;
    hub.state.lengths['model.safetensors'] = length;
    await expect(run()).rejects.toThrow(errorAbout({ kind: 'network', area: 'me/it/model.safetensors' }));
    expect(names().some((path) => path.startsWith('out/'))).toBe(false);
  });

  it('that refuses the connection is named in the error', async () => {
    await hub.close();
    await expect(run()).rejects.toThrow(errorAbout({ kind: 'network', area: 'me/it' }));
  });
});

it.each<[string, string | undefined, Record<string, Uint8Array>, ExpectedError]>([
  ['no such model', undefined, {}, { kind: 'not-found', area: 'me/it/config.json' }],
  [
    'no configuration',
    '{"siblings":[{"rfilename":"model.safetensors"}]}',
    {},
    { kind: 'not-found', area: 'me/it' },
  ],
  [
    'other weights only',
    '{"siblings":[{"rfilename":"config.json"},{"rfilename":"pytorch_model.bin"}]}',
    {},
    { kind: 'not-found', area: 'me/it', values: ['model.safetensors', 'pytorch_model.bin'] },
  ],
  ['a listing that is no JSON', '<html>', {}, { kind: 'network', area: 'me/it' }],
  ['a listing of nothing', '[]', {}, { kind: 'network', area: 'me/it' }],
  ['a listing without end', ' '.repeat(17 * 2 ** 20), {}, { kind: 'network', area: 'me/it' }],
  [
    'a file too large',
    `{"siblings":[{"rfilename":"config.json","size":3000000000,"blobId":"${'a'.repeat(40)}"},{"rfilename":"model.safetensors"}]}`,
    {},
    { area: 'me/it/config.json' },
  ],
])('reports %s', async (_, listing, found, expected) => {
  hub.state.files = found;
  hub.state.api = listing !== undefined;
  if (listing !== undefined) hub.state.listing = listing;
  const failed = run();
  await expect(failed).rejects.toThrow(errorAbout(expected));
});

it('rejects shards outside the folder', async () => {
  const { 'model.safetensors': _, ...rest } = hub.state.files;
  hub.state.files = {
    ...rest,
    'model.safetensors.index.json': text('{"weight_map":{"a":"../../etc/passwd"}}'),
  };
  await expect(run()).rejects.toThrow(
    errorAbout({ area: 'out.part/model.safetensors.index.json', values: ['"../../etc/passwd"'] }),
  );
});

it.each(['it', 'a/b/c', '../it', 'me/..', 'me/', '/it', 'me/it?x', 'me/%2e', 'http://x/y', ''])(
  'rejects the name %o',
  (name) => {
    expect(() => repository(name, 'main', 'https://x.example')).toThrow(errorAbout({ area: 'pull' }));
  },
);

it('rejects invalid revisions and hubs', () => {
  for (const revision of ['', '..', 'a/../b', 'a//b', 'a?b'])
    expect(() => repository('me/it', revision, 'https://x.example')).toThrow(errorAbout({ area: 'pull' }));
  expect(() => repository('me/it', 'main', 'x')).toThrow(errorAbout({ area: 'pull', values: ['x'] }));
  expect(() => repository('me/it', 'main', 'file:///x')).toThrow(
    errorAbout({ area: 'pull', values: ['file:///x'] }),
  );
});
