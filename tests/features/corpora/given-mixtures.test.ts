// File and Blob objects in place of the paths of mixtures: the same results as with the path.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TrainOptions, train } from '../../../src/entries/train-with-features.ts';
import type { FileSource } from '../../../src/files/given-files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { nodeHost } from '../../../src/host/node-host.ts';
import { registerHost } from '../../../src/session/host.ts';

const files = memoryFiles();
registerHost({ files, modelPath: (name) => name });
afterAll(() => registerHost(nodeHost())); // other files of the worker use it
const small: TrainOptions = {
  device: 'cpu',
  tune: false,
  model: { dModel: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 8, maxLength: 8 },
  tokenizer: 'char',
  batchSize: 4,
  heldOut: 0,
  steps: 2,
};

beforeAll(async () => {
  const text = (path: string, content: string) => files.write(path, new TextEncoder().encode(content));
  await text('pairs.tsv', 'ab\tba\ncab\tbac\nabc\tcba\nacb\tbca\n');
  await text('more.csv', 'source,target\naab,baa\n');
  await text('dev.tsv', 'ab\tba\n');
});

/** The weights of a training and its results. */
async function trained(given: Parameters<typeof train>[0]): Promise<unknown> {
  using model = await train(given, small);
  const { evaluation, best } = model.training ?? {};
  return [model.weights(), evaluation, best];
}

const calls: Readonly<Record<string, readonly [path: string, call: (file: FileSource) => unknown]>> = {
  'weighted files': [
    'more.csv',
    (file) =>
      trained({
        data: [
          ['pairs.tsv', 0.8],
          [file, 0.2],
        ],
        dev: { files: ['dev.tsv'] },
      }),
  ],
  stages: [
    'more.csv',
    (file) =>
      trained({
        stages: [{ data: [[file, 1]], steps: 1 }, { data: ['pairs.tsv=0.5', 'a.tsv=0.5'].slice(0, 1) }],
        test: { files: ['dev.tsv'] },
      }),
  ],
};

it.each(Object.entries(calls))('%s: a File as the path', async (_, [path, call]) => {
  const expected = await call(path);
  const file = new File([(await files.read(path)) as Uint8Array<ArrayBuffer>], path);
  expect(await call(file)).toEqual(expected);
});
