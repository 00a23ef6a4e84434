// Mixed precision on the GPU: trains as float32 does; the loss scale falls on overflow and rises after finite
// steps, and no step waits for the host. Without shader-f16 it is rejected.

import { afterEach, describe, expect, it } from 'vitest';
import { sizeOf } from '../../../src/core/tensor.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import type { Engine, Program } from '../../../src/engine/engine.ts';
import { wrapDevice } from '../../../src/engine/gpu/device.ts';
import { counterAt, lossScales } from '../../../src/engine/ops/optimizer/clip.ts';
import { initializeWeights } from '../../../src/model/initialize-weights.ts';
import { loraConfig } from '../../../src/model/lora.ts';
import { type ModelOptions, modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { writePositions } from '../../../src/model/positions.ts';
import { presets } from '../../../src/model/presets.ts';
import { storedParameters } from '../../../src/model/quantized-parameters.ts';
import { initializeTraining } from '../../../src/train/run/training-state.ts';
import { needsF32Residual } from '../../../src/train/update/f16-range.ts';
import {
  type OptimizerConfig,
  optimizerConfig,
  type Precision,
  scaling,
} from '../../../src/train/update/optimizer-config.ts';
import { type StepReport, Trainer } from '../../../src/train/update/trainer.ts';
import type { UpdateConfig } from '../../../src/train/update/trainer-graphs.ts';
import { gradientGraph } from '../../../src/train/update/training-graphs.ts';
import { testEngine } from '../../support/engine.ts';
import { errorAbout, noF16 } from '../../support/expect-error.ts';
import { gpuDevice, sample } from '../../support/gpu.ts';
import { smallHfConfig } from '../../support/hf.ts';
import { itInFull } from '../../support/in-full.ts';
import { type Ids, loadIds, randomIds, setStep, smallModel } from '../../support/model.ts';

const shape = { batch: 8, source: 6, target: 6 };
const model = smallModel({ srcVocab: 20, tgtVocab: 20, dModel: 32, feedForward: 64, dropout: 0.1 });
const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.destroy();
});

interface Settings {
  readonly precision: Precision;
  readonly optimizer?: Partial<OptimizerConfig>;
  readonly gradientAccumulationSteps?: number;
  readonly checkFinite?: boolean;
}

async function training({
  precision,
  optimizer,
  gradientAccumulationSteps = 1,
  checkFinite = false,
}: Settings) {
  const engine = await testEngine();
  engines.push(engine);
  const schedule = {
    kind: 'constant',
    learningRate: 2e-3,
    warmupSteps: 50,
    steps: 9,
    minLearningRate: 0,
    dModel: 32,
  } as const;
  const recipe: UpdateConfig = {
    optimizer: optimizerConfig({ ...scaling(precision), ...optimizer }),
    schedule,
    seed: 4,
    init: 'xavier',
    gradientAccumulationSteps,
  };
  const trained = { config: model.c, parameters: model.p };
  const trainer = await Trainer.open(engine, trained, recipe, [shape], { precision, checkFinite });
  await initializeTraining(engine, trained, recipe);
  /** Learns to copy: the target is the source. */
  const batch = (seed: number) => {
    const ids = randomIds(model.c, shape, seed);
    const copy: Ids = { ...ids, src: Int32Array.from(ids.tgtOut), srcLens: ids.tgtLens };
    const fill = (arrays: object) => loadIds({ inputs: arrays } as Parameters<typeof loadIds>[0], copy);
    return { shape: 0, tokens: ids.tgtLens.reduce((a, b) => a + b, 0), fill };
  };
  const run = async (steps: number): Promise<StepReport[]> => {
    const reports: StepReport[] = [];
    const pending: Promise<StepReport>[] = [];
    for (let i = 0; i < steps; i++) {
      pending.push(
        trainer.update(
          Array.from({ length: gradientAccumulationSteps }, (_, k) =>
            batch(trainer.step * gradientAccumulationSteps + k),
          ),
        ),
      );
      if (pending.length > 1) reports.push(await (pending.shift() as Promise<StepReport>));
    }
    return [...reports, ...(await Promise.all(pending))];
  };
  const bits = async (state: string) => new Uint32Array((await engine.read(state)).data.buffer);
  return { engine, trainer, run, bits };
}

const hasHalf = wrapDevice(await gpuDevice()).traits.f16;

/**
 * A T5 whose feed-forward weights are scaled, the first and the second matrix: hidden layers, or what
 * sublayers add to the residual, are above 100,000, as those of FLAN in part. f16 ends at 65504, and RMSNorm
 * brings them back to one.
 */
const largeT5 = ({ scales, ...fields }: Partial<ModelOptions> & { scales: readonly [number, number] }) => {
  const c = modelConfig({
    ...presets['t5-tiny'],
    ...fields,
    srcVocab: 20,
    tgtVocab: 20,
    dModel: 32,
    maxLength: 8,
  });
  const parameters = parameterList(c);
  const weights = initializeWeights(c, parameters, 2, 'xavier');
  for (const { name, offset, shape } of parameters.all)
    for (const [k, scale] of scales.entries())
      if (name.endsWith(`linear${k + 1}.weight`))
        for (let i = offset; i < offset + sizeOf(shape); i++) weights[i] = scale * (weights[i] as number);
  return { c, weights };
};

/** |a - b| / |b|, as vectors. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const squares = (x: number[]) => x.reduce((sum, v) => sum + v * v, 0);
  const want = Array.from(b);
  return Math.sqrt(squares(want.map((x, i) => x - (a[i] ?? Number.NaN))) / squares(want));
}

const mixed = () => {
  const relu = { feedForwardType: 'plain', activation: 'relu', dropout: 0.1 } as const;
  const large = [
    { scales: [1, 3e5] },
    { scales: [1, 3e5], ...relu },
    { scales: [3e5, 1e-2], ...relu },
  ] as const;
  it.each(sample(large, (fields) => 'dropout' in fields && fields.scales[0] === 1))(
    'survives activations above the range of f16: T5 with %o',
    async (fields) => {
      const { c, weights } = largeT5(fields);
      const losses = async (engine: Engine, precision: Precision) => {
        engines.push(engine);
        const schedule = {
          kind: 'constant',
          learningRate: 1e-4,
          warmupSteps: 0,
          steps: 3,
          minLearningRate: 0,
          dModel: 32,
        } as const;
        const optimizer = optimizerConfig(scaling(precision));
        const recipe: UpdateConfig = {
          optimizer,
          schedule,
          seed: 4,
          init: 'xavier',
          gradientAccumulationSteps: 1,
        };
        const trained = { config: c, parameters: parameterList(c) };
        const trainer = await Trainer.open(engine, trained, recipe, [shape], { precision });
        await initializeTraining(engine, trained, recipe);
        engine.write('weights', weights);
        const ids = randomIds(c, shape, 1);
        const fill = (arrays: object) => loadIds({ inputs: arrays } as Parameters<typeof loadIds>[0], ids);
        const tokens = ids.tgtLens.reduce((a, b) => a + b, 0);
        const reports: StepReport[] = [];
        for (let i = 0; i < 3; i++) reports.push(await trainer.update([{ shape: 0, tokens, fill }]));
        return reports;
      };
      const [whole, half] = [await losses(cpuEngine(), 'f32'), await losses(await testEngine(), 'f16')];
      for (const [i, { loss }] of half.entries())
        expect(Math.abs(loss / (whole[i] as StepReport).loss - 1), `loss ${loss}`).toBeLessThan(1e-2);
    },
  );

  /**
   * Factors of weights by name. Of all tensors between the layers, the residual stream and the hidden layers
   * exceed f16.
   */
  const scalings: Record<string, readonly (readonly [RegExp, number])[]> = {
    'as they are': [],
    'wi x 3e5': [[/linear1\.weight/, 3e5]],
    'wi x 3e5, wo / 3e5': [
      [/linear1\.weight/, 3e5],
      [/linear2\.weight/, 1 / 3e5],
    ],
    'wi / 1e5': [[/linear1\.weight/, 1e-5]],
    'wo x 3e5': [[/linear2\.weight/, 3e5]],
    'embeddings x 1e6': [[/src_embed/, 1e6]],
    'all that adds to the residual stream x 1e5': [[/src_embed|linear2|out_proj/, 1e5]],
    'the last layer x 1e6': [[/layers\.1\.(linear|multihead_attn\.out)/, 1e6]],
  };
  const mbart = () => {
    const c = smallHfConfig('mbart');
    return { c, weights: initializeWeights(c, parameterList(c), 2, 'xavier') };
  };
  const models = [
    ['T5, gated', () => largeT5({ scales: [1, 1], feedForwardType: 'gated', dropout: 0 })],
    ['T5, plain', () => largeT5({ scales: [1, 1], feedForwardType: 'plain', dropout: 0.1 })],
    ['mBART', mbart],
  ] as const;
  it.each(sample(models, ([name]) => name === 'T5, plain'))(
    'has the logits, loss and gradients of float64 however weights are scaled: %s',
    async (_, make) => {
      const { c, weights } = make();
      const p = parameterList(c);
      const f32Residual = needsF32Residual(c, true);
      const open = async (engine: Engine, options: object) => {
        engines.push(engine);
        const { graph, trainable } = gradientGraph(c, p, shape, { logits: true, ...options });
        const [program] = (await engine.prepare([graph])) as [Program];
        writePositions(engine, c);
        return { engine, program, trainable };
      };
      const [exact, half] = [
        await open(cpuEngine(), {}),
        await open(await testEngine(), { precision: 'f16', f32Residual }),
      ];
      half.engine.write('counters', Float32Array.of(lossScales.first), counterAt.lossScale);
      const ids = randomIds(c, shape);
      for (const [name, factors] of Object.entries(scalings)) {
        const scaled = weights.slice();
        for (const { name: own, offset, shape: sizes } of p.all)
          for (const [pattern, factor] of factors)
            if (pattern.test(own))
              for (let i = offset; i < offset + sizeOf(sizes); i++)
                scaled[i] = factor * (weights[i] as number);
        const run = async ({ engine, program }: typeof exact, lossScale: number) => {
          engine.write('weights', scaled);
          loadIds(program, ids);
          setStep(program, ids);
          const { logits, stats } = await program.run();
          const gradients = (await engine.read('gradients')).data.map((x) => x / lossScale);
          return { logits, loss: [(stats?.[0] ?? 0) / (stats?.[1] ?? 0)], gradients };
        };
        const [want, got] = [await run(exact, 1), await run(half, lossScales.first)];
        expect(distance(got.loss, want.loss), `${name}: loss`).toBeLessThan(1e-2);
        expect(distance(got.logits ?? [], want.logits ?? []), `${name}: logits`).toBeLessThan(1e-2);
        for (const { name: own, offset, shape: sizes } of half.trainable.parameters.all) {
          const part = (x: ArrayLike<number>) => Array.from(x).slice(offset, offset + sizeOf(sizes));
          // A rounded input turns some units of ReLU on or off.
          expect(distance(part(got.gradients), part(want.gradients)), `${name}: ${own}`).toBeLessThan(0.1);
        }
      }
    },
  );

  itInFull(
    'has the loss of float32 to 1 % with all that saves memory: a LoRA adapter of int8, checkpointing, accumulation',
    async () => {
      const c = modelConfig({
        ...presets['t5-tiny'],
        dModel: 32,
        srcVocab: 20,
        tgtVocab: 20,
        maxLength: 8,
        dropout: 0.1,
      });
      const base = initializeWeights(c, parameterList(c), 5, 'xavier');
      const lora = loraConfig({ rank: 4, targetModules: ['q', 'v', 'wo', 'wi_0'] });
      const losses = async (steps: number, saves: boolean): Promise<number[]> => {
        const engine = await testEngine();
        engines.push(engine);
        const constant = { kind: 'constant', warmupSteps: 0, steps, minLearningRate: 0, dModel: 32 } as const;
        const precision = saves ? 'f16' : 'f32';
        const recipe: UpdateConfig = {
          optimizer: optimizerConfig(scaling(precision)),
          schedule: { ...constant, learningRate: 3e-2 },
          seed: 4,
          init: 'xavier',
          gradientAccumulationSteps: saves ? 2 : 1,
        };
        const all = { batch: 16, source: 6, target: 6 };
        const options = saves ? ({ precision, lora, gradientCheckpointing: true } as const) : { lora };
        const parameters = storedParameters(c, { weights: saves ? 'int8' : 'f32' });
        const trained = { config: c, parameters };
        const trainer = await Trainer.open(
          engine,
          trained,
          recipe,
          [saves ? { ...all, batch: 8 } : all],
          options,
        );
        await initializeTraining(engine, trained, recipe, { weights: base, lora });
        const reports: StepReport[] = [];
        for (let i = 0; i < steps; i++) {
          const ids = randomIds(c, all, i % 4);
          const part = (rows: readonly [number, number]) => {
            const entries = Object.entries(ids).map(([name, data]) => {
              const width = data.length / all.batch;
              return [name, data.slice(rows[0] * width, rows[1] * width)];
            });
            const own = Object.fromEntries(entries) as Ids;
            const fill = (arrays: object) =>
              loadIds({ inputs: arrays } as Parameters<typeof loadIds>[0], own);
            return { shape: 0, tokens: own.tgtLens.reduce((a, b) => a + b, 0), fill };
          };
          const parts = saves ? [part([0, 8]), part([8, 16])] : [part([0, 16])];
          reports.push(await trainer.update(parts));
        }
        return reports.map(({ loss }) => loss);
      };
      const [plain, saving] = [await losses(24, false), await losses(24, true)];
      const mean = (x: number[]) => x.slice(-8).reduce((a, b) => a + b) / 8;
      expect(mean(plain) / (plain[0] as number)).toBeLessThan(0.9);
      expect(Math.abs(mean(saving) / mean(plain) - 1)).toBeLessThan(0.01);
    },
  );

  itInFull('has after 200 steps the loss of float32 to 1 %', async () => {
    const mean = async (precision: Precision) => {
      const { run } = await training({ precision });
      const reports = await run(200);
      const last = reports.slice(-20).map(({ loss }) => loss);
      return { first: reports[0]!.loss, last: last.reduce((a, b) => a + b) / last.length };
    };
    const [whole, half] = [await mean('f32'), await mean('f16')];
    expect(whole.last / whole.first).toBeLessThan(0.7);
    expect(Math.abs(half.last / whole.last - 1)).toBeLessThan(0.01);
  });

  it('skips steps that overflow on the GPU, with half the scale each time, until they fit', async () => {
    const { engine, run, bits } = await training({ precision: 'f16' });
    const before = await bits('weights');
    engine.write('counters', Float32Array.of(2 ** 26), counterAt.lossScale);
    const first = await run(1);
    expect(first[0]).toMatchObject({ skipped: true, lossScale: 2 ** 26 });
    expect(Number.isFinite(first[0]!.loss)).toBe(true);
    expect(await bits('weights')).toEqual(before);
    const later = await run(12);
    const scales = later.map(({ lossScale }) => lossScale);
    const skips = later.filter(({ skipped }) => skipped).length;
    expect(later.slice(0, skips).every(({ skipped }) => skipped)).toBe(true);
    expect(scales).toEqual(scales.map((_, i) => 2 ** (25 - Math.min(i, skips))));
    expect(later.at(-1)).toMatchObject({ skipped: false });
    expect(await bits('weights')).not.toEqual(before);
    const counters = (await engine.read('counters')).data;
    expect([counters[counterAt.skipped], counters[counterAt.good]]).toEqual([1 + skips, 12 - skips]);
  });

  it('doubles the scale after N finite steps, and unscales the reported and the applied values', async () => {
    const still = await training({ precision: 'f16', optimizer: { lossScaleGrowth: 1000 } });
    const grown = await training({ precision: 'f16', optimizer: { lossScaleGrowth: 2 } });
    const [a, b] = [await still.run(5), await grown.run(5)];
    const { first } = lossScales;
    expect(a.map(({ lossScale }) => lossScale)).toEqual([1, 1, 1, 1, 1].map((x) => x * first));
    expect(b.map(({ lossScale }) => lossScale)).toEqual([1, 1, 2, 2, 4].map((x) => x * first));
    // The scale is a power of two: norms differ only by rounding of the smallest gradients.
    for (const [i, { gradientNorm }] of a.entries())
      expect(b[i]!.gradientNorm / gradientNorm).toBeCloseTo(1, 3);
    expect(a[0]!.gradientNorm).toBeLessThan(100);
  });

  it('adds up micro-batches, of which one that overflows skips the update', async () => {
    const { engine, run, bits } = await training({ precision: 'f16', gradientAccumulationSteps: 2 });
    expect((await run(2)).every(({ skipped }) => !skipped)).toBe(true);
    const before = await bits('weights');
    engine.write('counters', Float32Array.of(2 ** 40), counterAt.lossScale);
    expect((await run(1))[0]).toMatchObject({ skipped: true, lossScale: 2 ** 40 });
    expect(await bits('weights')).toEqual(before);
  });

  it('continues checking if micro-batches overflow, and the next update drops their sum', async () => {
    const { engine, run } = await training({
      precision: 'f16',
      gradientAccumulationSteps: 2,
      checkFinite: true,
    });
    engine.write('counters', Float32Array.of(2 ** 40), counterAt.lossScale);
    expect(await run(2)).toMatchObject([
      { skipped: true, lossScale: 2 ** 40 },
      { skipped: true, lossScale: 2 ** 39 },
    ]);
    expect((await engine.read('accumulated')).data.every(Number.isFinite)).toBe(false);
    engine.write('counters', Float32Array.of(1024), counterAt.lossScale);
    expect(await run(1)).toMatchObject([{ skipped: false }]);
    // What overflows in the update itself is not the loss scale's fault.
    engine.write('moment2', Float32Array.of(-1), model.p.byName.get('generator.bias')!.offset);
    await expect(run(1)).rejects.toThrow(errorAbout({ values: [4, 'adamw', 'optimizer'] }));
  });

  it('continues the finite check if the loss scale is the cause, and stops if it is not', async () => {
    const { engine, run } = await training({ precision: 'f16', checkFinite: true });
    engine.write('counters', Float32Array.of(2 ** 40), counterAt.lossScale);
    expect((await run(1))[0]!.skipped).toBe(true);
    // 1e5 is a float32, but infinite as f16.
    engine.write('weights', Float32Array.of(1e5), model.p.byName.get('generator.weight')!.offset);
    await expect(run(1)).rejects.toThrow(
      errorAbout({ values: [2, 'cast_weights', 'weights', 'weights.f16'] }),
    );
  });
};

const rejected = () => {
  it('is rejected on an adapter without shader-f16, with advice', async () => {
    await expect(training({ precision: 'f16' })).rejects.toThrow(errorAbout(noF16));
  });
};

// If the GPU adapter has no shader-f16, only the error is tested.
describe('mixed precision', hasHalf ? mixed : rejected);

describe('float32', () => {
  it('has no loss scale', async () => {
    const { run } = await training({ precision: 'f32' });
    expect((await run(1))[0]).toMatchObject({ lossScale: 0, skipped: false });
  });
});
