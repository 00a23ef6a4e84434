// Trainings on clips by the library, on the GPU.

import { afterAll, expect, it } from 'vitest';
import { type SpeechModel, trainSpeechModel } from '../../../src/entries/speech.ts';
import type { TrainOptions } from '../../../src/entries/train-with-features.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { registerHost } from '../../../src/session/host.ts';
import { gpuDevice, testGpu } from '../../support/gpu.ts';

const files = memoryFiles();
registerHost({ gpu: testGpu, files, modelPath: (name) => name });

const open: SpeechModel[] = [];
afterAll(() => {
  for (const model of open) model.dispose();
});
const weightsOf = (model: SpeechModel) => Object.values(model.weights()).flatMap(({ data }) => [...data]);

it('resumes a training on clips in the same bits, masks included', async () => {
  const tone = (text: string) =>
    Float32Array.from({ length: 1200 + 400 * text.length }, (_, i) => Math.sin(i * (0.1 + text.length / 9)));
  const clips = ['a', 'bcd', 'a bcd', 'bcd a'].map((text) => ({ audio: tone(text), text }));
  const sizes = { dModel: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 8 };
  const run = async (more: TrainOptions<SpeechModel>) => {
    const model = await trainSpeechModel(clips, {
      device: await gpuDevice(),
      tokenizer: 'word',
      vocabSize: 60,
      buckets: 1,
      learningRate: 2e-2,
      schedule: 'constant',
      dropout: 0.1,
      heldOut: 0,
      seed: 3,
      tune: false,
      preset: 'speech-tiny',
      model: { ...sizes, frameWidth: 8, maxSource: 12, maxLength: 4 },
      batchSize: 2,
      steps: 4,
      maskTimeProb: 0.2,
      maskTimeLength: 2,
      maskFeatureProb: 0.1,
      ...more,
    });
    open.push(model);
    return model;
  };
  const whole = await run({});
  await run({ steps: 2, checkpoint: 'clips' });
  const rest = await run({ checkpoint: 'clips', resume: true });
  expect(rest.training!.losses).toEqual(whole.training!.losses.slice(2));
  expect(weightsOf(rest)).toEqual(weightsOf(whole));
  expect((await whole.transcribe(tone('a'))).text).toBe((await rest.transcribe(tone('a'))).text);
});
