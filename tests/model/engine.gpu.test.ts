// The engine on a GPU against the engine on the references: the same graphs, the same numbers.

import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import { type Engine, gpuEngine } from '../../src/engine/engine.ts';
import { type Device, wrapDevice } from '../../src/engine/gpu/device.ts';
import { Graph } from '../../src/engine/graph/graph.ts';
import { rewriteNames } from '../../src/engine/graph/rewrites.ts';
import { variantsOf } from '../../src/engine/ops/op-nodes.ts';
import { clipAt } from '../../src/engine/ops/optimizer/clip.ts';
import { type KernelChoices, variantKey } from '../../src/engine/plan/kernel-choices.ts';
import type { ModelOptions } from '../../src/model/model-config.ts';
import { type OptimizerConfig, optimizerConfig } from '../../src/train/update/optimizer-config.ts';
import { evaluationGraph, trainingGraph } from '../../src/train/update/training-graphs.ts';
import { testEngine } from '../support/engine.ts';
import { errorAbout, errorNaming } from '../support/expect-error.ts';
import { gpuDevice } from '../support/gpu.ts';
import { loadIds, randomIds, setStep, smallModel, startProgram } from '../support/model.ts';
import { relativeError } from '../support/op.ts';
import { watchedDevice } from '../support/watched-device.ts';

const shape = { batch: 3, source: 6, target: 5 };
const rates = { embedding: 0.2, attention: 0.2, feedForward: 0.2, residual: 0.2, output: 0.2 };
const models: Record<
  string,
  { model: Partial<ModelOptions>; optimizer: Partial<OptimizerConfig>; noFuse?: readonly string[] }
> = {
  'a post-norm model with dropout everywhere': {
    model: { dropout: rates },
    optimizer: { kind: 'adamw', weightDecay: 0.1, clipNorm: 0.5, emaDecay: 0.9 },
  },
  'a pre-norm model, tied, learned positions, smoothed': {
    model: {
      norm: 'pre',
      tgtVocab: 19,
      tie: 'all',
      positions: 'learned',
      activation: 'gelu',
      labelSmoothing: 0.1,
      dropout: rates,
    },
    optimizer: { kind: 'adam', clipNorm: 0 },
  },
  'wide heads, no final norm, norms on embeddings': {
    model: {
      headWidth: 20,
      finalNorm: false,
      embeddingNorm: true,
      activation: 'silu',
      outputBias: false,
      dropout: 0.2,
      decoderLayers: 2,
    },
    optimizer: { kind: 'rmsprop' },
  },
  'an SSRU decoder with tied layers': {
    model: {
      decoderSelfAttention: 'ssru',
      decoderLayers: 3,
      decoderTiedLayers: [1, 2, 1],
      positions: 'marian-sinusoidal',
      finalNorm: false,
      dropout: rates,
    },
    optimizer: { kind: 'adamw', clipNorm: 1 },
  },
  'pre-norm queries only, with deep feed-forward blocks': {
    model: {
      norm: 'pre',
      normQueriesOnly: true,
      feedForwardDepth: 3,
      activation: 'quick-gelu',
      dropout: rates,
    },
    optimizer: { kind: 'adamw', clipNorm: 1 },
  },
  'nothing fused': {
    model: { norm: 'post', tie: 'target', dropout: rates, positions: 'sinusoidal-halves', encoderLayers: 2 },
    optimizer: { kind: 'sgd', clipNorm: 1, weightDecay: 0.01 },
    noFuse: rewriteNames,
  },
};

/** Four steps of training, then an evaluation; what each reports, and the states at the end. */
async function train(engine: Engine, { model, optimizer, noFuse = [] }: (typeof models)[string]) {
  const m = smallModel(model);
  const o = optimizerConfig(optimizer);
  const program = await startProgram(engine, m, trainingGraph(m.c, m.p, shape, o, { noFuse }));
  const [evaluation] = await engine.prepare([evaluationGraph(m.c, m.p, shape, { logits: true, noFuse })]);
  const losses: number[] = [];
  const norms: number[] = [];
  for (let step = 0; step < 4; step++) {
    const ids = randomIds(m.c, shape, step);
    loadIds(program, ids);
    setStep(program, ids, { step, learningRate: 3e-3 });
    const { stats, clip } = await program.run();
    losses.push(stats![0]! / stats![1]!);
    norms.push(clip![clipAt.norm]!);
  }
  const ids = randomIds(m.c, shape);
  loadIds(evaluation!, ids);
  setStep(evaluation!, ids);
  const { logits } = await evaluation!.run();
  return { losses, norms, logits: logits!, gradients: (await engine.read('gradients')).data };
}

async function wrapped(): Promise<Device> {
  return wrapDevice(await gpuDevice());
}

describe('a GPU engine agrees with the references', () => {
  for (const [name, setUp] of Object.entries(models))
    it(`on ${name}`, async () => {
      const engine = await testEngine();
      const got = await train(engine, setUp);
      const want = await train(cpuEngine(), setUp);
      engine.destroy();
      // Float32 against float64 over four steps: rounding of 1e-7 a step, grown by the division of small
      // moments.
      expect(relativeError(got.losses, want.losses)).toBeLessThan(2e-5);
      expect(relativeError(got.norms, want.norms)).toBeLessThan(1e-4);
      expect(relativeError(got.logits, want.logits)).toBeLessThan(1e-3);
      expect(relativeError(got.gradients, want.gradients)).toBeLessThan(1e-3);
    });
});

describe('an engine', () => {
  const { c, p } = smallModel();
  const graph = (): Graph => evaluationGraph(c, p, shape);

  it('rejects a plan above the memory limit before allocating, with both numbers', async () => {
    const engine = gpuEngine(await wrapped(), { memoryLimit: 1000 });
    await expect(engine.prepare([graph()])).rejects.toThrow(
      errorAbout({ kind: 'memory', options: ['memoryLimit', 'memoryBudget'], values: [1000] }),
    );
    expect(() => engine.write('weights', new Float32Array(1))).toThrow(errorNaming('engine', 'weights'));
    engine.destroy();
  });

  it('uses the chosen variants', async () => {
    const g = graph();
    const device = await wrapped();
    const node = g.nodes.find((n) => variantsOf(n, device.traits).length > 1)!;
    const wanted = variantsOf(node, device.traits).at(-1)!.name;
    const engine = gpuEngine(device, { kernels: { choose: async () => ({ [variantKey(node)]: wanted }) } });
    const [program] = await engine.prepare([g]);
    expect(program?.plan?.passes.find((pass) => pass.node === node.id)?.variant).toBe(wanted);
    expect(engine.kernelChoices[variantKey(node)]).toBe(wanted);
    engine.destroy();
  });

  it('records variants that nobody chose, and those used in place of a missing choice, so that they can be used again', async () => {
    const g = graph();
    const device = await wrapped();
    const several = g.nodes.filter((n) => variantsOf(n, device.traits).length > 1);
    const engine = gpuEngine(device, {
      kernels: { choose: async () => ({ [variantKey(several[0]!)]: 'gone' }) },
    });
    const [program] = await engine.prepare([g]);
    for (const node of several) {
      const { variant } = program!.plan!.passes.find((pass) => pass.node === node.id)!;
      expect(engine.kernelChoices[variantKey(node)]).toBe(variant);
      const other = variantsOf(node, device.traits).find(({ name }) => name !== variant)!.name;
      // A choice stays unless it is replaced, because it is wrong on this device.
      for (const [replacement, used] of [
        [{}, variant],
        [{ [variantKey(node)]: other }, other],
      ] as const) {
        const choose = async (_graphs: unknown, _device: unknown, known: KernelChoices) => ({
          ...known,
          ...replacement,
        });
        const again = gpuEngine(device, { kernelChoices: engine.kernelChoices, kernels: { choose } });
        const [replayed] = await again.prepare([g]);
        expect(replayed?.plan?.passes.find((pass) => pass.node === node.id)?.variant).toBe(used);
        again.destroy();
      }
      if (node !== several[0]) break;
    }
    engine.destroy();
  });

  it('reads back a range of a state that was written', async () => {
    const gpu = gpuEngine(await wrapped());
    for (const engine of [gpu, cpuEngine()]) {
      await engine.prepare([graph()]);
      engine.write('weights', new Float32Array([1.5, -2.25]), 3);
      const { dtype, shape: size, data } = await engine.read('weights');
      expect([dtype, size, Array.from(data.subarray(2, 6))]).toEqual(['f32', [p.size], [0, 1.5, -2.25, 0]]);
    }
    gpu.destroy();
  });

  it('copies and swaps states on the device', async () => {
    const length = 1_200_000; // more than one chunk of a swap
    const g = new Graph();
    for (const name of ['a', 'b']) g.state(name, 'f32', [length]);
    g.state('short', 'f32', [length - 1]);
    const ramp = (scale: number) => Float32Array.from({ length }, (_, i) => scale * (i + 1));
    const { device, calls, reset } = watchedDevice(await gpuDevice());
    const gpu = gpuEngine(device);
    for (const engine of [gpu, cpuEngine()]) {
      await engine.prepare([g]);
      // The factor of the ramp that a state holds, if it holds one.
      const held = async (name: string) => {
        const { data } = await engine.read(name);
        const scale = data[0] ?? 0;
        return data.every((x, i) => x === scale * (i + 1)) && scale;
      };
      engine.write('a', ramp(1));
      engine.write('b', ramp(-2));
      engine.swap('a', 'b');
      expect([await held('a'), await held('b')]).toEqual([-2, 1]);
      engine.copy('a', 'b');
      expect([await held('a'), await held('b')]).toEqual([-2, -2]);
      for (const move of ['copy', 'swap'] as const) {
        expect(() => engine[move]('a', 'a')).toThrow(errorNaming('a', 'f32', 'a', 'f32'));
        expect(() => engine[move]('a', 'short')).toThrow(errorNaming('f32 [1200000]', 'short f32 [1199999]'));
        expect(() => engine[move]('a', 'none')).toThrow(errorNaming('none'));
      }
    }
    reset();
    gpu.swap('a', 'b');
    gpu.copy('a', 'b');
    expect(Object.fromEntries(calls)).toEqual({ createCommandEncoder: 2, 'queue.submit': 2 });
    gpu.destroy();
  });

  it('shares its device with other engines, each with separate states', async () => {
    const device = await wrapped();
    const setUps = [models['a post-norm model with dropout everywhere']!, models['nothing fused']!];
    const apart = [];
    for (const setUp of setUps) {
      const engine = gpuEngine(device);
      apart.push(await train(engine, setUp));
      engine.destroy();
    }
    const engines = setUps.map(() => gpuEngine(device));
    const together = await Promise.all(engines.map((engine, i) => train(engine, setUps[i]!)));
    expect(together).toEqual(apart);
    engines[0]?.destroy();
    expect((await engines[1]?.read('gradients'))?.data).toEqual(apart[1]?.gradients);
    engines[1]?.destroy();
  });

  it('times the passes of its programs on a GPU', async () => {
    const device = await wrapped();
    const [engine, other] = [gpuEngine(device), gpuEngine(device)];
    const [program] = await engine.prepare([graph()]);
    const { passes, runs } = await engine.profile!(program!, 2);
    expect([passes.length, runs]).toEqual([program!.plan!.passes.length, 2]);
    await expect(other.profile!(program!)).rejects.toThrow(errorNaming('engine', 'profile'));
    expect(cpuEngine().profile).toBeUndefined();
    for (const e of [engine, other]) e.destroy();
  });
});
