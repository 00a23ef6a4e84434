// Quantization-aware training: forward and backward pass compute with weights rounded to 8 bits, as an int8 file has
// them, and the gradients are those of the weights.

import { expect, it } from 'vitest';
import { sizeOf } from '../../../src/core/tensor.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { settingTable } from '../../../src/features/all-settings.ts';
import { roundedMatrices } from '../../../src/train/update/rounded-matrices.ts';
import { evaluationGraph, gradientGraph } from '../../../src/train/update/training-graphs.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { loadIds, randomIds, setStep, smallModel, startProgram, startWeights } from '../../support/model.ts';

const model = smallModel({ tie: 'all', srcVocab: 12, tgtVocab: 12, decoderLayers: 2 });
const { c, p } = model;
const shape = { batch: 2, source: 4, target: 3 };
const ids = randomIds(c, shape);

/** The nearest integer, the even one of two. */
function roundEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
}

/** The weights as an int8 file of Marian has them. */
function roundedWeights(): Float32Array {
  const weights = startWeights(c, p);
  for (const { offset, shape, parts } of roundedMatrices(p)) {
    const count = sizeOf(shape) / parts;
    for (let part = 0; part < parts; part++) {
      const own = weights.subarray(offset + part * count, offset + (part + 1) * count);
      const multiplier = Math.fround(127 / Math.max(...own.map(Math.abs)));
      own.set(own.map((x) => roundEven(Math.fround(x * multiplier)) / multiplier));
    }
  }
  return weights;
}

/** Statistics of a batch, and the gradients of a training graph. */
async function run(quantizeBits: number, training: boolean, weights?: Float32Array) {
  const engine = cpuEngine();
  const graph = training
    ? gradientGraph(c, p, shape, { quantizeBits }).graph
    : evaluationGraph(c, p, shape, { quantizeBits });
  const program = await startProgram(engine, model, graph);
  if (weights) engine.write('weights', weights);
  loadIds(program, ids);
  setStep(program, ids);
  const { stats } = await program.run();
  const gradients = training ? ((await engine.read('gradients')).data as Float32Array) : [];
  return { stats: Array.from(stats ?? []), gradients: Array.from(gradients) };
}

it.each([true, false])('equals a pass with rounded weights (training: %s)', async (training) => {
  const [found, wanted, plain] = await Promise.all([
    run(8, training),
    run(0, training, roundedWeights()),
    run(0, training),
  ]);
  expect(found.stats[0]).toBeCloseTo(wanted.stats[0] as number, 4);
  expect(Math.abs((found.stats[0] as number) - (plain.stats[0] as number))).toBeGreaterThan(1e-4);
  const largest = Math.max(0, ...wanted.gradients.map(Math.abs));
  for (const [i, x] of found.gradients.entries())
    expect(Math.abs(x - (wanted.gradients[i] as number))).toBeLessThan(1e-4 * largest);
});

it('leaves the weights, biases and norms as they are, and gives joined projections a scale each', () => {
  const parts = new Map(roundedMatrices(p).map(({ name, parts }) => [name, parts]));
  expect(parts.get('transformer.encoder.layers.0.self_attn.in_proj_weight')).toBe(3);
  expect(parts.get('transformer.decoder.layers.1.multihead_attn.kv_proj.weight')).toBe(2);
  expect(parts.get('src_embed.weight')).toBe(1);
  expect([...parts.keys()].filter((name) => /bias|norm/.test(name))).toEqual([]);
});

it('trains all weights in f32', () => {
  expect(() => settingTable.check({ quantizeBits: 8, lora: { rank: 2 } })).toThrow(
    errorAbout({ area: 'train', options: ['quantizeBits', 'lora', 'weights'], values: [8] }),
  );
  expect(() => settingTable.check({ quantizeBits: 4 })).toThrow(
    errorAbout({ area: 'train', options: ['quantizeBits'], values: [4, 0, 8] }),
  );
});
