// The work on the texts of a corpus, in this thread and in others: the same results, errors, progress, and
// how it stops.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, vi } from 'vitest';
import { HeddleError } from '../../src/core/errors.ts';
import type { WorkProgress } from '../../src/core/steps.ts';
import { nodeTextThreads } from '../../src/host/node-host.ts';
import { joinEncoded } from '../../src/text/batches/encoded-corpus.ts';
import { chunksOf, packedPairs, packPairs } from '../../src/text/corpus/packed-pairs.ts';
import { fingerprint } from '../../src/text/corpus/pairs.ts';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';
import { openTextPool, serveTextTasks, type TextThreads } from '../../src/text/text-pool.ts';
import { hashTask, parseTask, trainTokenizerTask } from '../../src/text/text-tasks.ts';
import { prepareTrainingData, type TrainingDataOptions } from '../../src/train/data/training-data.ts';
import { distFile } from '../support/dist.ts';

const pairs = intlCorpus({ pairs: 400, seed: 3 });
const packed = packedPairs([packPairs(pairs.slice(0, 150), true), packPairs(pairs.slice(150), true)]);
const none = () => undefined;

/** Threads that are none: they answer in turns of the event loop, with clones of the messages. */
const fakeThreads = (count: number, onStart?: (number: number) => void): TextThreads => {
  let number = 0;
  return {
    count,
    start(onMessage, onEnd) {
      const serve = serveTextTasks((message) => setTimeout(() => onMessage(structuredClone(message))));
      try {
        onStart?.(number++);
      } catch (error) {
        setTimeout(() => onEnd(error as Error));
      }
      return { send: (message) => setTimeout(() => serve(structuredClone(message))), stop: none };
    },
  };
};

const options = (
  kind: 'word' | 'char' | 'bpe' | 'unigram',
  tie: 'all' | 'none' = 'none',
): TrainingDataOptions => ({
  model: { dModel: 8, heads: 1, maxLength: 40, tie },
  tokenizer: { kind, size: 300 },
  batchSize: 8,
  maxTokens: 0,
  buckets: 2,
  seed: 1,
});

/** Vocabularies and ids of a training. */
async function prepared(given: TrainingDataOptions, threads?: TextThreads) {
  const pool = await openTextPool(none, threads);
  const list = threads ? packed : pairs;
  const [[data], task] = await Promise.all([
    pool.run({ task: hashTask, args: undefined, chunks: chunksOf(list), threads: 1 }),
    prepareTrainingData(list, given, { pool }),
  ]);
  pool.close();
  expect(pool.parallel).toBe(threads !== undefined);
  return {
    data,
    source: JSON.stringify(task.source),
    target: JSON.stringify(task.target),
    corpus: task.corpus,
  };
}

it('makes the same tokenizers, ids and fingerprint in threads, with ids of 16 bits', async () => {
  for (const given of [
    options('word'),
    options('char'),
    options('bpe'),
    options('bpe', 'all'),
    options('unigram'),
  ]) {
    const here = await prepared(given);
    expect(await prepared(given, fakeThreads(3))).toEqual(here);
    expect(here.data).toEqual(fingerprint(pairs));
    expect(here.corpus.source.ids).toBeInstanceOf(Uint16Array);
  }
});

it('makes them in the threads of Node too', async () => {
  const threads = nodeTextThreads(pathToFileURL(distFile('text-thread.js')));
  expect(threads?.count).toBeGreaterThan(0);
  expect(await prepared(options('bpe'), threads)).toEqual(await prepared(options('bpe')));
});

it('works in this thread if no thread starts, and without those that do not', async () => {
  const reject = (from: number) => (number: number) => {
    if (number >= from) throw new Error('no memory');
  };
  const failing = await openTextPool(none, fakeThreads(2, reject(0)));
  expect(failing.parallel).toBe(false);
  const [data] = await failing.run({ task: hashTask, args: undefined, chunks: chunksOf(pairs) });
  expect(data).toEqual(fingerprint(pairs));
  expect((await openTextPool(none, fakeThreads(2, reject(1)))).parallel).toBe(true);
  const missing = pathToFileURL(resolve(import.meta.dirname, 'missing.js'));
  expect(nodeTextThreads(missing)).toBeUndefined();
  expect(nodeTextThreads()).toBeUndefined(); // the sources have no built program
});

it('rejects with the error of a thread', async () => {
  const pool = await openTextPool(none, fakeThreads(2));
  const bytes = new Uint8Array([97, 9, 0xff, 10]);
  const block = { name: 'x.tsv', format: 'tsv', line: 7, bytes, columns: [0, 1], references: 1 } as const;
  const error = await pool
    .run({ task: parseTask, args: {}, chunks: [block] })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(HeddleError);
  expect((error as Error).message).toMatch(/^x\.tsv: line 7 is not UTF-8/);
});

it('ends at once when its signal is aborted, and ends its threads', async () => {
  const stop = new AbortController();
  const pool = await openTextPool(
    none,
    nodeTextThreads(pathToFileURL(distFile('text-thread.js'))),
    stop.signal,
  );
  const table = { items: Array.from({ length: 300_000 }, (_, i) => `w${i * 7919}x${i}`).join('\n') };
  const learning = pool.run({
    task: trainTokenizerTask,
    args: { kind: 'bpe', size: 30_000 },
    chunks: [[{ ...table, counts: new Float64Array(300_000).fill(1) }]],
  });
  setTimeout(() => stop.abort(new Error('stopped')), 300);
  const begin = performance.now();
  await expect(learning).rejects.toThrow(new Error('stopped'));
  expect(performance.now() - begin).toBeLessThan(10_000); // a second; without the abort it takes minutes
  pool.close();
});

it('adds up the progress of threads', async () => {
  const seen: WorkProgress[] = [];
  const pool = await openTextPool((progress) => {
    seen.push(progress);
    return undefined;
  }, fakeThreads(2));
  const items = Array.from({ length: 20_000 }, (_, i) =>
    String.fromCharCode(97 + (i % 26)).repeat(1 + (i % 40)),
  );
  const table = { items: items.join('\n'), counts: new Float64Array(20_000).fill(2) };
  // A second passes between two looks at the clock: each step is shown, however fast the computer is.
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 1000));
  await pool.run({ task: trainTokenizerTask, args: { kind: 'bpe', size: 2000 }, chunks: [[table], [table]] });
  expect(seen.some(({ total }) => total === 4000 || total === 2 * new Set(items).size)).toBe(true);
  vi.restoreAllMocks();
});

it('joins encoded chunks', async () => {
  const pool = await openTextPool(none);
  const { corpus } = await prepareTrainingData(pairs, options('word'), { pool });
  expect(joinEncoded([corpus])).toEqual(corpus);
});
