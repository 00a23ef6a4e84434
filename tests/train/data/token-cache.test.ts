// The cache of token ids beside a model folder: a resumed run uses it, and it is never trusted if anything
// differs.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runJob } from '../../../src/commands/remote/run-job.ts';
import { features } from '../../../src/features/features.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import type { CorpusArguments } from '../../../src/train/data/corpus-arguments.ts';
import { tokenCachePath } from '../../../src/train/data/run-files.ts';
import { cacheKey, hashCorpus, readTokenCache } from '../../../src/train/data/token-cache.ts';
import { openCheckpoint } from '../../../src/train/run/open-checkpoint.ts';
import { prepareRun } from '../../../src/train/run/prepared-run.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { jobs } from '../../support/jobs.ts';
import { trainWords } from '../../support/tokenizers.ts';
import { tinyCorpus, tinyTraining } from '../../support/training.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-tokens-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const cache = at('model/tokens.cache');

const given = (fields: Partial<TrainArguments> = {}): TrainArguments => ({
  ...tinyTraining({ steps: 1, evalSteps: 1, ...fields }),
  corpus: { kind: 'files', train: { files: [at('pairs.tsv')] } },
  out: at('model'),
});

/** Sets up a resumed run; returns what it says, the files it opened as streams, and its data. */
async function resumed(fields: Partial<TrainArguments> = {}) {
  const files = nodeFiles();
  const read: string[] = [];
  const stream = (path: string) => {
    read.push(path);
    return (files.stream as NonNullable<typeof files.stream>)(path);
  };
  const context = { files: { ...files, stream }, emit: () => undefined, features };
  const prepared = await prepareRun(
    { ...given(fields), resume: true },
    context,
    await openCheckpoint({ files, folder: at('model') }),
  );
  const { data, dev, test, fingerprint, examples } = prepared;
  const text = { dev: [...dev], test: [...test], fingerprint, examples };
  // The corpus is read once for its hash, and once more if it is tokenized again.
  return {
    ...text,
    corpus: data.corpus,
    tokenized: read.length > 1,
    unusable: prepared.facts.unusableCache,
    prepared,
  };
}

let first: Awaited<ReturnType<typeof resumed>>;

beforeAll(async () => {
  writeFileSync(at('pairs.tsv'), tinyCorpus);
  await runJob(jobs.train, given(), { host: 'cpu' });
  copyFileSync(cache, at('kept'));
  rmSync(cache);
  first = await resumed();
  copyFileSync(at('kept'), cache);
});

it('is written beside the folder at the first checkpoint, and a resumed run takes everything from it', async () => {
  expect(first.tokenized).toBe(true);
  expect(existsSync(at('model/model.safetensors'))).toBe(true);
  const { prepared: _, ...found } = await resumed({ steps: 3, learningRate: 0.5 });
  const { prepared: __, ...expected } = first;
  expect(found).toEqual({ ...expected, tokenized: false });
  expect(found.dev.length).toBeGreaterThan(0);
  const losses = async () =>
    (await runJob(jobs.train, { ...given({ steps: 3 }), resume: true }, { host: 'cpu' })).losses;
  expect(await losses()).toHaveLength(2);
});

it('is stored in the model folder, or next to an archive', () => {
  expect(tokenCachePath('runs/a')).toBe('runs/a/tokens.cache');
  expect(tokenCachePath('runs/a.zip')).toBe('runs/a.tokens.cache');
});

it.each([
  ['cut off', (bytes: Buffer) => bytes.subarray(0, -3)],
  ['empty', () => Buffer.alloc(0)],
  [
    'another byte of the ids',
    (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -9), Buffer.from([0xaa]), bytes.subarray(-8)]),
  ],
  [
    'another header',
    (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace('"count"', '"cound"'), 'latin1'),
  ],
])('is made again if it is damaged: %s', async (_, damage) => {
  copyFileSync(at('kept'), cache);
  writeFileSync(cache, damage(readFileSync(cache)));
  const again = await resumed();
  expect(again.unusable).toEqual({ path: cache, problem: 'damaged' });
  expect(again.corpus).toEqual(first.corpus);
  await again.prepared.cache();
  expect(readFileSync(cache).equals(readFileSync(at('kept')))).toBe(true);
});

it("leaves a file of the user's with its name", async () => {
  rmSync(cache);
  const again = await resumed();
  writeFileSync(cache, 'my tokens\n');
  await expect(again.prepared.cache()).rejects.toThrow(
    errorAbout({ area: expect.stringMatching(/\btokens\.cache$/) }),
  );
  expect(readFileSync(cache, 'utf8')).toBe('my tokens\n');
  rmSync(cache);
  const before = await resumed();
  mkdirSync(cache);
  await expect(before.prepared.cache()).rejects.toThrow(errorAbout({ area: cache }));
  rmSync(cache, { recursive: true });
});

it('changes its key with files, tokenizers and limits', async () => {
  const { source, target } = first.prepared.data;
  const other = trainWords(['one two six'], { size: 60 });
  const limits = { maxSource: 16, maxTarget: 16, truncate: false };
  const keys = await Promise.all([
    cacheKey('files', { source, target }, limits),
    cacheKey('other files', { source, target }, limits),
    cacheKey('files', { source: other, target }, limits),
    cacheKey('files', { source, target: other }, limits),
    cacheKey('files', { source, target: { ...target, special: { ...target.special, end: 5 } } }, limits),
    cacheKey('files', { source, target }, { ...limits, maxTarget: 15 }),
    cacheKey('files', { source, target }, { ...limits, truncate: true }),
  ]);
  expect(new Set(keys).size).toBe(keys.length);
  expect(await cacheKey('files', { source, target: { ...target } }, { ...limits })).toBe(keys[0]);
});

it('is written only for files that can be read again', async () => {
  const hash = (corpus: CorpusArguments, heldOut = 0.1) =>
    hashCorpus(corpus, heldOut, nodeFiles(), () => undefined);
  const tsv = { kind: 'tsv', path: at('pairs.tsv') } as const;
  const hashes = await Promise.all([
    hash(tsv),
    hash(tsv, 0.2),
    hash({ ...tsv, dev: at('pairs.tsv') }),
    hash({ kind: 'files', train: { files: [at('pairs.tsv')], format: 'csv' } }),
  ]);
  expect(new Set(hashes).size).toBe(4);
  expect(hashes).not.toContain(undefined);
  expect(await hash({ ...tsv, keep: true })).toBeUndefined();
  expect(await hash({ kind: 'files', train: { files: ['-'] } })).toBeUndefined();
  // A pipe is empty for a second reader.
  expect(await hash({ kind: 'files', train: { files: ['/dev/null'] } })).toBeUndefined();
  expect(await hash({ kind: 'intl', source: 'en', target: 'es', pairs: 100, seed: 1 })).toBeUndefined();
});

it('stops reading when the run is stopped', async () => {
  const path = at('large.tokens');
  writeFileSync(path, new Uint8Array(9e6).fill(10));
  const stop = () => Promise.reject(new Error('stopped'));
  await expect(readTokenCache(nodeFiles(), path, 'key', stop)).rejects.toThrow(new Error('stopped'));
});

it('is not used with other pairs: a resumed run rejects them', async () => {
  copyFileSync(at('kept'), cache);
  writeFileSync(at('pairs.tsv'), tinyCorpus.split('\n').slice(3).join('\n'));
  await expect(resumed()).rejects.toThrow(errorAbout({ options: ['init'] }));
  writeFileSync(at('pairs.tsv'), tinyCorpus.replaceAll('\n', '\r\n')); // the same pairs
  const again = await resumed();
  expect(again.unusable).toEqual({ path: cache, problem: 'outdated' });
  expect(again.corpus).toEqual(first.corpus);
  writeFileSync(at('pairs.tsv'), tinyCorpus);
});
