// train on the GPU: a model that translates, evaluation, early stopping, checkpoints and resume, LoRA, and a
// device that is lost.

import { afterAll, describe, expect, it } from 'vitest';
import type { BaseModel, Model } from '../../src/api/model.ts';
import { loadModel } from '../../src/entries/load-with-features.ts';
import { type TrainOptions, train } from '../../src/entries/train-with-features.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { registerHost } from '../../src/session/host.ts';
import { readTsv } from '../../src/text/corpus/tsv.ts';
import type { JobEvent } from '../../src/train/report/training-events.ts';
import { type ExpectedError, errorAbout } from '../support/expect-error.ts';
import { everyCase, gpuDevice, testGpu } from '../support/gpu.ts';
import { fragileGpu, tinyCorpus } from '../support/training.ts';

const files = memoryFiles();
registerHost({ gpu: testGpu, files, modelPath: (name) => name });

const { pairs } = readTsv(new TextEncoder().encode(tinyCorpus), 'pairs.tsv');
const dev = pairs.slice(0, 8);
const settings: Omit<TrainOptions, 'gate'> = {
  preset: 'tiny',
  model: { dModel: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 16, maxLength: 16 },
  tokenizer: 'word',
  vocabSize: 60,
  batchSize: 8,
  buckets: 1,
  steps: 12,
  learningRate: 2e-2,
  schedule: 'constant',
  dropout: 0.1,
  heldOut: 0,
  seed: 3,
  tune: false,
};

const open: BaseModel[] = [];
afterAll(() => {
  for (const model of open) model.dispose();
});

/** A model trained on the tests' device. */
async function trained(options: TrainOptions = {}): Promise<Model> {
  const model = await train(pairs, { ...settings, device: await gpuDevice(), ...options });
  open.push(model);
  return model;
}
const weightsOf = (model: BaseModel) => Object.values(model.weights()).flatMap(({ data }) => [...data]);

describe('train', () => {
  it('is an error before the first step if it does not fit the memory budget', async () => {
    const steps: number[] = [];
    const run = trained({ memoryBudget: 1000, onStep: ({ step }) => void steps.push(step) });
    await expect(run).rejects.toThrow(errorAbout({ kind: 'memory', values: [1000] }));
    expect(steps).toEqual([]);
  });

  it('makes a model from pairs, and reports each step', async () => {
    const steps: number[] = [];
    const events: JobEvent[] = [];
    const model = await trained({
      onStep: ({ step }) => steps.push(step),
      onEvent: (event) => events.push(event),
    });
    expect(steps).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(model.training?.losses).toHaveLength(12);
    expect(model.training!.losses.at(-1)!).toBeLessThan(model.training!.losses[0]!);
    expect(typeof (await model.translate('one two'))).toBe('string');
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['start', 'step', 'message', 'end']),
    );
    expect(weightsOf(await trained())).toEqual(weightsOf(model));
  });

  it('rejects if a promise of a callback or of the gate rejects, in the training and in later calls', async () => {
    const fails = async () => {
      throw new Error('mine');
    };
    const idle = { ready() {}, between: () => undefined, wantsCheckpoint: () => false };
    const gates = [
      { ...idle, ready: fails },
      { ...idle, between: fails },
      { ...idle, between: () => fails },
      { ...idle, wantsCheckpoint: fails as never },
    ];
    for (const [k, options] of [
      { onStep: fails },
      { onEvent: fails },
      ...gates.map((gate, k) => ({ gate, checkpoint: `gate-${k}` })),
    ].entries())
      await expect(trained(options), `case ${k}`).rejects.toThrow(new Error('mine'));
    let isLate = false;
    const model = await trained({ onEvent: async () => isLate && fails() });
    isLate = true;
    await expect(model.evaluate(dev)).rejects.toThrow(new Error('mine'));
    isLate = false;
    expect(await model.evaluate(dev)).toBeDefined();
  });

  it('needs all functions of a gate', async () => {
    const gate = { ready() {}, between: () => undefined } as never;
    await expect(trained({ gate })).rejects.toThrow(
      errorAbout({ area: 'train', values: ['wantsCheckpoint'] }),
    );
  });

  it('ends at an abort while its gate waits', async () => {
    const stop = new AbortController();
    let isPaused = false;
    const between = () => {
      isPaused = true;
      setTimeout(() => stop.abort(), 20);
      return () => new Promise<void>(() => {});
    };
    const gate = { ready() {}, between, wantsCheckpoint: () => false };
    const { training } = await trained({ gate, signal: stop.signal });
    expect(isPaused).toBe(true);
    expect(training?.stopped).toBe(true);
  });

  it('runs two trainings and a translation on one device at the same time, with the bits of separate runs', async () => {
    const alone = await trained();
    const other = { seed: 9, model: { ...settings.model, dModel: 12 }, learningRate: 1e-2 };
    const second = await trained(other);
    const texts = ['one two', 'six', 'red sun ten'];
    const expected = await alone.translate(texts);
    const begun = [trained({ steps: 12 }), trained(other)];
    const during = await alone.translate(texts, { beams: 2 });
    const [first, third] = await Promise.all(begun);
    expect(first?.training?.losses).toEqual(alone.training?.losses);
    expect(third?.training?.losses).toEqual(second.training?.losses);
    expect(weightsOf(first as Model)).toEqual(weightsOf(alone));
    expect(weightsOf(third as Model)).toEqual(weightsOf(second));
    expect(await alone.translate(texts, { beams: 2 })).toEqual(during);
    expect(await alone.translate(texts)).toEqual(expected);
  });

  it('evaluates on dev and test pairs and stops early', async () => {
    const model = await trained({
      dev,
      test: dev,
      evalSteps: 2,
      patience: 1,
      bestMetric: 'bleu',
      learningRate: 1e-9,
    });
    const { dev: evaluations, best, evaluation, steps } = model.training!;
    expect(steps).toBeLessThan(12);
    expect(evaluations.length).toBeGreaterThan(1);
    expect(best!.metric).toBe('bleu');
    expect(evaluation!.sentences).toBe(8);
    const shared = await trained({ heldOut: 0.2, evalSteps: 6, devSentences: 2 });
    expect(shared.training!.dev).toHaveLength(2);
  });

  it('saves checkpoints and resumes in the same bits', async () => {
    const events: JobEvent[] = [];
    const onEvent = (event: JobEvent) => void events.push(event);
    const whole = await trained();
    await trained({ steps: 5, checkpoint: 'ck', saveSteps: 2, onEvent });
    expect(events.filter(({ type }) => type === 'checkpoint').length).toBeGreaterThan(1);
    const rest = await trained({ checkpoint: 'ck', resume: true });
    expect(rest.training!.losses).toHaveLength(7);
    expect(weightsOf(rest)).toEqual(weightsOf(whole));
    const loaded = await loadModel('ck', { device: await gpuDevice(), tune: false });
    open.push(loaded);
    expect(await loaded.translate('one two')).toBe(await rest.translate('one two'));
  });

  it('trains a LoRA adapter for a model, which stays as it is', async () => {
    const base = await trained();
    const before = weightsOf(base);
    const { preset: _, model: __, tokenizer: ___, vocabSize: ____, ...further } = settings;
    const tuned = await train(pairs, {
      ...further,
      device: await gpuDevice(),
      from: base,
      lora: { rank: 2 },
    });
    open.push(tuned);
    expect(weightsOf(base)).toEqual(before);
    expect(weightsOf(tuned)).not.toEqual(before);
    await base.save('base');
    await tuned.save('lora', { format: 'lora' });
    const merged = await loadModel('base', { lora: 'lora', device: await gpuDevice(), tune: false });
    open.push(merged);
    expect(weightsOf(merged)).toEqual(weightsOf(tuned));
    expect(JSON.parse(new TextDecoder().decode(await files.read('lora/adapter_config.json')))).toMatchObject({
      r: 2,
    });
    const full = await train(pairs, {
      ...further,
      device: await gpuDevice(),
      from: base,
      freeze: ['encoder.*'],
    });
    open.push(full);
    expect(full.config).toMatchObject({ dModel: 8, maxLength: 16 });
    const initial = base.weights();
    const same = Object.entries(full.weights()).map(([name, { data }]) => [
      name.includes('encoder.'),
      String(data) === String(initial[name]?.data),
    ]);
    expect(same).toContainEqual([false, false]);
    expect(same).toContainEqual([true, true]);
    expect(same).not.toContainEqual([true, false]);
  });

  it('stops at a signal with the model so far', async () => {
    const stopper = new AbortController();
    const model = await trained({
      signal: stopper.signal,
      onStep: ({ step }) => step === 3 && stopper.abort(),
    });
    expect(model.training).toMatchObject({ stopped: true });
    expect(model.training!.steps).toBeLessThan(8);
    expect(await model.translate('one')).toBeDefined();
  });

  it('continues on a new device when the device is lost, in the same bits', async () => {
    const expected = await trained();
    const { gpu, lose } = fragileGpu(await testGpu());
    const events: JobEvent[] = [];
    const model = await train(pairs, {
      ...settings,
      device: gpu,
      onStep: ({ step }) => step === 4 && lose(),
      onEvent: (event) => events.push(event),
    });
    open.push(model);
    expect(events.map(({ type }) => type)).toContain('recovery');
    expect(weightsOf(model)).toEqual(weightsOf(expected));
  });

  if (everyCase)
    it('trains several models on the shared device', async () => {
      const options = { ...settings, steps: 3 };
      const models = await Promise.all([train(pairs, options), train(pairs, options)]);
      open.push(...models);
      const [a, b] = await Promise.all(models.map((model) => model.translate(['one two', 'six'])));
      expect(a).toEqual(b);
    });

  it('names the option that is wrong', async () => {
    const wrong = async (options: object, expected: ExpectedError) =>
      expect(train(pairs, { ...settings, ...options } as TrainOptions)).rejects.toThrow(errorAbout(expected));
    await wrong({ batch: 8 }, { area: 'train', values: ['batch', 'batchSize'] });
    await wrong({ steps: 0 }, { area: 'train', options: ['steps'], values: [0, 1] });
    await wrong({ resume: true }, { area: 'train' });
    await wrong({ lora: { rank: 2 } }, { area: 'train', options: ['lora', 'init'] });
    await wrong(
      { from: {} },
      { template: 'This is not a model of heddle; get one from train() or loadModel()' },
    );
    await expect(train([], settings)).rejects.toThrow(errorAbout({ area: 'train' }));
  });
});
