// Pairs from generators: the training of a list, errors of the generator, abort while it waits, and no endless memory.

import { expect, it } from 'vitest';
import { isPairSource, pairsOfSource } from '../../src/api/pair-source.ts';
import { train } from '../../src/entries/train-with-features.ts';
import type { Pair } from '../../src/text/corpus/pairs.ts';
import { errorAbout } from '../support/expect-error.ts';

const pairs: readonly Pair[] = ['ab', 'ba', 'cab', 'bac', 'abc', 'acb'].map((source) => ({
  source,
  target: [...source].reverse().join(''),
}));
const small = {
  device: 'cpu',
  tune: false,
  model: { dModel: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 8, maxLength: 8 },
  tokenizer: 'char',
  batchSize: 4,
  heldOut: 0,
  steps: 2,
} as const;

async function* generated(): AsyncGenerator<Pair> {
  yield* pairs;
}

it('trains on the pairs of a generator as on a list', async () => {
  const losses: number[][] = [];
  for (const given of [pairs, generated(), pairs.values()]) {
    const log: number[] = [];
    const model = await train(given, { ...small, dev: generated(), onStep: ({ loss }) => log.push(loss) });
    losses.push(log);
    await model.dispose();
  }
  expect(losses[0]).toHaveLength(2);
  expect(losses[1]).toEqual(losses[0]);
  expect(losses[2]).toEqual(losses[0]);
});

it('rejects with the error of a generator', async () => {
  const failing = (async function* () {
    yield* pairs;
    throw new RangeError('mine');
  })();
  await expect(train(failing, small)).rejects.toBeInstanceOf(RangeError);
});

it('ends at a signal while a generator waits', async () => {
  const abort = new AbortController();
  const waiting = (async function* (): AsyncGenerator<Pair> {
    yield* pairs;
    await new Promise(() => {});
  })();
  const training = train(waiting, { ...small, signal: abort.signal });
  setTimeout(() => abort.abort(), 10);
  await expect(training).rejects.toMatchObject({ name: 'AbortError' });
});

it('refuses an endless generator, and ends it', async () => {
  let ended = false;
  const endless = (function* () {
    try {
      for (;;) yield { source: 'a'.repeat(2 ** 20), target: '' };
    } finally {
      ended = true;
    }
  })();
  await expect(pairsOfSource(endless, 'dev')).rejects.toThrow(
    errorAbout({ kind: 'input', area: 'train', values: ['dev', 2 ** 28] }),
  );
  expect(ended).toBe(true);
});

it('takes only objects that yield', () => {
  expect([isPairSource(generated()), isPairSource(new Set())]).toEqual([true, true]);
  expect([isPairSource([]), isPairSource({}), isPairSource(new Blob([]))]).toEqual([false, false, false]);
});
