// Training a subset of the weights: frozen weights keep their bits and cost no computation; trained weights match
// the float64 references.

import { afterEach, describe, expect, it } from 'vitest';
import { cpuEngine, type Engine } from '../../src/engine/engine.ts';
import { loraConfig } from '../../src/model/lora.ts';
import type { ModelOptions } from '../../src/model/model-config.ts';
import { clipAt } from '../../src/ops/optimizer/clip.ts';
import { type OptimizerConfig, optimizerConfig } from '../../src/trainer/optimizer-config.ts';
import { type TrainableOptions, trainableParameters } from '../../src/trainer/trainable-parameters.ts';
import { initializeTraining } from '../../src/trainer/trainer.ts';
import { gradientGraph, trainingGraph } from '../../src/trainer/training-graphs.ts';
import { testEngine } from '../support/engine.ts';
import { gradientsOf } from '../support/gradients.ts';
import { loadIds, randomIds, setStep, smallModel, startModel } from '../support/model.ts';
import { relativeError } from '../support/op.ts';

const shape = { batch: 3, source: 5, target: 4 };
const sizes = { srcVocab: 20, tgtVocab: 24, dModel: 16, feedForward: 32 };
const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.destroy();
});

/** Three updates; returns the weights before and after, and the LoRA adapter if there is one. */
async function tune(engine: Engine, tuning: TrainableOptions, given: Partial<OptimizerConfig> = {}, model = {}) {
  engines.push(engine);
  const small = smallModel({ ...sizes, ...model } as Partial<ModelOptions>);
  const { c, p } = small;
  const optimizer = optimizerConfig({ weightDecay: 0.1, eps: 1e-3, ...given });
  const [program] = await engine.prepare([trainingGraph(c, p, shape, optimizer, tuning)]);
  const before = startModel(engine, c, p);
  initializeTraining(engine, c, { seed: 4, init: 'xavier', optimizer }, { weights: before, lora: tuning.lora });
  const norms: number[] = [];
  for (let step = 0; step < 3; step++) {
    const ids = randomIds(c, shape, step);
    loadIds(program!, ids);
    setStep(program!, ids, { step });
    const { clip } = await program!.run();
    norms.push(clip![clipAt.norm]!);
  }
  const read = async (name: string) => (await engine.read(name)).data as Float32Array;
  const tuned = trainableParameters(c, p, tuning);
  return {
    ...small,
    before,
    after: await read('weights'),
    trained: await read(tuned.state),
    norms,
    tuned,
    program,
    read,
  };
}

const bits = (x: Float32Array) => new Uint32Array(x.slice().buffer);

describe('freezing', () => {
  for (const [freeze, isFrozen] of [
    [['encoder.*'], (name: string) => name.includes('encoder') || name.startsWith('src_')],
    [['*.bias', '*norm?.weight'], (name: string) => /bias$|norm\d\.weight$/.test(name)],
    [['*.self_attn.*', 'tgt_embed.weight'], (name: string) => /self_attn|^tgt_embed/.test(name)],
  ] as const)
    it(`keeps the bits of ${freeze} and trains the others as float64 does`, async () => {
      const { p, before, after, norms } = await tune(await testEngine(), { freeze });
      const exact = await tune(cpuEngine(), { freeze });
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
      expect(relativeError(part.values.subarray(offset, offset + size), whole.values.subarray(from, from + size))).toBe(
        0,
      );
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
    expect(weightsOnly.nodes.some(({ op }) => op.name === 'column_sum' || op.name === 'norm_sums')).toBe(false);
  });

  it('keeps the bits of the moving average of frozen weights too', async () => {
    const { p, before, read } = await tune(await testEngine(), { freeze: ['encoder.*'] }, { emaDecay: 0.9 });
    const average = await read('average');
    const { offset } = p.byName.get('transformer.encoder.layers.0.linear1.weight')!;
    const trained = p.byName.get('transformer.decoder.layers.0.linear1.weight')!.offset;
    expect(bits(average.subarray(offset, offset + 512))).toEqual(bits(before.subarray(offset, offset + 512)));
    expect(bits(average.subarray(trained, trained + 512))).not.toEqual(bits(before.subarray(trained, trained + 512)));
  });
});

describe('an adapter', () => {
  const lora = loraConfig({
    rank: 3,
    alpha: 6,
    targetModules: ['*.q', '*.v', 'encoder.*.fc1', 'out_proj'],
    dropout: 0.2,
  });
  it('is trained as float64 trains it, dropout and moving average too; the weights keep their bits', async () => {
    const { before, after, trained, read } = await tune(await testEngine(), { lora }, { emaDecay: 0.5 });
    const exact = await tune(cpuEngine(), { lora }, { emaDecay: 0.5 });
    expect(bits(after)).toEqual(bits(before));
    expect(relativeError(trained, exact.trained)).toBeLessThan(1e-4);
    expect(relativeError(await read('average'), await exact.read('average'))).toBeLessThan(1e-4);
  });
});
