// Selection of the final weights: best evaluation, checkpoint average, and both in resumed runs.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runJob } from '../../../src/commands/remote/run-job.ts';
import { noFeatures } from '../../../src/session/feature-table.ts';
import { type MainMetricName, mainMetrics } from '../../../src/text/metrics/main-metrics.ts';
import type { Metric } from '../../../src/text/metrics/metric.ts';
import { historyOf, type LogEval, parseLog } from '../../../src/train/report/training-log.ts';
import { BestModel, type BestOptions } from '../../../src/train/run/best-model.ts';
import { completeArguments, type TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { SettingTable } from '../../../src/train/settings/train-settings.ts';
import { Recipe } from '../../../src/train/settings/training-recipe.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { itInFull } from '../../support/in-full.ts';
import { jobs } from '../../support/jobs.ts';
import { tinySizes, tinyTraining } from '../../support/training.ts';

const metricNamed = (own: MainMetricName) => mainMetrics.find(({ name }) => name === own) as Metric;
const options: BestOptions = { metric: metricNamed('loss'), patience: 2, evalSteps: 10 };
const found = (step: number, loss: number): LogEval => ({
  type: 'eval',
  step,
  part: 'dev',
  loss,
  chrf: loss,
  seconds: 0,
});
const parameterBuffer = (x: number) => async () => Float32Array.of(x);

describe('the best', () => {
  it('has the lowest loss, or the highest value of another metric', async () => {
    for (const [metric, step] of [
      ['loss', 20],
      ['chrf', 10],
    ] as const) {
      const best = new BestModel({ ...options, metric: metricNamed(metric) }, options);
      await best.consider(found(10, 3), parameterBuffer(1));
      await best.consider(found(20, 2), parameterBuffer(2));
      expect(best.state).toMatchObject({ metric, step });
      expect(best.weights).toEqual(Float32Array.of(step / 10));
    }
  });

  it('is the earlier of equal evaluations, and never one with NaN', async () => {
    const best = new BestModel(options, options);
    await best.consider(found(10, Number.NaN), parameterBuffer(1));
    expect(best.state).toBeUndefined();
    await best.consider(found(20, 2), parameterBuffer(2));
    await best.consider(found(30, 2), parameterBuffer(3));
    await best.consider(found(40, Number.NaN), parameterBuffer(4));
    expect(best.state).toEqual({ metric: 'loss', value: 2, step: 20, since: 2, until: 40 });
    // The last step of a run may be evaluated again after resuming.
    await best.consider(found(40, 2.5), parameterBuffer(4));
    expect(best.state?.since).toBe(2);
    expect(best.outOfPatience).toBe(true);
  });

  it('resumes from a checkpoint, patience included', async () => {
    const state = { metric: 'loss', value: 2, step: 20, since: 1 } as const;
    const best = new BestModel(options, options, { state, weights: Float32Array.of(2) });
    await best.consider(found(30, 2.5), parameterBuffer(3));
    expect([best.outOfPatience, best.weights]).toEqual([true, Float32Array.of(2)]);
    expect(
      new BestModel({ ...options, metric: metricNamed('bleu') }, options, {
        state,
        weights: Float32Array.of(2),
      }).state,
    ).toBeUndefined();
  });

  it('is the model at the end of a part, and the next part ignores it', async () => {
    const best = new BestModel(options, options);
    await best.consider(found(10, 3), parameterBuffer(1));
    await best.consider(found(14, 1), parameterBuffer(1.4));
    expect([best.state?.step, best.kept?.step]).toEqual([14, 10]);
    expect([best.weights, best.earlier]).toEqual([Float32Array.of(1.4), Float32Array.of(1)]);
    await best.consider(found(20, 4), parameterBuffer(2));
    expect([best.state?.step, best.earlier]).toEqual([10, undefined]);
  });

  it('is rejected if no evaluation can measure it', async () => {
    const recipe = (fields: Partial<TrainArguments>) =>
      Recipe.of(completeArguments(tinyTraining(fields), new SettingTable()), undefined, noFeatures);
    await expect(recipe({ patience: 2 })).rejects.toThrow(
      errorAbout({ area: 'train', options: ['patience', 'evalSteps'] }),
    );
    await expect(recipe({ bestMetric: 'tokenAccuracy' })).rejects.toThrow(
      errorAbout({ area: 'train', options: ['evalSteps'], values: ['tokenAccuracy'] }),
    );
    await expect(recipe({ bestMetric: 'bleu', evalSteps: 2 })).rejects.toThrow(
      errorAbout({ area: 'train', options: ['devSentences'], values: ['bleu'] }),
    );
  });
});

const folder = mkdtempSync(join(tmpdir(), 'heddle-best-'));
const at = (name: string) => join(folder, name);
const bits = (name: string) => readFileSync(at(`${name}/model.safetensors`));

/** A rate at which the loss of the dev set falls, then rises for good. */
async function train(
  fields: Partial<TrainArguments> & { readonly out: string },
  host: 'cpu' | 'dawn' = 'cpu',
) {
  const args = tinyTraining({
    corpus: { kind: 'tsv', path: at('pairs.tsv'), dev: at('dev.tsv') },
    heldOut: 0,
    model: tinySizes,
    tokenizer: 'char',
    vocabSize: 40,
    steps: 24,
    batchSize: 4,
    learningRate: 5e-2,
    seed: 1,
    evalSteps: 2,
    ...fields,
    out: at(fields.out),
  });
  return runJob(jobs.train, args, { host, tune: false });
}

beforeAll(() => {
  // Few training pairs to overfit, and other dev pairs.
  const words = ['ab ba', 'ba ab', 'abc cba', 'bca acb', 'cab bac', 'ac ca', 'cb bc', 'bb bb'].map((p) =>
    p.split(' '),
  );
  const tsv = (some: string[][]) => some.map((p) => p.join('\t')).join('\n');
  writeFileSync(at('pairs.tsv'), tsv(words.slice(0, 4)));
  writeFileSync(at('dev.tsv'), tsv(words.slice(4)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a training run', () => {
  it('keeps the weights of its best evaluation, and stops early', async () => {
    const whole = await train({ out: 'whole' });
    const losses = whole.dev.map((e) => e.loss as number);
    const best = losses.indexOf(Math.min(...losses));
    expect(whole.best).toMatchObject({ metric: 'loss', step: 2 * (best + 1), value: losses[best] });
    expect(best, String(losses)).toBeLessThan(losses.length - 3);

    const judged = await runJob(
      jobs.evaluate,
      { folder: at('whole'), pairs: { files: [at('dev.tsv')] }, options: { batchSize: 4 } },
      { host: 'cpu' },
    );
    expect(judged.loss).toBeCloseTo(losses[best] as number, 5);

    const early = await train({ out: 'early', patience: 3 });
    expect([early.steps, early.stopped]).toEqual([2 * (best + 1) + 6, false]);
    expect(early.dev.map((e) => e.step)).toEqual(Array.from({ length: best + 4 }, (_, i) => 2 * (i + 1)));
    expect(early.best?.step).toBe(whole.best?.step);
    expect(bits('early')).toEqual(bits('whole'));
    const { ends } = historyOf(parseLog(readFileSync(at('early/log.jsonl'), 'utf8')));
    expect(ends).toMatchObject([{ reason: 'patience', best: { step: whole.best?.step } }]);
    expect(readFileSync(at('early/report.html'), 'utf8')).toContain(
      `The model has the weights of step ${early.best?.step}`,
    );
    // With more patience it runs for the remaining evaluations; with the same patience it does not run.
    expect((await train({ out: 'early', patience: 3, resume: true })).steps).toBe(0);
    expect((await train({ out: 'early', patience: 4, resume: true })).steps).toBe(2);
  });

  it('evaluates early too, without an effect on the weights that it keeps', async () => {
    const fields = { evalSteps: 20, steps: 28, schedule: 'constant', learningRate: 1e-2 } as const;
    const usual = await train({ ...fields, out: 'usual' });
    const more = await train({ ...fields, out: 'more', earlyEvals: true });
    expect(more.dev.map(({ step }) => step)).toEqual([20, 25, 28]);
    expect(more.best).toEqual(usual.best);
    expect(bits('more')).toEqual(bits('usual'));
  });

  itInFull(
    'ends with the same model and the same best weights if it is interrupted and resumed',
    {
      timeout: 120_000,
    },
    async () => {
      const fields = { evalSteps: 4, schedule: 'constant' as const, learningRate: 1e-2 };
      // On Dawn: the references compute in float64, of which a checkpoint keeps float32.
      const whole = await train({ ...fields, out: 'one', steps: 12 }, 'dawn');
      // The first part's own end is not on a multiple of 4.
      await train({ ...fields, out: 'parts', steps: 7 }, 'dawn');
      const rest = await train({ ...fields, out: 'parts', steps: 12, resume: true }, 'dawn');
      expect(rest.best).toEqual(whole.best);
      expect(bits('parts')).toEqual(bits('one'));
    },
  );

  it('evaluates and saves the moving average if there is one, and resumes from the weights', async () => {
    const fields = { emaDecay: 0.9, schedule: 'constant' as const, learningRate: 1e-2, evalSteps: 4 };
    const whole = await train({ ...fields, out: 'average', steps: 8 });
    const judged = await runJob(
      jobs.evaluate,
      { folder: at('average'), pairs: { files: [at('dev.tsv')] }, options: { batchSize: 4 } },
      { host: 'cpu' },
    );
    expect(judged.loss).toBeCloseTo(whole.best?.value ?? Number.NaN, 5);
    const plain = await train({
      out: 'plain',
      steps: 8,
      schedule: 'constant',
      learningRate: 1e-2,
      evalSteps: 0,
    });
    expect(bits('average')).not.toEqual(bits('plain'));
    // Float32 weights in a checkpoint of float64 references.
    for (const [i, loss] of whole.losses.entries()) expect(loss).toBeCloseTo(plain.losses[i] as number, 5);
    await train({ ...fields, out: 'average-parts', steps: 4 });
    const rest = await train({ ...fields, out: 'average-parts', steps: 8, resume: true });
    for (const [i, loss] of rest.losses.entries()) expect(loss).toBeCloseTo(plain.losses[4 + i] as number, 5);
  });
});
