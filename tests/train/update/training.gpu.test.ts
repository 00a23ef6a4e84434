// Training graphs on an engine: determinism for a seed, skipped steps with non-finite gradients, padding
// masks, gradient accumulation, and step scalars as inputs.

import { afterEach, describe, expect, it } from 'vitest';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import type { Engine, Program } from '../../../src/engine/engine.ts';
import { clipAt, counterAt } from '../../../src/engine/ops/optimizer/clip.ts';
import type { ModelOptions } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { initializeTraining } from '../../../src/train/run/training-state.ts';
import { optimizerConfig } from '../../../src/train/update/optimizer-config.ts';
import { Trainer } from '../../../src/train/update/trainer.ts';
import type { UpdateConfig } from '../../../src/train/update/trainer-graphs.ts';
import { evaluationGraph, trainingGraph } from '../../../src/train/update/training-graphs.ts';
import { testEngine } from '../../support/engine.ts';
import { itOnDawn } from '../../support/gpu.ts';
import { type Ids, loadIds, randomIds, setStep, smallModel, startProgram } from '../../support/model.ts';

const shape = { batch: 4, source: 6, target: 5 };
/** Sizes that the fast kernels take, so that few pipelines are compiled. */
const sizes = { srcVocab: 20, tgtVocab: 24, dModel: 16, feedForward: 32 };
const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.destroy();
});

async function newEngine(): Promise<Engine> {
  const engine = await testEngine();
  engines.push(engine);
  return engine;
}

async function newTraining(options: Partial<ModelOptions> = {}, engine?: Engine) {
  const on = engine ?? (await newEngine());
  const model = smallModel({ ...sizes, ...options });
  const optimizer = optimizerConfig({ weightDecay: 0.01, clipNorm: 1 });
  const program = await startProgram(on, model, trainingGraph(model.c, model.p, shape, optimizer));
  const update = (step: number, scalars = {}, ids = randomIds(model.c, shape, step)) => {
    loadIds(program, ids);
    setStep(program, ids, { step, ...scalars });
    return program.run();
  };
  return { ...model, engine: on, program, update };
}

const states = ['weights', 'moment1', 'moment2', 'counters'];
async function bitsOf(engine: Engine): Promise<Record<string, Uint32Array>> {
  const bits: Record<string, Uint32Array> = {};
  for (const name of states) bits[name] = new Uint32Array((await engine.read(name)).data.buffer);
  return bits;
}

describe('determinism', () => {
  itOnDawn(
    'gives the same bits after 50 steps with dropout for the same seed, and others for another',
    async () => {
      const train = async (seed: number) => {
        const { engine, update } = await newTraining({ dropout: 0.2 });
        const losses: number[] = [];
        const pending: Promise<unknown>[] = [];
        for (let step = 0; step < 50; step++) {
          // By step: Firefox settles the reads of pending steps in any order.
          const report = update(step, { seed }).then(({ stats }) => {
            losses[step] = stats![0]!;
          });
          pending.push(report);
          if (pending.length > 2) await pending.shift();
        }
        await Promise.all(pending);
        return { losses, bits: await bitsOf(engine) };
      };
      const first = await train(11);
      const again = await train(11);
      expect(again.losses).toEqual(first.losses);
      for (const name of states) expect(again.bits[name]).toEqual(first.bits[name]);
      const other = await train(12);
      expect(other.losses[0]).not.toBe(first.losses[0]);
      expect(other.bits.weights).not.toEqual(first.bits.weights);
      // The loss falls too.
      expect(first.losses.at(-1)! / first.losses[0]!).toBeLessThan(1);
    },
  );
});

describe('a step whose gradients are not finite', () => {
  // NaN and infinite weights, and one so large that the arithmetic overflows on its way.
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 3e38])
    it(`is skipped and counted, never applied: a weight of ${bad}`, async () => {
      const { engine, update, p } = await newTraining();
      await update(0);
      const place = p.byName.get('transformer.encoder.layers.0.linear1.weight')!.offset + 3;
      const sound = (await engine.read('weights')).data[place]!;
      const before = await bitsOf(engine);
      engine.write('weights', Float32Array.of(bad), place);
      for (let k = 1; k <= 2; k++) {
        const { clip } = await update(k);
        expect([clip![clipAt.finite], clip![clipAt.scale]]).toEqual([0, 0]);
      }
      engine.write('weights', Float32Array.of(sound), place);
      const after = await bitsOf(engine);
      for (const name of ['weights', 'moment1', 'moment2']) expect(after[name]).toEqual(before[name]);
      const counters = new Float32Array(after.counters!.buffer);
      expect([counters[counterAt.applied], counters[counterAt.skipped]]).toEqual([1, 2]);
      const { clip } = await update(3);
      expect(clip![clipAt.finite]).toBe(1);
      expect((await engine.read('counters')).data[counterAt.applied]).toBe(2);
      expect(new Uint32Array((await engine.read('weights')).data.buffer)).not.toEqual(before.weights);
    });
});

describe('an evaluation', () => {
  it('of logits in chunks equals one of all logits at once, on the float64 references and on the GPU', async () => {
    const model = smallModel({ ...sizes, labelSmoothing: 0.1 });
    const many = { batch: 12, source: 6, target: 7 }; // 84 rows: two chunks
    const statsOf = async (engine: Engine, logitBytes: number) => {
      const graph = evaluationGraph(model.c, model.p, many, { logitBytes });
      expect(graph.nodes.some(({ op }) => op.name === 'projected_loss')).toBe(logitBytes === 1);
      const program = await startProgram(engine, model, graph);
      const ids = randomIds(model.c, many);
      loadIds(program, ids);
      setStep(program, ids);
      return (await program.run()).stats!;
    };
    const want = await statsOf(cpuEngine(), 2 ** 24);
    expect(want[1]).toBe(33);
    for (const [engine, logitBytes] of [
      [cpuEngine(), 1],
      [await newEngine(), 1],
      [await newEngine(), 2 ** 24],
    ] as const) {
      const [loss, ...counts] = await statsOf(engine, logitBytes);
      expect(loss! / want[0]!).toBeCloseTo(1, 5);
      expect(counts).toEqual([...want.slice(1)]);
    }
  });
});

describe('step scalars are inputs of the program', () => {
  it('a learning rate of zero changes no weight, a larger one changes them more', async () => {
    const moved = async (learningRate: number) => {
      const { engine, update } = await newTraining();
      const before = (await engine.read('weights')).data;
      await update(0, { learningRate });
      const after = (await engine.read('weights')).data;
      return Math.max(...Array.from(after, (x, i) => Math.abs(x - before[i]!)));
    };
    expect(await moved(0)).toBe(0);
    const [small, large] = [await moved(1e-3), await moved(1e-2)];
    expect(large / small).toBeGreaterThan(9.9);
    expect(large / small).toBeLessThan(10.1);
  });

  it('Adam corrects the bias of its moments with the number of the step', async () => {
    // With the same gradients in each step, m^ / sqrt(v^) stays 1 and weights move by the learning rate, if
    // the bias is corrected with the number of the step; with a frozen correction they would move by up to (1
    // - 0.9^t) / (1 - 0.9) as much.
    const on = { gpu: await newEngine(), cpu: cpuEngine() };
    const walks: Record<string, number[]> = {};
    for (const [name, engine] of Object.entries(on)) {
      const { update, p, c } = await newTraining({}, engine);
      const place = p.byName.get('generator.bias')!.offset;
      const ids = randomIds(c, shape);
      const walk: number[] = [];
      let last = (await engine.read('weights')).data[place]!;
      for (let step = 0; step < 6; step++) {
        await update(step, { learningRate: 1e-5 }, ids);
        const next = (await engine.read('weights')).data[place]!;
        walk.push(Math.abs(next - last) / 1e-5);
        last = next;
      }
      walks[name] = walk;
    }
    // Float32 has a spacing of 7e-9 at 0.1, which is 7e-4 of an update of 1e-5; weight decay is 1e-3 of it.
    for (const [i, x] of walks.gpu!.entries()) {
      expect(Math.abs(x - 1)).toBeLessThan(0.01);
      expect(Math.abs(x - walks.cpu![i]!)).toBeLessThan(0.01);
    }
  });

  it('the dropout mask depends only on the step and the seed', async () => {
    const { update, engine, c } = await newTraining({ dropout: 0.3 });
    const start = (await engine.read('weights')).data;
    const ids = randomIds(c, shape);
    const loss = async (step: number, seed: number) => {
      engine.write('weights', start);
      return (await update(step, { seed, learningRate: 0 }, ids)).stats![0]!;
    };
    const first = await loss(0, 1);
    expect(await loss(0, 1)).toBe(first);
    expect(await loss(1, 1)).not.toBe(first);
    expect(await loss(0, 2)).not.toBe(first);
  });
});

describe('padding', () => {
  async function evaluator() {
    const model = smallModel(sizes);
    const engine = await newEngine();
    const program = await startProgram(
      engine,
      model,
      evaluationGraph(model.c, model.p, shape, { logits: true }),
    );
    return { ...model, program };
  }
  /** Logits [B, T, V] of ids of which one is changed. */
  async function logitsWith(
    program: Program,
    ids: Ids,
    change: (ids: Ids) => void = () => {},
  ): Promise<Float32Array> {
    const copy = {
      src: ids.src.slice(),
      tgtIn: ids.tgtIn.slice(),
      tgtOut: ids.tgtOut.slice(),
      srcLens: ids.srcLens.slice(),
      tgtLens: ids.tgtLens.slice(),
    };
    change(copy);
    loadIds(program, copy);
    setStep(program, copy);
    return (await program.run()).logits as Float32Array;
  }

  it("of the source hides keys from encoder and decoder; the target's length hides none of the source", async () => {
    const { c, program } = await evaluator();
    const ids = randomIds(c, shape);
    const { source: S, target: T } = shape;
    // Row 1: five tokens of source, two of target.
    ids.tgtLens[1] = 2;
    ids.tgtIn.fill(c.padId, T + 2, 2 * T);
    ids.tgtOut.fill(c.padId, T + 2, 2 * T);
    const plain = await logitsWith(program, ids);
    const other = (at: number) => (i: Ids) => {
      i.src[S + at] = i.src[S + at] === 7 ? 8 : 7;
    };
    // Beyond the source's length: nothing changes at all.
    expect(await logitsWith(program, ids, other(5))).toEqual(plain);
    // Within the source, beyond the target's length: row 1 changes, the other rows do not.
    const changed = await logitsWith(program, ids, other(4));
    const row = (x: Float32Array, b: number) => x.subarray(b * T * c.tgtVocab, (b + 1) * T * c.tgtVocab);
    expect(row(changed, 1)).not.toEqual(row(plain, 1));
    for (const b of [0, 2, 3]) expect(row(changed, b)).toEqual(row(plain, b));
  });

  it('and the causal mask: a target token changes only its own logits and later ones', async () => {
    const { c, program } = await evaluator();
    const ids = randomIds(c, shape);
    const { target: T } = shape;
    const plain = await logitsWith(program, ids);
    const at = (x: Float32Array, b: number, t: number) =>
      x.slice((b * T + t) * c.tgtVocab, (b * T + t + 1) * c.tgtVocab);
    const changed = await logitsWith(program, ids, (i) => {
      i.tgtIn[2] = i.tgtIn[2] === 7 ? 8 : 7;
    });
    for (let t = 0; t < T; t++)
      if (t < 2) expect(at(changed, 0, t)).toEqual(at(plain, 0, t));
      else expect(at(changed, 0, t)).not.toEqual(at(plain, 0, t));
  });

  it('does not count in loss, tokens and hits', async () => {
    const { c, program } = await evaluator();
    const ids = randomIds(c, shape);
    loadIds(program, ids);
    setStep(program, ids);
    const { logits, stats } = await program.run();
    const V = c.tgtVocab;
    let [loss, tokens, hits] = [0, 0, 0];
    for (const [i, target] of ids.tgtOut.entries()) {
      if (target === c.padId) continue;
      const z = Float64Array.from(logits!.subarray(i * V, (i + 1) * V));
      loss += Math.log(z.reduce((s, x) => s + Math.exp(x), 0)) - z[target]!;
      hits += z.indexOf(Math.max(...z)) === target ? 1 : 0;
      tokens++;
    }
    expect(tokens).toBeLessThan(ids.tgtOut.length);
    expect(Math.abs(stats![0]! / loss - 1)).toBeLessThan(1e-6); // float32 sums of 14 losses
    expect([stats![1], stats![2]]).toEqual([tokens, hits]);
  });
});

/**
 * Losses of three updates of `gradientAccumulationSteps` micro-batches each, two updates pending at a time.
 */
async function losses(engine: Engine, gradientAccumulationSteps: number): Promise<number[]> {
  const { c } = smallModel({ ...sizes, dropout: 0.1 });
  const schedule = {
    kind: 'constant',
    learningRate: 1e-2,
    warmupSteps: 0,
    steps: 3,
    minLearningRate: 0,
    dModel: 16,
  } as const;
  const recipe: UpdateConfig = {
    optimizer: optimizerConfig(),
    schedule,
    seed: 4,
    init: 'xavier',
    gradientAccumulationSteps,
  };
  const trained = { config: c, parameters: parameterList(c) };
  const trainer = await Trainer.open(engine, trained, recipe, [shape]);
  await initializeTraining(engine, trained, recipe);
  const batchOf = (ids: Ids) => ({
    shape: 0,
    tokens: ids.tgtLens.reduce((a, b) => a + b, 0),
    fill: (arrays: object) => loadIds({ inputs: arrays } as Parameters<typeof loadIds>[0], ids),
  });
  const out: number[] = [];
  const pending: Promise<unknown>[] = [];
  for (let step = 0; step < 3; step++) {
    const batches = Array.from({ length: gradientAccumulationSteps }, (_, k) =>
      batchOf(randomIds(c, shape, 10 * step + k)),
    );
    const update = trainer.update(batches).then(({ loss }) => {
      out[step] = loss; // Firefox settles the reads of pending updates in any order
    });
    pending.push(update);
    if (pending.length > 1) await pending.shift();
  }
  await Promise.all(pending);
  return out;
}

describe('gradient accumulation', () => {
  for (const accumulate of [1, 5])
    it(`of ${accumulate} micro-batches, two updates pending, matches the float64 references`, async () => {
      const got = await losses(await newEngine(), accumulate);
      const want = await losses(cpuEngine(), accumulate);
      // Float32 over three steps of Adam, whose small moments amplify rounding.
      for (const [i, loss] of got.entries()) expect(Math.abs(loss / want[i]! - 1)).toBeLessThan(1e-5);
    });
});
