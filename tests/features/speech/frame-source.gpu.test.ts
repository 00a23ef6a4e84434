// Models of frames with each stem and odd sizes: gradients of the float64 references against finite differences, and
// those of the GPU against the references.
import { describe, expect, it } from 'vitest';
import { random } from '../../../src/core/random.ts';
import { relativeError } from '../../../src/core/relative-error.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { frames } from '../../../src/features/speech/frame-source.ts';
import { type ModelOptions, modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { writePositions } from '../../../src/model/positions.ts';
import { gradientGraph } from '../../../src/train/update/training-graphs.ts';
import { testEngine } from '../../support/engine.ts';
import { loadIds, randomIds, setStep, startWeights } from '../../support/model.ts';

const odd = {
  activation: 'gelu',
  srcVocab: 23,
  tgtVocab: 23,
  encoderLayers: 2,
  decoderLayers: 1,
  maxLength: 9,
  keyBias: false,
} as const;
const cases: Record<string, ModelOptions & { frames: number }> = {
  'none, sinusoidal positions': {
    ...odd,
    source: 'frames',
    stem: 'none',
    frameWidth: 15,
    dModel: 15,
    heads: 3,
    feedForward: 21,
    frames: 7,
  },
  'linear, learned positions': {
    ...odd,
    source: 'frames',
    stem: 'linear',
    frameWidth: 11,
    dModel: 14,
    heads: 7,
    decoderHeads: 2,
    feedForward: 18,
    positions: 'learned',
    tie: 'target',
    norm: 'pre',
    frames: 8,
  },
  'conv, an odd number of frames': {
    ...odd,
    source: 'frames',
    stem: 'conv',
    frameWidth: 13,
    dModel: 18,
    heads: 3,
    activation: 'gelu',
    feedForward: 22,
    decoderLayers: 2,
    decoderFeedForward: 10,
    positions: 'learned',
    tie: 'target',
    norm: 'pre',
    frames: 13,
  },
  'conv, a single frame': {
    ...odd,
    source: 'frames',
    stem: 'conv',
    frameWidth: 3,
    dModel: 10,
    heads: 5,
    norm: 'pre',
    feedForward: 6,
    positions: 'learned',
    frames: 1,
  },
};

/** The direction in which weights are moved. */
const directionAt = (offset: number) => random(17, offset).normal();

/** The mean loss, its gradients and its slope in the direction, with weights moved by `move` times the direction. */
async function run(engine: Engine, { frames: T, ...options }: (typeof cases)[string], move = 0) {
  const c = modelConfig(options);
  const p = parameterList(c, frames);
  const shape = { batch: 2, source: T, target: 5 };
  const { graph, trainable } = gradientGraph(c, p, shape);
  const [program] = await engine.prepare([graph]);
  const weights = startWeights(c, p);
  for (const { name, offset, shape, zeros } of trainable.parameters.all) {
    const start = p.byName.get(name)!.offset;
    const size = shape.reduce((a, b) => a * b, 1);
    for (let i = 0; i < size; i++) {
      if (zeros && i >= zeros.first && i < zeros.end) weights[start + i] = 0;
      else weights[start + i]! += move * directionAt(offset + i);
    }
  }
  engine.write('weights', weights);
  writePositions(engine, c);
  const ids = randomIds(c, shape);
  // Rows of different lengths: what follows a row must not matter.
  const lengths = [T, Math.max(1, T - 3)];
  loadIds(program!, { ...ids, srcLens: Uint32Array.from(lengths, (n) => frames.positions(c, n)) });
  const r = random(19);
  const data = program!.inputs.frames as Float32Array;
  for (let b = 0; b < 2; b++)
    for (let i = 0; i < lengths[b]! * c.frameWidth; i++) data[b * T * c.frameWidth + i] = r.normal();
  setStep(program!, ids);
  const { stats } = await program!.run();
  const gradients = Float64Array.from((await engine.read('gradients')).data);
  const tokens = ids.tgtLens.reduce((a, b) => a + b, 0);
  let slope = 0;
  for (const { offset, shape, zeros } of trainable.parameters.all)
    for (let i = 0; i < shape.reduce((a, b) => a * b, 1); i++)
      if (!zeros || i < zeros.first || i >= zeros.end)
        slope += gradients[offset + i]! * directionAt(offset + i);
  return { loss: stats![0]! / tokens, gradients, slope };
}

describe.each(Object.entries(cases))('stem %s', (_, options) => {
  it('has the gradients of finite differences and of the references', async () => {
    const reference = await run(cpuEngine(), options);
    const step = 1e-4;
    const [more, less] = [await run(cpuEngine(), options, step), await run(cpuEngine(), options, -step)];
    expect((more.loss - less.loss) / (2 * step) / reference.slope).toBeCloseTo(1, 2);
    const engine = await testEngine();
    try {
      const gpu = await run(engine, options);
      expect(Math.abs(gpu.loss - reference.loss)).toBeLessThan(1e-4);
      expect(relativeError(gpu.gradients, reference.gradients)).toBeLessThan(1e-4);
    } finally {
      engine.destroy();
    }
  });
});
