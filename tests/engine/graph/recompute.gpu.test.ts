// Recomputed layers on the GPU: the same kernels on the same numbers give the same bits.

import { expect, it } from 'vitest';
import { testEngine } from '../../support/engine.ts';
import { gradientsOf } from '../../support/gradients.ts';

it('gives the gradients of a graph that keeps everything, to the bit, dropout included', async () => {
  const model = {
    srcVocab: 20,
    tgtVocab: 24,
    dModel: 16,
    feedForward: 32,
    dropout: 0.3,
    norm: 'pre',
  } as const;
  const shape = { batch: 4, source: 6, target: 5 };
  const runs = [];
  for (const gradientCheckpointing of [false, true]) {
    const engine = await testEngine();
    runs.push(await gradientsOf(engine, model, shape, { gradientCheckpointing }));
    engine.destroy();
  }
  const [kept, again] = runs;
  expect(again!.graph.nodes.length).toBeGreaterThan(kept!.graph.nodes.length);
  expect(again!.bits).toEqual(kept!.bits);
  expect(again!.stats).toEqual(kept!.stats);
});
