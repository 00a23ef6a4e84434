// The forecast of a training's GPU memory against the buffers that the training creates, with the settings that change
// what a trainer holds: gradient accumulation, EMA, a LoRA adapter, gradient checkpointing, mixed precision, evaluations;
// and with drawn sizes of model, batches and vocabulary.

import { describe, expect, it } from 'vitest';
import { keyOf, random } from '../../src/core/random.ts';
import { type PlanTrainingOptions, planTraining } from '../../src/entries/plan-with-features.ts';
import { train } from '../../src/entries/train-with-features.ts';
import { readTsv } from '../../src/text/corpus/tsv.ts';
import { gpuDevice, sample } from '../support/gpu.ts';
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
  ['translated dev pairs', { heldOut: 0.1, evalSteps: 2, devSentences: 10, emaDecay: 0.9 }],
  ['translated test pairs', { heldOut: 0.2, evalSteps: 0, testSentences: 20 }],
];

/** Options of a training, drawn by their number. */
function drawnOptions(draw: number): PlanTrainingOptions {
  const drawn = random(draw, keyOf('forecast'));
  const pick = <T>(...from: readonly T[]): T => drawn.pick(from);
  const heads = pick(1, 2, 3, 4, 8);
  return {
    preset: 'tiny',
    model: {
      heads,
      dModel: heads * pick(4, 8, 12, 20),
      feedForward: pick(24, 40, 100),
      encoderLayers: pick(1, 2, 3),
      decoderLayers: pick(1, 2, 3),
      decoderSelfAttention: pick('attention', 'attention', 'ssru'),
      tie: pick('none', 'target', 'all'),
      norm: pick('post', 'pre'),
      positions: pick('sinusoidal', 'learned'),
      maxLength: pick(16, 24, 32),
      dropout: pick(0, 0.1),
    },
    tokenizer: pick('word', 'bpe', 'char'),
    vocabSize: pick(40, 60, 97, 150),
    batchSize: pick(4, 7, 16, 24),
    buckets: pick(1, 2, 3),
    steps: 3,
    heldOut: pick(0, 0.1, 0.1),
    evalSteps: pick(0, 2, 2),
    devSentences: pick(0, 8),
    testSentences: pick(0, 5),
    optimizer: pick('adamw', 'adam', 'rmsprop', 'sgd'),
    gradientAccumulationSteps: pick(1, 2, 3, 5),
    emaDecay: pick(0, 0.9),
    gradientCheckpointing: pick(true, false),
    precision: pick('f32', 'f16'),
    updateRatioSteps: pick(0, 1),
    checkFinite: pick(false, true),
    quantizeBits: pick(0, 0, 8),
    seed: draw,
    tune: false,
  };
}

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
    expect(counted.peak / forecast).toBeGreaterThan(0.95);
  };

  it.each(sample([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], (draw) => draw === 2 || draw === 3))(
    'drawn sizes %i',
    (draw) => check(drawnOptions(draw)),
  );

  it.each(cases)('%s', (_, given) => check({ ...options, ...given }));

  it.each(['f32', 'int8'] as const)('a LoRA adapter on weights in %s', async (weights) => {
    const from = await train(pairs, { ...options, device: await gpuDevice() });
    const { preset: _, model: __, tokenizer: ___, vocabSize: ____, ...rest } = options;
    for (const gradientAccumulationSteps of [1, 3])
      await check({ ...rest, from, lora: { rank: 4 }, weights, gradientAccumulationSteps });
    from.dispose();
  });
});
