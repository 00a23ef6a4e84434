// Subword regularization: fresh pieces in each epoch, the same for seed and epoch, of the same text; probabilities.

import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { augmentRates } from '../../../../src/features/corpora/augment/augment-rates.ts';
import { createRowDrawer, pickRows } from '../../../../src/features/corpora/batches/drawn-rows.ts';
import type { CorporaSettings } from '../../../../src/features/corpora/corpora-settings.ts';
import { drawStep } from '../../../../src/features/corpora/train/draw-step.ts';
import { features } from '../../../../src/features/features.ts';
import { memoryFiles } from '../../../../src/files/memory-files.ts';
import { encodePairs } from '../../../../src/text/batches/encoded-corpus.ts';
import type { Pair } from '../../../../src/text/corpus/pairs.ts';
import { intlCorpus } from '../../../../src/text/intl/intl-corpus.ts';
import { loadTokenizer } from '../../../../src/text/load-tokenizer.ts';
import { createPieceSampler } from '../../../../src/text/sentencepiece/piece-sampler.ts';
import { openTextPool, serveTextTasks, type TextThreads } from '../../../../src/text/text-pool.ts';
import type { KnownModel } from '../../../../src/train/data/new-model.ts';
import {
  type OpenSteps,
  prepareTrainingData,
  type TrainingData,
} from '../../../../src/train/data/training-data.ts';
import { createBatchArrays } from '../../../support/batches.ts';
import { errorAbout } from '../../../support/expect-error.ts';

const pairs = intlCorpus({ pairs: 300, seed: 3 });
const options = (kind: 'unigram' | 'bpe') => ({
  model: { dModel: 8, heads: 1, maxLength: 60 },
  tokenizer: { kind, size: 600 },
  batchSize: 8,
  maxTokens: 0,
  buckets: 2,
  seed: 1,
});

/** The data of a training that draws rows with these settings. */
async function drawnData(
  list: readonly Pair[],
  kind: 'unigram' | 'bpe',
  settings: CorporaSettings,
  known?: KnownModel,
  openPool = () => openTextPool(() => undefined),
): Promise<TrainingData> {
  const openSteps: OpenSteps = (batches, from) =>
    drawStep.open(batches, {
      ...{ ...from, settings, seed: 1, files: memoryFiles(), openPool, message: () => undefined },
      ...{ train: undefined, fileSizes: undefined, stages: undefined, readers: [] },
    });
  return prepareTrainingData(list, options(kind), { known, openSteps });
}

it.each([
  ['unigram', { samplingAlpha: 0.2 }],
  ['bpe', { bpeDropout: 0.3 }],
] as const)('draws pieces of %s afresh in each epoch, with the same text', async (kind, sampling) => {
  const data = await drawnData(pairs, kind, sampling);
  const again = await drawnData(pairs, kind, sampling, data);
  const { source, target, corpus, batches } = data;
  const { order, shapes } = batches;
  const drawer = await createRowDrawer(source, target, { sampling, seed: 1 });
  const rows = order.rowsAt(0).slice();
  const shape = shapes[order.shapeAt(0)] ?? { batch: 8, source: 60, target: 60 };
  const drawn = [0, 1, 1].map((draw) =>
    drawer({
      corpus: pickRows(corpus, rows),
      numbers: rows,
      draw,
      maxSource: shape.source,
      maxTarget: shape.target,
    }),
  );
  expect(drawn[2]).toEqual(drawn[1]);
  expect(drawn[0]?.source.ids).not.toEqual(drawn[1]?.source.ids);
  const textsOf = (ids: ArrayLike<number>, starts: Uint32Array, at: number) =>
    target.decode(Array.from(ids).slice(starts[at], starts[at + 1]));
  for (const [i, row] of rows.entries())
    expect(textsOf(drawn[0]?.target.ids ?? [], drawn[0]?.target.starts ?? new Uint32Array(), i)).toBe(
      textsOf(corpus.target.ids, corpus.target.starts, row),
    );
  // A batch of the second epoch, from data that was prepared again as by a resumed run.
  const index = order.perEpoch + 1;
  const filled: object[] = [];
  for (const some of [data, again]) {
    const { shape: number, fill, tokens } = await some.batches.at(index);
    const arrays = createBatchArrays(shapes[number] ?? shape);
    expect(fill(arrays)).toBe(tokens);
    filled.push(arrays);
    await some.batches.close();
  }
  expect(filled[1]).toEqual(filled[0]);
});

it('draws segmentations with their probabilities', () => {
  const json = {
    added_tokens: ['<pad>', '<s>', '</s>', '<unk>'].map((content, id) => ({ id, content, special: true })),
    normalizer: { type: 'Sequence', normalizers: [{ type: 'Precompiled', precompiled_charsmap: '' }] },
    model: {
      type: 'Unigram',
      byte_fallback: false,
      vocab: [
        ...['<pad>', '<s>', '</s>', '<unk>'].map((text) => [text, 0]),
        ...[
          ['\u2581', -1],
          ['a', -2],
          ['b', -3],
          ['ab', -4],
          ['\u2581a', -2.5],
        ],
      ],
    },
  };
  const tokenizer = loadTokenizer(json);
  const sample = createPieceSampler(tokenizer, { samplingAlpha: 0.5 });
  const counts = new Map<string, number>();
  const numbers = random(7);
  for (let i = 0; i < 4000; i++) {
    const key = String(sample?.('ab', numbers));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  // Sums of log-probabilities: _ a b = -6, _ ab = -5, _a b = -5.5.
  const weights = { '4,5,6': Math.exp(-3), '4,7': Math.exp(-2.5), '8,6': Math.exp(-2.75) };
  const total = Object.values(weights).reduce((sum, x) => sum + x, 0);
  for (const [key, weight] of Object.entries(weights))
    expect((counts.get(key) ?? 0) / 4000).toBeCloseTo(weight / total, 1);
  expect(() => createPieceSampler(tokenizer, { bpeDropout: 0.1 })).toThrow(
    errorAbout({ area: 'train', options: ['bpeDropout'] }),
  );
});

it('is off without an option', async () => {
  const data = await drawnData(pairs, 'bpe', {});
  expect(data.batches.at(0)).not.toBeInstanceOf(Promise);
  const corpus = encodePairs(pairs, data.source, data.target, { maxSource: 60, maxTarget: 60 });
  expect(data.corpus.source.ids).toEqual(corpus.source.ids);
});

/** Threads that are none: they answer in turns of the event loop, with clones of the messages. */
const fakeThreads: TextThreads = {
  count: 3,
  start(onMessage) {
    const serve = serveTextTasks(
      (message) => setTimeout(() => onMessage(structuredClone(message))),
      features.textTasks,
    );
    return { send: (message) => setTimeout(() => serve(structuredClone(message))), stop: () => undefined };
  },
};

it('gives the same batches in threads, in this thread, and from any batch on', async () => {
  const given = { samplingAlpha: 0.3, augment: ['web', 'terms', 'typos=0.5'] };
  const some = pairs.slice(0, 100);
  const openPool = () => openTextPool(() => undefined, fakeThreads);
  const [first, threaded, late] = [
    await drawnData(some, 'unigram', given),
    await drawnData(some, 'unigram', given, undefined, openPool),
    await drawnData(some, 'unigram', given, undefined, openPool),
  ];
  const filled = async (data: TrainingData, index: number) => {
    const { shape, fill, tokens } = await data.batches.at(index);
    const arrays = createBatchArrays(data.batches.shapes[shape] ?? { batch: 8, source: 60, target: 60 });
    expect(fill(arrays)).toBe(tokens);
    return arrays;
  };
  const n = first.batches.order.perEpoch + 5;
  const plain = [];
  for (let i = 0; i < n; i++) plain.push(await filled(first, i));
  for (let i = 0; i < n; i++) expect(await filled(threaded, i)).toEqual(plain[i]);
  for (let i = n - 3; i < n; i++) expect(await filled(late, i)).toEqual(plain[i]);
  for (const data of [first, threaded, late]) await data.batches.close();
});

it('names an augmentation or tokenizer that does not fit', async () => {
  expect(() => augmentRates(['typo=0.1'])).toThrow(
    errorAbout({ area: 'train', values: ['augmentation', 'typo', 'typos'] }),
  );
  expect(() => augmentRates(['typos=2'])).toThrow(
    errorAbout({ area: 'train', options: ['augment'], values: ['typos', '2'] }),
  );
  await expect(drawnData(pairs, 'bpe', { samplingAlpha: 1 })).rejects.toThrow(
    errorAbout({ area: 'train', options: ['samplingAlpha'] }),
  );
});
