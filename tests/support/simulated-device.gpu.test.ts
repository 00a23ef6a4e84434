// Training and decoding on devices whose watchdog resets them after a long submission.

import { afterAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/api/model.ts';
import { type TrainOptions, train } from '../../src/entries/train-with-features.ts';
import { readTsv } from '../../src/text/corpus/tsv.ts';
import type { JobEvent } from '../../src/train/report/training-events.ts';
import { type AdapterShape, adapterShapes } from './adapter-shapes.mjs';
import { gpuDevice, gpuHost, testGpu, testShape } from './gpu.ts';
import { itInFull } from './in-full.ts';
import { shapedGpu } from './shaped-gpu.ts';
import { tinyCorpus, tinySizes } from './training.ts';

// Each device compiles its kernels, which is slow on a busy machine.

const { pairs } = readTsv(new TextEncoder().encode(tinyCorpus), 'pairs.tsv');
const settings: TrainOptions = {
  preset: 'tiny',
  model: tinySizes,
  tokenizer: 'word',
  vocabSize: 60,
  batchSize: 8,
  buckets: 1,
  steps: 4,
  learningRate: 2e-2,
  schedule: 'constant',
  heldOut: 0,
  seed: 3,
  tune: false,
};
const texts = ['one two', 'six', 'red sun ten'];

const open: Model[] = [];
afterAll(() => {
  for (const model of open) model.dispose();
});

/** Trains on an adapter of a shape, and translates. Kernels are those of a CPU adapter, which compile fast. */
async function trainedOn(shape: AdapterShape | undefined, options: TrainOptions = {}) {
  const said: string[] = [];
  const submissions: number[] = [];
  const onEvent = (event: JobEvent) => void ('text' in event && said.push(event.text));
  const info = { ...shape?.info, isFallbackAdapter: true };
  const device = shape
    ? countingGpu(shapedGpu(await testGpu(), { ...shape, info }), submissions)
    : await gpuDevice();
  const model = await train(pairs, { ...settings, ...options, device, onEvent });
  open.push(model);
  return {
    losses: model.training?.losses,
    texts: await model.translate(texts, { beams: 2 }),
    said,
    submissions,
  };
}

/** A GPU that adds the number of submissions of each of its devices to `counts`. */
function countingGpu(gpu: GPU, counts: number[]): GPU {
  return {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      const adapter = await gpu.requestAdapter(options);
      if (!adapter) return adapter;
      const request = adapter.requestDevice.bind(adapter);
      Object.defineProperty(adapter, 'requestDevice', {
        async value(descriptor?: GPUDeviceDescriptor) {
          const device = await request(descriptor);
          const submit = device.queue.submit.bind(device.queue);
          const index = counts.push(0) - 1;
          device.queue.submit = (commands) => {
            counts[index] = (counts[index] ?? 0) + 1;
            return submit(commands);
          };
          return device;
        },
      });
      return adapter;
    },
  } as GPU;
}

const adreno = adapterShapes.find(({ name }) => name === 'adreno') as AdapterShape;

// Each device compiles its kernels, which is slow in Chrome. If a shape is set, all test files run under it.
describe.runIf(gpuHost !== 'Chrome' && testShape.name === '')('on a device with a watchdog', () => {
  let opened: ReturnType<typeof trainedOn> | undefined;
  /** A run without a watchdog, which all tests share. The body of a `describe` runs also if its tests are skipped. */
  const plain = () => (opened ??= trainedOn({ name: 'plain', without: adreno.without, limits: 'default' }));

  it('training and decoding run in small submissions with the same bits, if the adapter is known', async () => {
    const { losses, texts, submissions } = await plain();
    const cut = await trainedOn(adreno);
    expect(cut.losses).toEqual(losses);
    expect(cut.texts).toEqual(texts);
    expect(cut.submissions).toHaveLength(1); // it was never lost
    expect(cut.submissions[0]).toBeGreaterThan(2 * (submissions[0] as number));
  });

  itInFull('a run of an unknown adapter is lost, and continues in smaller submissions', async () => {
    const { losses, texts } = await plain();
    const unknown = { ...adreno, info: { vendor: 'nobody', architecture: '', device: '', description: '' } };
    const shaken = await trainedOn(unknown);
    expect(shaken.losses).toEqual(losses);
    expect(shaken.texts).toEqual(texts);
    expect(shaken.submissions.length).toBeGreaterThan(1);
    expect(shaken.said.join('\n')).toMatch(
      /The GPU device was lost \(.*watchdog.*There is a new device; training continues from the start, in smaller submissions\./,
    );
  });

  itInFull('a stricter watchdog needs more losses until submissions are short enough', async () => {
    const { losses, texts } = await plain();
    const watchdog = { limitMs: 25, gflops: 0.1, flopsPerWorkgroup: 2 ** 17 };
    for (const vendor of ['qualcomm', 'nobody']) {
      const info = { vendor, architecture: '', device: '', description: '' };
      const shaken = await trainedOn({ ...adreno, info, watchdog });
      expect(shaken.losses).toEqual(losses);
      expect(shaken.texts).toEqual(texts);
      expect(shaken.said.filter((text) => text.includes('in smaller submissions')).length).toBe(
        shaken.submissions.length - 1,
      );
    }
  });

  itInFull('a watchdog shorter than one pass ends the run with what to do', async () => {
    const watchdog = { limitMs: 1, gflops: 0.1, flopsPerWorkgroup: 2 ** 17 };
    const lost = await trainedOn({ ...adreno, watchdog }).catch((error: unknown) => error);
    expect(lost).toMatchObject({ name: 'HeddleError', kind: 'device' });
    expect(String(lost)).toMatch(/lost 3 times.*smaller model or batch.*watchdog/s);
  });

  itInFull('an adapter without info trains with the same bits', async () => {
    const { losses, texts } = await plain();
    const bare = await trainedOn(adapterShapes.find(({ name }) => name === 'bare'));
    expect(bare.losses).toEqual(losses);
    expect(bare.texts).toEqual(texts);
  });
});
