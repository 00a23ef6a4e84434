// Cancellation on a device whose pipelines compile until the test lets them: every call with a signal rejects with
// an AbortError before that, within 300 ms (`npm run test:full`), and the model works afterwards.

import { describe, expect, it, vi } from 'vitest';
import { Model } from '../../src/api/model.ts';
import { pullModel } from '../../src/api/model-files.ts';
import { type Device, wrapDevice } from '../../src/engine/gpu/device.ts';
import { loadModel } from '../../src/entries/load-with-features.ts';
import { planTraining } from '../../src/entries/plan-with-features.ts';
import { train } from '../../src/entries/train-with-features.ts';
import type { Files } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { registerHost } from '../../src/session/host.ts';
import { disposedModel, errorAbout } from '../support/expect-error.ts';
import { everyCase, gpuDevice } from '../support/gpu.ts';
import { letterModel } from '../support/saved-model.ts';
import { testSession } from '../support/session.ts';

const pairs = Array.from({ length: 8 }, (_, i) => ({
  source: 'abcd'[i % 4] as string,
  target: 'dcba'[i % 4] as string,
}));
const never = () => new Promise<never>(() => undefined);

/** A device that compiles nothing until `release` is called. */
async function slowDevice(): Promise<{ device: Device; compiling: Promise<void>; release: () => void }> {
  const gpu = await gpuDevice();
  let release = () => {};
  let begin = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const compiling = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const slow = new Proxy(gpu, {
    get(_, key) {
      const value = Reflect.get(gpu, key, gpu) as unknown;
      if (key === 'createComputePipelineAsync')
        return async (descriptor: GPUComputePipelineDescriptor) => {
          begin();
          await released;
          return gpu.createComputePipelineAsync(descriptor);
        };
      return typeof value === 'function' ? value.bind(gpu) : value;
    },
  });
  return { device: { ...wrapDevice(gpu), gpu: slow }, compiling, release };
}

/** Expects an AbortError after an abort that follows `moment`; what the call waits for has not come then. */
async function expectAborted(call: (signal: AbortSignal) => Promise<unknown>, moment?: Promise<unknown>) {
  const stop = new AbortController();
  if (!moment) stop.abort();
  const outcome = call(stop.signal).then(
    () => 'resolved',
    (error: unknown) => error,
  );
  await moment;
  const begin = performance.now();
  stop.abort();
  expect(await outcome).toMatchObject({ name: 'AbortError' });
  // A busy machine may be slower.
  if (everyCase) expect(performance.now() - begin).toBeLessThan(300);
}

/** The calls of a model with a signal. */
const calls: Readonly<Record<string, (model: Model, signal: AbortSignal) => Promise<unknown>>> = {
  translate: (model, signal) => model.translate('abc', { signal }),
  generate: (model, signal) => model.generate(['abc', 'd'], { signal, beams: 2 }),
  evaluate: (model, signal) => model.evaluate(pairs, { signal }),
  score: (model, signal) => model.score(pairs, { signal }),
  async stream(model, signal) {
    for await (const _ of model.stream('abc', { signal }));
  },
};

describe.each(Object.entries(calls))('%s', (_, call) => {
  it('rejects before it starts, while pipelines compile and while it waits; later calls work', async () => {
    const { device, compiling, release } = await slowDevice();
    const model = new Model(letterModel(), testSession({ device }));
    await expectAborted((signal) => call(model, signal));
    await expectAborted((signal) => call(model, signal), compiling);
    await expectAborted((signal) => call(model, signal), new Promise((resolve) => setTimeout(resolve, 20)));
    const later = model.translate('bad cab');
    release();
    const other = new Model(letterModel(), testSession({ device: await gpuDevice() }));
    expect(await later).toBe(await other.translate('bad cab'));
    model.dispose();
    other.dispose();
  });
});

describe('a model', () => {
  it.each(['translate', 'score', 'evaluate'] as const)(
    'stops %s while many texts are encoded',
    async (name) => {
      const saved = letterModel();
      const encode = vi.spyOn(saved.source, 'encode');
      const model = new Model(saved, testSession({ device: await gpuDevice() }));
      const stop = new AbortController();
      const many = Array.from({ length: 20_000 }, () => ({ source: 'abc', target: 'cab' }));
      encode.mockImplementationOnce(() => {
        setTimeout(() => stop.abort(), 0);
        return [];
      });
      const options = { signal: stop.signal };
      const call =
        name === 'translate'
          ? model.translate(
              many.map(({ source }) => source),
              options,
            )
          : model[name](many, options);
      await expect(call).rejects.toHaveProperty('name', 'AbortError');
      expect(encode.mock.calls.length).toBeLessThan(6000); // also those of the target, which is the same tokenizer
      encode.mockRestore();
      model.dispose();
    },
  );

  it('can be disposed after an abort, while pipelines still compile', async () => {
    const { device, compiling, release } = await slowDevice();
    const model = new Model(letterModel(), testSession({ device }));
    await expectAborted((signal) => model.translate('abc', { signal }), compiling);
    model.dispose();
    release();
    await expect(model.translate('abc')).rejects.toThrow(errorAbout(disposedModel));
    device.check();
  });
});

describe('train', () => {
  const settings = {
    preset: 'tiny',
    model: { dModel: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 16, maxLength: 16 },
    tokenizer: 'char',
    batchSize: 8,
    heldOut: 0,
    steps: 2,
    tune: false,
  } as const;

  it('rejects before its first step, and writes nothing; a later call trains', async () => {
    const files = memoryFiles();
    registerHost({ files, modelPath: (name) => name });
    const { device, compiling, release } = await slowDevice();
    const start = (signal: AbortSignal) => train(pairs, { ...settings, device, signal, checkpoint: 'run' });
    await expectAborted(start);
    await expectAborted(start, compiling);
    expect(await files.exists('run')).toBe(false);
    release();
    const model = await train(pairs, { ...settings, device, checkpoint: 'run' });
    expect(model.training).toMatchObject({ steps: 2, stopped: false });
    model.dispose();
  });

  it('resolves with the model so far after it', async () => {
    const stop = new AbortController();
    const device = await gpuDevice();
    const onStep = () => stop.abort();
    const model = await train(pairs, { ...settings, steps: 50, device, signal: stop.signal, onStep });
    expect(model.training).toMatchObject({ stopped: true });
    model.dispose();
  });
});

describe('calls without a model', () => {
  /** Files that never answer. */
  const stuck = {
    ...memoryFiles(),
    read: never,
    exists: async () => true,
    list: never,
    size: never,
  } as Files;

  it('reject while they wait for files, a device or the network', async () => {
    registerHost({ files: stuck, modelPath: (name) => name });
    const soon = () => new Promise((resolve) => setTimeout(resolve, 20));
    const gpu = { requestAdapter: never } as unknown as GPU;
    await expectAborted((signal) => loadModel('m', { signal }), soon());
    await expectAborted(
      (signal) => pullModel('me/it', 'm', { signal, fetch: never, files: memoryFiles() }),
      soon(),
    );
    await expectAborted((signal) => planTraining(pairs, { signal, device: gpu, heldOut: 0 }), soon());
    await expectAborted((signal) => train(pairs, { signal, device: gpu, heldOut: 0 }), soon());
    await expectAborted((signal) => train({ kind: 'tsv', path: 'p' }, { signal, device: gpu }), soon());
  });

  it('reject before they start', async () => {
    await expectAborted((signal) => loadModel('m', { signal }));
    await expectAborted((signal) => pullModel('me/it', 'm', { signal }));
    await expectAborted((signal) => planTraining(pairs, { signal }));
  });
});
