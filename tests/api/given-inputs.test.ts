// File and Blob objects in place of each path that the library accepts: the same results as with the path.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTranslator, translators } from '../../src/api/create-translator.ts';
import { importModel, packModel, pullModel, readModelFacts } from '../../src/api/model-files.ts';
import { readPairs } from '../../src/api/read-pairs.ts';
import { readCheckpoint, readTrainingLog } from '../../src/api/saved-training.ts';
import { loadModel } from '../../src/entries/load-with-features.ts';
import { planTraining } from '../../src/entries/plan-with-features.ts';
import { type TrainOptions, train } from '../../src/entries/train-with-features.ts';
import type { FileSource, FolderSource } from '../../src/files/given-files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { dawnGpu } from '../../src/host/dawn.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { registerHost } from '../../src/session/host.ts';
import type { Pair } from '../../src/text/corpus/pairs.ts';
import { errorAbout } from '../support/expect-error.ts';

const files = memoryFiles();
registerHost({ files, modelPath: (name) => name });
afterAll(() => registerHost(nodeHost())); // other files of the worker use it
const cpu = { device: 'cpu', tune: false } as const;
const pairs: readonly Pair[] = ['ab', 'ba', 'cab', 'bac', 'abc', 'acb'].map((source) => ({
  source,
  target: [...source].reverse().join(''),
}));
const tsv = (list: readonly Pair[]) => list.map(({ source, target }) => `${source}\t${target}\n`).join('');
const small: TrainOptions = {
  ...cpu,
  model: { dModel: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 8, maxLength: 8 },
  tokenizer: 'char',
  batchSize: 4,
  heldOut: 0,
  steps: 2,
};

/** A file of the host as a File. */
const fileOf = async (path: string): Promise<File> =>
  new File([(await files.read(path)) as Uint8Array<ArrayBuffer>], path.replace(/^.*\//, ''));
/** The files of a folder as File objects. */
const filesOf = async (folder: string): Promise<File[]> =>
  Promise.all((await files.list(folder)).map((name) => fileOf(`${folder}/${name}`)));

beforeAll(async () => {
  const text = (path: string, content: string) => files.write(path, new TextEncoder().encode(content));
  await text('pairs.tsv', tsv(pairs));
  await text('more.csv', 'source,target\naab,baa\n');
  await text('dev.tsv', tsv(pairs.slice(0, 2)));
  await text('a.txt', 'ab\nba\n');
  await text('b.txt', 'ba\nab\n');
  const base = await train(pairs, { ...small, checkpoint: 'base' });
  await text(
    'tokenizer.json',
    new TextDecoder().decode(
      await files.read('base/source-tokenizer.json').catch(() => files.read('base/tokenizer.json')),
    ),
  );
  await (await train(pairs, { ...small, seed: 9, checkpoint: 'second' })).dispose();
  const tuned = await train(pairs, {
    ...cpu,
    from: base,
    steps: 1,
    batchSize: 4,
    heldOut: 0,
    lora: { rank: 2 },
  });
  await tuned.save('adapter', { format: 'lora' });
  await tuned.save('adapter.zip', { format: 'lora' });
  await base.save('base.zip');
});

/** The weights of a training and its results. */
async function trained(given: Parameters<typeof train>[0], options: TrainOptions = {}): Promise<unknown> {
  using model = await train(given, { ...small, ...options });
  const { evaluation, best } = model.training ?? {};
  return [model.weights(), evaluation, best];
}
const plan = async (given: Parameters<typeof train>[0], options: TrainOptions = {}) => {
  const { tune: _, onEvent: __, ...others } = { ...small, ...options };
  const { corpus, parameters, shapes } = await planTraining(given, { ...others, device: await dawnGpu() });
  return { corpus: { ...corpus, name: '', messages: corpus.messages.length }, parameters, shapes };
};
const translated = async (where: FolderSource, options: Parameters<typeof loadModel>[1] = {}) => {
  const model = await loadModel(where, { ...cpu, ...options });
  const score = (await model.score(pairs)).map((each) => each?.logProb);
  model.dispose();
  return score;
};

/** Calls with a file: `call(path)` and `call(file)` are the same. */
const fileCalls: Readonly<Record<string, readonly [path: string, call: (file: FileSource) => unknown]>> = {
  'train: a TSV corpus': ['pairs.tsv', (path) => trained({ kind: 'tsv', path })],
  'train: dev of a TSV corpus': [
    'dev.tsv',
    (dev) => trained({ kind: 'tsv', path: 'pairs.tsv', dev }, { evalSteps: 1 }),
  ],
  'train: files of a corpus': [
    'more.csv',
    (file) => trained({ kind: 'files', train: { files: ['pairs.tsv', file] }, dev: { files: ['dev.tsv'] } }),
  ],
  'train: parallel files': [
    'a.txt',
    (file) => trained({ kind: 'files', train: { source: [file], target: ['b.txt'] } }),
  ],
  'train: dev files': [
    'dev.tsv',
    (file) =>
      trained({ kind: 'files', train: { files: ['pairs.tsv'] }, dev: { files: [file] } }, { evalSteps: 1 }),
  ],
  'train: tokenizerFile': [
    'tokenizer.json',
    (file) => trained(pairs, { tokenizer: undefined, tokenizerFile: file }),
  ],
  'train: sourceTokenizer and targetTokenizer': [
    'tokenizer.json',
    (file) => trained(pairs, { tokenizer: undefined, sourceTokenizer: file, targetTokenizer: file }),
  ],
  'train: init, an archive': [
    'base.zip',
    (init) => trained(pairs, { model: undefined, tokenizer: undefined, init }),
  ],
  'planTraining: a corpus': ['pairs.tsv', (path) => plan({ kind: 'tsv', path })],
  'planTraining: tokenizerFile': [
    'tokenizer.json',
    (file) => plan(pairs, { tokenizer: undefined, tokenizerFile: file }),
  ],
  'loadModel: a zip archive': ['base.zip', (file) => translated(file)],
  'loadModel: a safetensors file': ['base/model.safetensors', (file) => translated(file)],
  'loadModel: ensemble': ['base.zip', (file) => translated('second', { ensemble: [file] })],
  'loadModel: lora': ['adapter.zip', (lora) => translated('base', { lora })],
  'readModelFacts: an archive': ['base.zip', (file) => facts(file)],
};

/** Name to files in `readModelFacts`, which takes folders or given archives. */
const facts = async (file: FileSource) =>
  (await readModelFacts(typeof file === 'string' ? 'base' : file)).parameters;

it.each(Object.entries(fileCalls))('%s: File and Blob as the path', async (_, [path, call]) => {
  const expected = await call(path);
  expect(expected).toBeDefined();
  const file = await fileOf(path);
  expect(await call(file)).toEqual(expected);
  if (!/csv$/.test(path)) expect(await call(new Blob([file]))).toEqual(expected); // a Blob has no name, so it is TSV
});

/** Calls with a folder: its name, or its files. */
const folderCalls: Readonly<Record<string, readonly [folder: string, call: (at: FolderSource) => unknown]>> =
  {
    'train: init': ['base', (init) => trained(pairs, { model: undefined, tokenizer: undefined, init })],
    'planTraining: init': ['base', (init) => plan(pairs, { model: undefined, tokenizer: undefined, init })],
    loadModel: ['base', (where) => translated(where)],
    'loadModel: lora': ['adapter', (lora) => translated('base', { lora })],
    'loadModel: lora, by names': [
      'adapter',
      async (lora) => {
        const model = await loadModel('base', { ...cpu, lora: { mine: lora } });
        model.useLora('mine');
        return (await model.score(pairs)).map((each) => each?.logProb);
      },
    ],
    'loadModel: ensemble': ['second', (other) => translated('base', { ensemble: [other] })],
    'model.addLora': [
      'adapter',
      async (folder) => {
        const model = await loadModel('base', cpu);
        await model.addLora('mine', folder);
        model.useLora('mine');
        return (await model.score(pairs)).map((each) => each?.logProb);
      },
    ],
    createTranslator: [
      'base',
      async (model) =>
        (await createTranslator({ sourceLanguage: 'en', targetLanguage: 'es', model, load: cpu })).translate(
          'ab',
        ),
    ],
    translators: [
      'base',
      async (model) => {
        const languages = { sourceLanguage: 'en', targetLanguage: 'es' };
        const all = translators({ 'en-es': model }, cpu);
        return [await all.availability(languages), await (await all.create(languages)).translate('ab')];
      },
    ],
    readModelFacts: ['base', async (model) => (await readModelFacts(model)).parameters],
    readCheckpoint: ['base', async (model) => ({ ...(await readCheckpoint(model)), storedPairs: 0 })],
    readTrainingLog: ['base', (model) => readTrainingLog(model)],
    packModel: ['base', async (model) => (await packModel(model)).size],
  };

it.each(Object.entries(folderCalls))('%s: File objects as the folder', async (_, [folder, call]) => {
  const expected = await call(folder);
  expect(expected).toBeDefined();
  expect(await call(await filesOf(folder))).toEqual(expected);
});

it('takes a file of pairs as pairs', async () => {
  const [file, dev] = [await fileOf('pairs.tsv'), await fileOf('dev.tsv')];
  const lists = { dev: pairs.slice(0, 2), test: pairs.slice(0, 2) };
  expect(await trained(file, { dev, test: dev, evalSteps: 1 })).toEqual(
    await trained(pairs, { ...lists, evalSteps: 1 }),
  );
  const model = await loadModel('base', cpu);
  expect(await model.evaluate(await readPairs(file))).toEqual(await model.evaluate(pairs));
  expect(await readPairs(new Blob([file]))).toEqual(await readPairs('pairs.tsv'));
  await importModel(new Blob([await fileOf('base.zip')]), 'imported');
  expect(await translated('imported')).toEqual(await translated('base'));
});

/** A folder that was chosen as a file, or a file that has changed since. */
class UnreadableFile extends File {
  readonly #error: Error;
  constructor(name: string, error: Error, text: string) {
    super([text], name);
    this.#error = error;
  }
  override slice = (): Blob => (this.size > 0 ? this : new Blob());
  override arrayBuffer = () => Promise.reject(this.#error);
  override stream = () => new ReadableStream({ start: (controller) => controller.error(this.#error) });
}

it.each([
  ['a file that has changed', new DOMException('', 'NotReadableError'), 'input', 'text'],
  ['a file that is gone', new DOMException('', 'NotFoundError'), 'not-found', ''],
] as const)('names a file that the browser does not read: %s', async (_, error, kind, text) => {
  for (const call of [
    readPairs,
    (file: File) => train(file, small),
    (file: File) => train(pairs, { ...small, dev: file }),
    (file: File) => train(pairs, { ...small, tokenizerFile: file }),
    (file: File) => train(pairs, { ...small, init: file }),
    loadModel,
    (file: File) => loadModel([file, new File([], 'config.json')], cpu),
    (file: File) => importModel(file, 'unread'),
  ])
    await expect(call(new UnreadableFile('config.zip', error, text))).rejects.toMatchObject({
      kind: expect.stringMatching(/^(input|not-found)$/),
    });
  for (const call of [readPairs, loadModel])
    await expect(call(new UnreadableFile('mine.zip', error, text))).rejects.toMatchObject({
      message: expect.stringMatching(
        /^(<File>\/)?mine\.zip: the file cannot be read; it was changed or removed after it was chosen, or is a folder; choose it again$/,
      ),
      kind,
    });
});

it('names calls without a file, and stops reading', async () => {
  await expect(readPairs([await fileOf('pairs.tsv')] as never)).rejects.toThrow(
    errorAbout({ area: 'readPairs' }),
  );
  await expect(train(pairs, { ...small, tokenizerFile: [] as never })).rejects.toThrow(
    errorAbout({ area: '<File>/Blob' }),
  );
  await expect(importModel(await fileOf('base.zip'), undefined as never)).rejects.toThrow(
    errorAbout({ area: 'importModel', values: ['undefined'] }),
  );
  await expect(pullModel('a/b', { signal: undefined } as never)).rejects.toThrow(
    errorAbout({ area: 'pullModel' }),
  );
  await expect(train('pairs.tsv' as never, small)).rejects.toThrow(
    errorAbout({ area: 'train', values: ['pairs'] }),
  );
  const signal = AbortSignal.abort();
  await expect(readPairs('pairs.tsv', { signal })).rejects.toBe(signal.reason);
});

it('resumes with the files of its start', async () => {
  const options = { ...cpu, batchSize: 4, heldOut: 0, lora: { rank: 2 }, checkpoint: 'tuned' };
  const init = await filesOf('base');
  await train(await fileOf('pairs.tsv'), { ...options, steps: 1, init });
  const model = await train(await fileOf('pairs.tsv'), { ...options, steps: 2, init, resume: true });
  model.dispose();
  expect((await readCheckpoint('tuned')).step).toBe(2);
});

it('does not lose dev pairs beside a corpus', async () => {
  await expect(train({ kind: 'tsv', path: 'pairs.tsv' }, { ...small, dev: pairs })).rejects.toThrow(
    errorAbout({ area: 'train' }),
  );
});
