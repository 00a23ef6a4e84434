// Training on clips: from a manifest to a model that is saved, resumed and used, on the float64 references of the ops.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runJob } from '../../../../src/commands/remote/run-job.ts';
import { random } from '../../../../src/core/random.ts';
import { type TrainOptions, train } from '../../../../src/entries/heddle.ts';
import { loadSpeechModel, trainSpeechModel } from '../../../../src/entries/speech.ts';
import { writeWav } from '../../../../src/features/speech/audio/wav.ts';
import { speechMetrics } from '../../../../src/features/speech/speech-metrics.ts';
import type { SpeechSettings } from '../../../../src/features/speech/speech-settings.ts';
import { nodeHost } from '../../../../src/host/node-host.ts';
import { registerHost } from '../../../../src/session/host.ts';
import { metricValue } from '../../../../src/text/metrics/metric.ts';
import type { TrainSettings } from '../../../../src/train/settings/train-settings.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { jobs } from '../../../support/jobs.ts';

registerHost(nodeHost());

const folder = mkdtempSync(join(tmpdir(), 'heddle-clips-'));
const at = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Speech of a machine: a low or a high tone for each word, 0.06 s long, with some noise. */
function spoken(text: string, seed: number): Float32Array {
  const r = random(seed);
  const tones = text.split(' ').map((word) => (word === 'low' ? 400 : 3000));
  return Float32Array.from({ length: 960 * tones.length }, (_, i) => {
    const tone = tones[Math.floor(i / 960)] as number;
    return 0.4 * Math.sin((2 * Math.PI * tone * i) / 16000) + 0.01 * r.normal();
  });
}

const texts = ['low', 'high', 'low high', 'high low', 'low low', 'high high'];
const settings: TrainSettings & SpeechSettings = {
  preset: 'speech-tiny',
  tokenizer: 'word',
  model: {
    dModel: 8,
    heads: 2,
    encoderLayers: 1,
    decoderLayers: 1,
    feedForward: 8,
    frameWidth: 8,
    maxSource: 8,
    maxLength: 6,
  },
  batchSize: 4,
  buckets: 2,
  heldOut: 0,
  dropout: 0,
  learningRate: 0.02,
  schedule: 'constant',
  maskTimeProb: 0.2,
  maskTimeLength: 2,
  maskFeatureProb: 0.2,
  maskFeatureLength: 1,
  testSentences: 0,
  saveSeconds: 0,
};
const run = (out: string, more: TrainSettings & { resume?: boolean }, dev = true) =>
  runJob(
    jobs.train,
    {
      ...settings,
      ...more,
      out: at(out),
      corpus: {
        kind: 'files',
        train: { files: [at('data/train.tsv')] },
        dev: dev ? { files: [at('data/dev.tsv')] } : undefined,
      },
    },
    { host: 'cpu' },
  );

beforeAll(() => {
  mkdirSync(at('data/clips'), { recursive: true });
  for (const [part, first] of [
    ['train', 0],
    ['dev', 100],
  ] as const) {
    const lines = texts.map((text, i) => {
      writeFileSync(at(`data/clips/${first + i}.wav`), writeWav(spoken(text, first + i), 16000));
      return `clips/${first + i}.wav\t${text}\n`;
    });
    writeFileSync(at(`data/${part}.tsv`), lines.join(''));
  }
});

/** A metric of an evaluation; -1 if there is none. */
const errorRate = (evaluation: object | undefined, name = 'wer'): number =>
  metricValue(evaluation ?? {}, { name }) ?? -1;

it('resumes with the frames in OUT/sources.cache, or computes them again', async () => {
  const whole = await run('whole', { steps: 6, evalSteps: 3, bestMetric: 'wer' });
  expect(
    whole.dev.map((one) => speechMetrics.map((metric) => (metricValue(one, metric) ?? -1) >= 0)),
  ).toEqual([
    [true, true],
    [true, true],
  ]);
  expect(existsSync(at('whole/sources.cache'))).toBe(true);
  await run('parts', { steps: 3, evalSteps: 3, bestMetric: 'wer' });
  cpSync(at('parts'), at('damaged'), { recursive: true });
  const rest = await run('parts', { steps: 6, resume: true });
  // The references keep float64 between updates, a checkpoint f32.
  expect(rest.losses).toEqual(whole.losses.slice(3).map((loss) => expect.closeTo(loss, 5)));
  writeFileSync(at('damaged/sources.cache'), readFileSync(at('damaged/sources.cache')).subarray(0, -4));
  expect((await run('damaged', { steps: 6, resume: true })).losses).toEqual(rest.losses);
});

it('leaves out clips that cannot be read, and fails if there are no others', async () => {
  writeFileSync(at('data/bad.wav'), 'no audio');
  const corpus = { kind: 'files', train: { files: [at('data/bad.tsv')] } } as const;
  const lines = ['bad.wav\tlow', 'missing.wav\thigh', ...texts.map((text, i) => `clips/${i}.wav\t${text}`)];
  const train = (count: number) => {
    writeFileSync(at('data/bad.tsv'), lines.slice(0, count).join('\n'));
    return runJob(jobs.train, { ...settings, steps: 1, evalSteps: 0, out: '', corpus }, { host: 'cpu' });
  };
  expect((await train(8)).pairs).toBe(6);
  await expect(train(2)).rejects.toThrow(errorAbout({ area: expect.stringMatching(/\bbad\.wav$/) }));
});

it('refuses clips in the function for texts before the first step', async () => {
  const clips = texts.map((text) => ({ audio: spoken(text, 10), text }));
  const steps: number[] = [];
  const training = train(
    clips as unknown as Parameters<typeof train>[0],
    {
      ...settings,
      device: 'cpu',
      steps: 3,
      onStep: ({ step }) => steps.push(step),
    } as TrainOptions,
  );
  await expect(training).rejects.toMatchObject({
    kind: 'unsupported',
    message: expect.stringMatching(/heddle\/speech/),
  });
  expect(steps).toEqual([]);
});

it('learns words from clips of the caller, and transcribes with the saved model', async () => {
  const clips = texts.flatMap((text) => [1, 2, 3].map((seed) => ({ audio: spoken(text, 10 + seed), text })));
  const dev = texts.map((text) => ({ audio: spoken(text, 99), text }));
  const model = await trainSpeechModel(clips, {
    ...settings,
    dev,
    device: 'cpu',
    steps: 90,
    evalSteps: 90,
    maskTimeProb: 0,
    maskFeatureProb: 0,
  });
  expect(model.training?.losses.at(-1)).toBeLessThan(0.5 * (model.training?.losses[0] ?? 0));
  expect(errorRate(model.training?.dev.at(-1))).toBeLessThanOrEqual(0.2);
  await model.save(at('saved'));
  const loaded = await loadSpeechModel(at('saved'), { device: 'cpu' });
  const same = async (text: string) => (await loaded.transcribe(spoken(text, 99))).text === text;
  const right = await Promise.all(texts.map(same));
  expect(right.filter(Boolean).length).toBeGreaterThanOrEqual(4);
  const pairs = { files: [at('data/dev.tsv')] };
  const report = await runJob(jobs.evaluate, { folder: at('saved'), pairs, resamples: 0 }, { host: 'cpu' });
  expect([report.pairs, errorRate(report)]).toEqual([
    6,
    expect.closeTo(errorRate(model.training?.dev.at(-1)), 1),
  ]);
});

it('trains a model of images of lines on the built-in task', async () => {
  const corpus = { kind: 'task', task: 'read-line', pairs: 60, seed: 1 } as const;
  const model = { dModel: 8, heads: 2, encoderLayers: 1, feedForward: 8 };
  const small = {
    model,
    batchSize: 8,
    heldOut: 0.1,
    steps: 15,
    evalSteps: 15,
    learningRate: 0.02,
    schedule: 'constant' as const,
    devSentences: 4,
    testSentences: 4,
  };
  const { losses, dev, evaluation, config } = await runJob(
    jobs.train,
    { ...small, corpus, out: '' },
    { host: 'cpu' },
  );
  expect([config.stem, config.frameWidth]).toEqual(['linear', 256]);
  expect(losses.at(-1)).toBeLessThan(losses[0] as number);
  expect([dev.at(-1), evaluation].every((one) => errorRate(one, 'cer') > 0)).toBe(true);
});
