// A tiny training run for tests of jobs, and a GPU whose devices a test can lose.

import type { GuestOptions } from '../../src/features/guest-types.ts';
import type { TrainArguments } from '../../src/train/settings/train-arguments.ts';

/** Arguments of a run, with the settings of guests. */
export type AllArguments = TrainArguments & GuestOptions;

const words = ['one uno', 'two dos', 'six seis', 'ten diez', 'red rojo', 'sun sol'].map((pair) =>
  pair.split(' '),
);

/** 96 pairs of up to three words, as TSV. */
export const tinyCorpus = Array.from({ length: 96 }, (_, i) => {
  const picked = [i % 6, Math.floor(i / 6) % 6, (i * 5) % 4]
    .slice(0, 1 + (i % 3))
    .map((k) => words[k] as string[]);
  return `${picked.map((w) => w[0]).join(' ')} ${'x'.repeat(1 + (i % 5))}\t${picked.map((w) => w[1]).join(' ')}.`;
}).join('\n');

/** Sizes of the model of `tinyTraining`. */
export const tinySizes = {
  dModel: 8,
  heads: 2,
  encoderLayers: 1,
  decoderLayers: 1,
  feedForward: 16,
  maxLength: 16,
};

/** Arguments of a training run on `pairs.tsv`, with overrides. */
export const tinyTraining = (fields: Partial<AllArguments> = {}): AllArguments => ({
  corpus: { kind: 'tsv', path: 'pairs.tsv' },
  heldOut: 0.1,
  preset: 'tiny',
  model: { ...tinySizes, dropout: 0.1 },
  tokenizer: 'word',
  vocabSize: 60,
  steps: 12,
  batchSize: 8,
  buckets: 1,
  optimizer: 'adamw',
  schedule: 'constant',
  learningRate: 1e-2,
  seed: 3,
  init: 'xavier',
  evalSteps: 0,
  devSentences: 0,
  bestMetric: 'loss',
  patience: 0,
  testSentences: 0,
  out: '',
  saveSteps: 0,
  noFuse: [],
  ...fields,
});

/** Settings that the model folder of `init` determines; they must be left out for fine-tuning. */
export function fineTuning(fields: Partial<TrainArguments>): TrainArguments {
  const { preset: _, tokenizer: __, vocabSize: ___, ...rest } = tinyTraining({ model: {}, ...fields });
  return rest;
}

/**
 * A GPU that keeps its last device, so that a test can destroy it as a driver would. `onShader` receives the
 * entry points of the pipelines that are created, as `matmul.matmul`.
 */
export function fragileGpu(
  gpu: GPU,
  onShader?: (name: string) => void,
): { readonly gpu: GPU; lose(): void; readonly devices: number } {
  const devices: GPUDevice[] = [];
  const withOverrides = <T extends object>(target: T, more: Record<string, unknown>): T =>
    new Proxy(target, {
      get(_, key) {
        if (typeof key === 'string' && key in more) return more[key];
        const value = Reflect.get(target, key, target) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  return {
    gpu: withOverrides(gpu, {
      async requestAdapter(options?: GPURequestAdapterOptions) {
        const adapter = await gpu.requestAdapter(options);
        return (
          adapter &&
          withOverrides(adapter, {
            async requestDevice(descriptor?: GPUDeviceDescriptor) {
              const device = await adapter.requestDevice(descriptor);
              devices.push(device);
              if (!onShader) return device;
              const createComputePipelineAsync = (made: GPUComputePipelineDescriptor) => {
                onShader(made.label ?? '');
                return device.createComputePipelineAsync(made);
              };
              return withOverrides(device, { createComputePipelineAsync });
            },
          })
        );
      },
    }),
    lose: () => devices.at(-1)?.destroy(),
    get devices() {
      return devices.length;
    },
  };
}
