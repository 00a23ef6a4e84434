// Each offer of a memory budget is taken: the training runs on a GPU that has no more memory than the budget leaves it.

import { expect, it } from 'vitest';
import { type PlanTrainingOptions, planTraining } from '../../src/entries/plan-with-features.ts';
import { train } from '../../src/entries/train-with-features.ts';
import { dawnGpu } from '../../src/host/dawn.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { registerHost } from '../../src/session/host.ts';
import { readTsv } from '../../src/text/corpus/tsv.ts';
import { shapedGpu } from '../support/shaped-gpu.ts';
import { tinyCorpus } from '../support/training.ts';

registerHost(nodeHost());
const { pairs } = readTsv(new TextEncoder().encode(tinyCorpus), 'pairs.tsv');

/** Takes the offers of budgets that are shares of what the training needs. Returns the settings that were offered. */
async function takeOffers(options: PlanTrainingOptions, shares: readonly number[]): Promise<object[]> {
  const device = await dawnGpu();
  const { planned } = await planTraining(pairs, { ...options, device });
  const need = planned.peak + planned.staging + planned.javascript;
  const taken: object[] = [];
  for (const share of shares) {
    const memoryBudget = Math.floor(share * need);
    const { fits, offer } = await planTraining(pairs, { ...options, device, memoryBudget });
    expect(fits).toBe(share >= 1);
    if (!offer && !fits) {
      taken.push({});
      continue;
    }
    expect(offer?.bytes ?? need).toBeLessThanOrEqual(memoryBudget);
    const settings = { ...options, ...offer?.settings, memoryBudget };
    const { planned: found } = await planTraining(pairs, { ...settings, device });
    // The rest of the budget is JavaScript's.
    const memory = memoryBudget - found.javascript;
    const model = await train(pairs, { ...settings, device: shapedGpu(device, { name: 'budget', memory }) });
    expect(model.training?.losses, `${share}`).toHaveLength(options.steps ?? 0);
    model.dispose();
    taken.push(offer?.settings ?? {});
  }
  return taken;
}

const options: PlanTrainingOptions = {
  preset: 'tiny',
  tokenizer: 'word',
  vocabSize: 60,
  batchSize: 64,
  maxLength: 48,
  steps: 3,
  heldOut: 0,
  learningRate: 1e-3,
  seed: 1,
};

it('of a new model', async () => {
  const taken = await takeOffers(options, [1, 0.97, 0.8, 0.6, 0.5, 0.4, 0.3, 0.1]);
  expect(taken[0]).toEqual({});
  expect(taken[1]).toMatchObject({ gradientCheckpointing: true });
});

it('of a model that is fine-tuned', async () => {
  const from = await train(pairs, { ...options, device: await dawnGpu(), batchSize: 8 });
  const { preset: _, tokenizer: __, vocabSize: ___, maxLength: ____, ...rest } = options;
  await takeOffers({ ...rest, from }, [1, 0.9, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15]);
  from.dispose();
});
