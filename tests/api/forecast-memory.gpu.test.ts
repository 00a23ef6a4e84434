// The forecast of a training's GPU memory against the buffers that the training creates, with the settings that change
// what a trainer holds: gradient accumulation, EMA, a LoRA adapter, gradient checkpointing, mixed precision.

import { describe, expect, it } from 'vitest';
import { type PlanTrainingOptions, planTraining } from '../../src/entries/plan-with-features.ts';
import { train } from '../../src/entries/train-with-features.ts';
import { readTsv } from '../../src/text/corpus/tsv.ts';
import { gpuDevice } from '../support/gpu.ts';
import { tinyCorpus } from '../support/training.ts';

const { pairs } = readTsv(new TextEncoder().encode(tinyCorpus), 'pairs.tsv');

const options: PlanTrainingOptions = {
  preset: 'tiny',
  model: { dModel: 32, feedForward: 64, heads: 2 },
  tokenizer: 'word',
  vocabSize: 60,
  batchSize: 16,
  buckets: 2,
  steps: 3,
  heldOut: 0,
  seed: 1,
  tune: false,
};

/** Counts the bytes of the buffers that a device holds; `peak`: the most at any time. */
function countBuffers(device: GPUDevice) {
  const counted = { held: 0, peak: 0 };
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    let isHeld = true;
    counted.held += descriptor.size;
    counted.peak = Math.max(counted.peak, counted.held);
    buffer.destroy = () => {
      if (isHeld) counted.held -= descriptor.size;
      isHeld = false;
      return destroy();
    };
    return buffer;
  };
  const restore = () => {
    device.createBuffer = createBuffer;
  };
  return { counted, restore };
}

const cases: readonly (readonly [string, PlanTrainingOptions])[] = [
  ['plain', {}],
  ['gradient accumulation', { gradientAccumulationSteps: 4 }],
  ['a moving average', { emaDecay: 0.9 }],
  ['gradient checkpointing', { gradientCheckpointing: true }],
  ['measured updates', { updateRatioSteps: 1 }],
  ['accumulation and a moving average', { gradientAccumulationSteps: 2, emaDecay: 0.9 }],
  ['mixed precision', { precision: 'f16' }],
  ['mixed precision with accumulation', { precision: 'f16', gradientAccumulationSteps: 2 }],
];

describe('the forecast of GPU memory is what the training holds', () => {
  const check = async (given: PlanTrainingOptions) => {
    const device = await gpuDevice();
    if (given.precision === 'f16' && !device.features.has('shader-f16')) return;
    const { planned } = await planTraining(pairs, { ...given, device });
    const { counted, restore } = countBuffers(device);
    try {
      const model = await train(pairs, { ...given, device });
      model.dispose();
    } finally {
      restore();
    }
    const forecast = planned.peak + planned.staging;
    expect(counted.peak / forecast).toBeLessThanOrEqual(1);
    expect(counted.peak / forecast).toBeGreaterThan(0.85);
  };

  it.each(cases)('%s', (_, given) => check({ ...options, ...given }));

  it.each(['f32', 'int8'] as const)('a LoRA adapter on weights in %s', async (weights) => {
    const from = await train(pairs, { ...options, device: await gpuDevice() });
    const { preset: _, model: __, tokenizer: ___, vocabSize: ____, ...rest } = options;
    for (const gradientAccumulationSteps of [1, 3])
      await check({ ...rest, from, lora: { rank: 4 }, weights, gradientAccumulationSteps });
    from.dispose();
  });
});
