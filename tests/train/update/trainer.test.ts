// The trainer, on the references: reports, gradient accumulation, and resuming at a step.

import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Batch } from '../../../src/text/batches/batch-source.ts';
import { type BatchArrays, fillTokenIndices } from '../../../src/text/batches/batches.ts';
import { initializeTraining } from '../../../src/train/run/training-state.ts';
import { optimizerConfig } from '../../../src/train/update/optimizer-config.ts';
import { learningRate, type ScheduleConfig } from '../../../src/train/update/schedule.ts';
import { Trainer } from '../../../src/train/update/trainer.ts';
import type { TrainerOptions, UpdateConfig } from '../../../src/train/update/trainer-graphs.ts';
import { type Ids, randomIds, smallModel } from '../../support/model.ts';

const schedule: ScheduleConfig = {
  kind: 'inverse-sqrt',
  learningRate: 1e-2,
  warmupSteps: 3,
  steps: 10,
  minLearningRate: 0,
  dModel: 12,
};
const shape = { batch: 4, source: 5, target: 4 };
const half = { batch: 2, source: 5, target: 4 };

function batchOf(ids: Ids, at: number): Batch {
  return {
    shape: at,
    tokens: ids.tgtLens.reduce((a, b) => a + b, 0),
    fill(arrays: BatchArrays) {
      for (const [name, data] of Object.entries(ids))
        (arrays as unknown as Record<string, Int32Array>)[name]!.set(data);
      fillTokenIndices(arrays);
    },
  };
}

/** The rows `from` to `to` of a batch. */
function rows(ids: Ids, from: number, to: number): Ids {
  const { source: S, target: T } = shape;
  return {
    src: ids.src.slice(from * S, to * S),
    tgtIn: ids.tgtIn.slice(from * T, to * T),
    tgtOut: ids.tgtOut.slice(from * T, to * T),
    srcLens: ids.srcLens.slice(from, to),
    tgtLens: ids.tgtLens.slice(from, to),
  };
}

async function start(
  recipe: Partial<UpdateConfig> = {},
  engine: Engine = cpuEngine(),
  options = {},
  more: TrainerOptions = {},
) {
  const { c, p } = smallModel(options);
  const full: UpdateConfig = {
    optimizer: optimizerConfig({ clipNorm: 0.5 }),
    schedule,
    seed: 9,
    init: 'xavier',
    gradientAccumulationSteps: 1,
    ...recipe,
  };
  const trainer = await Trainer.open(engine, { config: c, parameters: p }, full, [half, shape], more);
  await initializeTraining(engine, { config: c, parameters: p }, full);
  return { trainer, engine, c, p };
}
const run = async (trainer: Trainer, c: Parameters<typeof randomIds>[0], steps: number[]) => {
  const reports = [];
  for (const step of steps) reports.push(await trainer.update([batchOf(randomIds(c, shape, step), 1)]));
  return reports;
};

describe('a trainer', () => {
  it('counts steps, follows the schedule and reports what it did', async () => {
    const { trainer, c } = await start();
    const reports = await run(trainer, c, [0, 1, 2, 3]);
    expect(reports.map((r) => r.step)).toEqual([0, 1, 2, 3]);
    for (const r of reports) {
      expect(r.learningRate).toBe(learningRate(schedule, r.step));
      expect(r.tokens).toBe(4 + 3 + 2 + 1);
      expect(r.skipped).toBe(false);
      expect(r.gradientNorm).toBeGreaterThan(0);
      expect(r.accuracy).toBeGreaterThanOrEqual(0);
    }
    // The loss of an untrained model is near that of a uniform distribution.
    expect(Math.abs(reports[0]!.loss / Math.log(c.tgtVocab) - 1)).toBeLessThan(0.5);
  });

  it('reports the update-to-weight ratio of every second update, without changing the losses', async () => {
    const plain = await start();
    const losses = (await run(plain.trainer, plain.c, [0, 1, 2, 3])).map(({ loss }) => loss);
    const { trainer, engine, c } = await start({}, cpuEngine(), {}, { updateRatioSteps: 2 });
    const weights = async () => [...(await engine.read('weights')).data];
    const norm = (x: readonly number[]) => Math.hypot(...x);
    for (const step of [0, 1, 2, 3]) {
      const before = await weights();
      const [report] = await run(trainer, c, [step]);
      const after = await weights();
      expect(report?.loss).toBe(losses[step]);
      const ratio = norm(after.map((x, i) => x - before[i]!)) / norm(after);
      if (step % 2 === 0) expect(report?.updateRatio).toBeUndefined();
      else expect(report!.updateRatio! / ratio).toBeCloseTo(1, 4);
    }
  });

  it('accumulates micro-batches to the update of one batch with all rows, for any number', async () => {
    const one = await start();
    const [whole] = await run(one.trainer, one.c, [0]);
    const ids = randomIds(one.c, shape, 0);
    for (const parts of [2, 4]) {
      const many = await start({ gradientAccumulationSteps: parts });
      const size = 4 / parts;
      const batches = Array.from({ length: parts }, (_, k) => rows(ids, k * size, (k + 1) * size)).map(
        (part) =>
          // A micro-batch of one row is filled up with a row of padding.
          batchOf(size === 2 ? part : padRow(part), 0),
      );
      const report = await many.trainer.update(batches);
      expect(report.loss).toBeCloseTo(whole!.loss, 6);
      expect(report.gradientNorm).toBeCloseTo(whole!.gradientNorm, 6);
      expect(report.tokens).toBe(whole!.tokens);
      // Compares gradients, not weights: Adam turns gradients of pure rounding error into full updates.
      const [a, b] = [await one.engine.read('gradients'), await many.engine.read('accumulated')];
      const largest = Math.max(...Array.from(a.data, Math.abs));
      const worst = Math.max(...Array.from(a.data, (x, i) => Math.abs(x - b.data[i]!)));
      expect(largest).toBeGreaterThan(0.01);
      expect(worst / largest).toBeLessThan(1e-6);
    }
  });

  it('takes fewer micro-batches at the end of the data', async () => {
    const { trainer, c } = await start({ gradientAccumulationSteps: 3 });
    const ids = randomIds(c, shape, 0);
    const report = await trainer.update([batchOf(rows(ids, 0, 2), 0)]);
    expect([report.step, report.skipped, report.tokens]).toEqual([0, false, 7]);
  });

  it('counts hits with and without unknown target tokens', async () => {
    const { trainer, c } = await start();
    const batch = batchOf(rows(randomIds(c, shape, 0), 0, 2), 0);
    const plain = await trainer.evaluate(batch);
    expect([plain.knownTokens, plain.knownHits]).toEqual([plain.tokens, plain.hits]);
    const labels = new Map<number, number>();
    let filled: Int32Array = new Int32Array();
    batch.fill = ((fill) => (arrays: Parameters<typeof fill>[0]) => {
      const tokens = fill(arrays);
      filled = arrays.tgtOut.slice();
      return tokens;
    })(batch.fill);
    await trainer.evaluate(batch);
    for (const id of filled) if (id !== c.padId) labels.set(id, (labels.get(id) ?? 0) + 1);
    for (const [unknown, count] of labels) {
      const sums = await trainer.evaluate(batch, { unknown, pad: c.padId });
      expect(sums).toMatchObject({ loss: plain.loss, tokens: plain.tokens, hits: plain.hits });
      expect(sums.knownTokens).toBe(plain.tokens - count);
      expect(sums.knownHits).toBeLessThanOrEqual(plain.hits);
      expect(sums.knownHits).toBeGreaterThanOrEqual(plain.hits - count);
    }
  });

  it('draws another mask for each micro-batch', async () => {
    const { trainer, c } = await start({ gradientAccumulationSteps: 2 }, cpuEngine(), { dropout: 0.4 });
    const ids = rows(randomIds(c, shape, 0), 0, 2);
    const twice = await trainer.update([batchOf(ids, 0), batchOf(ids, 0)]);
    const alone = await start({ gradientAccumulationSteps: 2 }, cpuEngine(), { dropout: 0.4 });
    const once = await alone.trainer.update([batchOf(ids, 0)]);
    expect(twice.loss).not.toBeCloseTo(once.loss, 6);
  });

  it('resumes at a step as if it had never stopped', async () => {
    const through = await start({}, cpuEngine(), { dropout: 0.2 });
    await run(through.trainer, through.c, [0, 1, 2, 3]);
    const before = await start({}, cpuEngine(), { dropout: 0.2 });
    await run(before.trainer, before.c, [0, 1]);
    const after = await start({}, cpuEngine(), { dropout: 0.2 });
    for (const name of ['weights', 'moment1', 'moment2', 'counters'])
      after.engine.write(name, (await before.engine.read(name)).data);
    after.trainer.step = 2;
    const reports = await run(after.trainer, after.c, [2, 3]);
    expect(reports.map((r) => r.step)).toEqual([2, 3]);
    const [a, b] = [await through.engine.read('weights'), await after.engine.read('weights')];
    // States go through float32 in between.
    const worst = Math.max(...Array.from(a.data, (x, i) => Math.abs(x - b.data[i]!)));
    expect(worst).toBeLessThan(1e-5);
  });

  it('evaluates without dropout and without an update', async () => {
    const { trainer, engine, c } = await start({}, cpuEngine(), { dropout: 0.5 });
    const batch = batchOf(randomIds(c, shape, 0), 1);
    const weights = (await engine.read('weights')).data;
    const first = await trainer.evaluate(batch);
    expect(await trainer.evaluate(batch)).toEqual(first);
    expect(first.tokens).toBe(10);
    expect((await engine.read('weights')).data).toEqual(weights);
    expect(trainer.step).toBe(0);
  });
});

/** A micro-batch of one row, filled up to two. */
function padRow(ids: Ids): Ids {
  const wide = (data: Int32Array | Uint32Array, length: number) => {
    const out = new (data.constructor as Int32ArrayConstructor)(2 * length);
    out.set(data);
    return out;
  };
  return {
    src: wide(ids.src, shape.source),
    tgtIn: wide(ids.tgtIn, shape.target),
    tgtOut: wide(ids.tgtOut, shape.target),
    srcLens: wide(ids.srcLens, 1) as unknown as Uint32Array,
    tgtLens: wide(ids.tgtLens, 1) as unknown as Uint32Array,
  };
}
