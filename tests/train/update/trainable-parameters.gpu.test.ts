// Training a subset of the weights: frozen weights keep their bits and cost no computation; trained weights
// match the float64 references.

import { afterEach, describe, expect, it } from 'vitest';
import { sizeOf } from '../../../src/core/tensor.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import {
  newScales,
  pack,
  packedFormats,
  scalesPerRow,
  unpacked,
  wordsOf,
} from '../../../src/engine/ops/matmul/packed-weights.ts';
import { clipAt } from '../../../src/engine/ops/optimizer/clip.ts';
import { loraConfig } from '../../../src/model/lora.ts';
import type { ModelOptions } from '../../../src/model/model-config.ts';
import type { ParameterList } from '../../../src/model/parameter-layout.ts';
import { writePositions } from '../../../src/model/positions.ts';
import { quantizedParameters, type WeightFormat } from '../../../src/model/quantized-parameters.ts';
import { initializeTraining } from '../../../src/train/run/training-state.ts';
import { type OptimizerConfig, optimizerConfig } from '../../../src/train/update/optimizer-config.ts';
import { trainableParameters } from '../../../src/train/update/trainable-parameters.ts';
import {
  type GraphOptions,
  gradientGraph,
  trainingGraph,
} from '../../../src/train/update/training-graphs.ts';
import { testEngine } from '../../support/engine.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { sample } from '../../support/gpu.ts';
import { gradientsOf } from '../../support/gradients.ts';
import { loadIds, randomIds, setStep, smallModel, smallT5, startWeights } from '../../support/model.ts';
import { relativeError } from '../../support/op.ts';

const shape = { batch: 3, source: 5, target: 4 };
const sizes = { srcVocab: 20, tgtVocab: 24, dModel: 16, feedForward: 32 };
const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.destroy();
});

/** Three updates; returns the weights before and after, and the LoRA adapter if there is one. */
async function trainSubset(
  engine: Engine,
  {
    format = 'f32',
    rounded = 'f32',
    ...options
  }: GraphOptions & { format?: WeightFormat; rounded?: WeightFormat },
  given: Partial<OptimizerConfig> = {},
  model = {},
) {
  engines.push(engine);
  const small = smallModel({ ...sizes, ...model } as Partial<ModelOptions>);
  const { c } = small;
  const p = quantizedParameters(small.p, format);
  const optimizer = optimizerConfig({ weightDecay: 0.1, eps: 1e-3, ...given });
  const [program] = await engine.prepare([trainingGraph(c, p, shape, optimizer, options)]);
  const before = roundedTo(rounded, small.p, startWeights(c, small.p));
  writePositions(engine, c);
  await initializeTraining(
    engine,
    { config: c, parameters: p },
    { seed: 4, init: 'xavier', optimizer },
    { weights: before, lora: options.lora },
  );
  const norms: number[] = [];
  const losses: number[] = [];
  for (let step = 0; step < 3; step++) {
    const ids = randomIds(c, shape, step);
    loadIds(program!, ids);
    setStep(program!, ids, { step });
    const { clip, stats } = await program!.run();
    norms.push(clip![clipAt.norm]!);
    losses.push(stats![0]! / stats![1]!);
  }
  const read = async (name: string) => (await engine.read(name)).data as Float32Array;
  const trainable = trainableParameters(c, p, options);
  return {
    ...small,
    before,
    after: format === 'f32' ? await read('weights') : before,
    trained: await read(trainable.state),
    norms,
    losses,
    trainable,
    program,
    read,
  };
}

/** Weights as a format stores them. */
function roundedTo(format: WeightFormat, p: ParameterList, weights: Float32Array): Float32Array {
  const out = weights.slice();
  if (format === 'f32') return out;
  for (const matrix of quantizedParameters(p, format).quantization!.matrices.values()) {
    const { parameter, format: own } = matrix;
    const [rows = 0, cols = 0] = parameter.shape;
    const width = wordsOf(own, cols);
    const words = new Uint32Array(rows * width);
    const scales = newScales(own, rows, cols);
    pack(own, weights.subarray(parameter.offset, parameter.offset + rows * cols), cols, words, scales);
    for (let r = 0; r < rows; r++) {
      const perRow = scalesPerRow(own, cols);
      const ofRow = perRow > 0 ? scales.subarray(r * perRow, (r + 1) * perRow) : undefined;
      const row = words.subarray(r * width, (r + 1) * width);
      for (let k = 0; k < cols; k++) out[parameter.offset + r * cols + k] = unpacked(own, row, k, ofRow);
    }
  }
  return out;
}

const bits = (x: Float32Array) => new Uint32Array(x.slice().buffer);

describe('freezing', () => {
  for (const [freeze, isFrozen] of [
    [['encoder.*'], (name: string) => name.includes('encoder') || name.startsWith('src_')],
    [['*.bias', '*norm?.weight'], (name: string) => /bias$|norm\d\.weight$/.test(name)],
    [['*.self_attn.*', 'tgt_embed.weight'], (name: string) => /self_attn|^tgt_embed/.test(name)],
  ] as const)
    it(`keeps the bits of ${freeze} and trains the others as the float64 references do`, async () => {
      const { p, before, after, norms } = await trainSubset(await testEngine(), { freeze });
      const exact = await trainSubset(cpuEngine(), { freeze });
      for (const { name, offset, shape } of p.all) {
        const end = offset + shape.reduce((a, b) => a * b, 1);
        const same = expect(bits(after.subarray(offset, end)), name);
        if (isFrozen(name)) same.toEqual(bits(before.subarray(offset, end)));
        else same.not.toEqual(bits(before.subarray(offset, end)));
      }
      // Three updates in f32 against float64, as in the tests of full training.
      expect(relativeError(after, exact.after)).toBeLessThan(1e-4);
      expect(relativeError(norms, exact.norms)).toBeLessThan(1e-4);
    });

  it('counts only trained weights in the norm, with the gradients of full training', async () => {
    const engine = cpuEngine();
    const whole = await gradientsOf(engine, sizes, shape, {});
    const freeze = ['decoder.*', 'generator.*'];
    const part = await gradientsOf(cpuEngine(), sizes, shape, { freeze });
    const { c, p } = smallModel(sizes);
    const { parameters } = trainableParameters(c, p, { freeze });
    expect(parameters.all.length).toBeGreaterThan(5);
    expect(part.values.length).toBe(parameters.size);
    for (const { name, offset, shape } of parameters.all) {
      const size = shape.reduce((a, b) => a * b, 1);
      const from = p.byName.get(name)!.offset;
      // The same sums in float64.
      expect(
        relativeError(part.values.subarray(offset, offset + size), whole.values.subarray(from, from + size)),
      ).toBe(0);
    }
  });

  it('computes nothing for frozen weights: no backward pass through the encoder, moments only for trained weights', () => {
    const { c, p } = smallModel(sizes);
    const backward = (freeze: string[]) => {
      const { graph } = gradientGraph(c, p, shape, { freeze });
      const last = graph.nodes.findIndex((node) => node.op.name.startsWith('cross_entropy'));
      return graph.nodes.slice(last).filter((node) => node.scope.startsWith('encoder'));
    };
    expect(backward([]).length).toBeGreaterThan(5);
    expect(backward(['encoder.*'])).toEqual([]);
    const graph = trainingGraph(c, p, shape, optimizerConfig(), { freeze: ['encoder.*'] });
    const { parameters } = trainableParameters(c, p, { freeze: ['encoder.*'] });
    expect(parameters.size).toBeLessThan(0.7 * p.size);
    for (const name of ['gradients', 'moment1', 'moment2'])
      expect(graph.states.get(name)?.shape).toEqual([parameters.size]);
    const { graph: weightsOnly } = gradientGraph(c, p, shape, { freeze: ['*norm?.*', '*.norm.*'] });
    expect(weightsOnly.nodes.some(({ op }) => op.name === 'column_sum' || op.name === 'norm_sums')).toBe(
      false,
    );
  });

  it('keeps the bits of the moving average of frozen weights too', async () => {
    const { p, before, read } = await trainSubset(
      await testEngine(),
      { freeze: ['encoder.*'] },
      { emaDecay: 0.9 },
    );
    const average = await read('average');
    const { offset } = p.byName.get('transformer.encoder.layers.0.linear1.weight')!;
    const trained = p.byName.get('transformer.decoder.layers.0.linear1.weight')!.offset;
    expect(bits(average.subarray(offset, offset + 512))).toEqual(bits(before.subarray(offset, offset + 512)));
    expect(bits(average.subarray(trained, trained + 512))).not.toEqual(
      bits(before.subarray(trained, trained + 512)),
    );
  });
});

describe('a LoRA adapter', () => {
  const lora = loraConfig({
    rank: 3,
    alpha: 6,
    targetModules: ['*.q', '*.v', 'encoder.*.fc1', 'out_proj'],
    dropout: 0.2,
  });
  it('matches the float64 references with dropout and EMA; the base weights keep their bits', async () => {
    const { before, after, trained, read } = await trainSubset(
      await testEngine(),
      { lora },
      { emaDecay: 0.5 },
    );
    const exact = await trainSubset(cpuEngine(), { lora }, { emaDecay: 0.5 });
    expect(bits(after)).toEqual(bits(before));
    expect(relativeError(trained, exact.trained)).toBeLessThan(1e-4);
    expect(relativeError(await read('average'), await exact.read('average'))).toBeLessThan(1e-4);
  });
});

describe.each(sample(packedFormats, (format) => !/^(int4-f32|uint4)$/.test(format)))(
  'a LoRA adapter on %s weights',
  (format) => {
    const lora = loraConfig({ rank: 3, targetModules: ['*.q', '*.v', 'fc1', 'out_proj'] });
    const families: [string, object, typeof lora][] = [
      ['BART', {}, lora],
      [
        'T5',
        smallT5,
        loraConfig({ rank: 2, targetModules: ['*.q', '*.k', '*.v', '*.o', 'wi_0', 'wi_1', 'wo'] }),
      ],
    ];
    for (const [name, model, own] of sample(families, ([name]) => name === 'BART'))
      it(`of ${name} matches the float64 references on the rounded weights, with the loss in chunks`, async () => {
        const exact = await trainSubset(cpuEngine(), { lora: own, rounded: format }, {}, model);
        const packed = await trainSubset(
          await testEngine(),
          { lora: own, format, logitBytes: 64 },
          {},
          model,
        );
        expect(relativeError(packed.losses, exact.losses)).toBeLessThan(1e-5);
        expect(relativeError(packed.norms, exact.norms)).toBeLessThan(1e-4);
        expect(relativeError(packed.trained, exact.trained)).toBeLessThan(1e-4);
      });

    it('holds no matrix of the base in f32, and moments of the adapter only', () => {
      const { c, p } = smallModel({ ...sizes, tie: 'all', srcVocab: 640, tgtVocab: 640 });
      const graph = trainingGraph(c, quantizedParameters(p, format), shape, optimizerConfig(), {
        lora,
        logitBytes: 64,
      });
      const whole = p.all.filter(({ shape }) => shape.length === 2).map(({ shape }) => sizeOf(shape));
      const matrix = Math.max(...whole);
      for (const v of [...graph.states.values(), ...graph.nodes.flatMap((node) => node.outputs)])
        if (v.dtype === 'f32') expect(sizeOf(v.shape), v.name).toBeLessThan(matrix);
      expect(graph.states.has('weights')).toBe(false);
    });

    it('is required: packed weights themselves cannot be trained', () => {
      const { c, p } = smallModel(sizes);
      expect(() => trainableParameters(c, quantizedParameters(p, format))).toThrow(
        errorAbout({ area: 'train', options: ['lora.rank'] }),
      );
    });
  },
);
