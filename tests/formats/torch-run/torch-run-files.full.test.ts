// All optimizers, schedules and model options, and a model of each family: some updates in heddle, some in PyTorch, and
// some in heddle again have the losses of an uninterrupted run. Without Debian's python3-torch nothing of it is covered.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import type { TrainSettings } from '../../../src/train/settings.ts';
import { optimizerNames } from '../../../src/trainer/optimizer-config.ts';
import { scheduleNames } from '../../../src/trainer/schedule.ts';
import { hasTorch, type Parts, smallRun, threeParts, writeIdPairs } from '../../support/torch-run.ts';

vi.setConfig({ testTimeout: 300_000 });
const scratch = mkdtempSync(join(tmpdir(), 'heddle-torch-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let runs = 0;

const parts: Parts = [4, 8, 10];

async function difference(settings: TrainSettings, corpus = smallRun.corpus): Promise<number> {
  const given = { ...smallRun, ...settings, model: { ...smallRun.model, ...settings.model }, corpus };
  if (settings.init) for (const name of ['model', 'vocabSize'] as const) delete (given as TrainSettings)[name];
  return (await threeParts(join(scratch, `${runs++}`), given, parts)).difference;
}

describe.runIf(hasTorch)('in PyTorch (needs python3-torch)', () => {
  it.each(optimizerNames)('optimizer %s', async (optimizer) => {
    const decay = optimizer === 'rmsprop' ? {} : { weightDecay: 0.05 };
    const found = await difference({ optimizer, learningRate: 0.01, emaDecay: 0.8, schedule: 'constant', ...decay });
    console.log(`| ${optimizer} | ${found.toExponential(1)} |`);
    expect(found).toBeLessThan(1e-3);
  });

  it.each(scheduleNames)('schedule %s', async (schedule) => {
    const found = await difference({ schedule, warmupSteps: 5, learningRate: schedule === 'noam' ? 1 : 0.01 });
    console.log(`| ${schedule} | ${found.toExponential(1)} |`);
    expect(found).toBeLessThan(1e-3);
  });

  const models: Record<string, TrainSettings> = {
    'preset tiny': { preset: 'tiny' },
    'preset keras': { preset: 'keras', dropout: { output: 0 }, model: { headWidth: 6 } },
    'preset t5-tiny': { preset: 't5-tiny', model: { tie: 'all' } },
    'post-norm, two layers': { norm: 'post', model: { encoderLayers: 2, decoderLayers: 2 } },
    'pre-norm, gelu, tied': {
      norm: 'pre',
      model: { activation: 'gelu', tie: 'all', positions: 'sinusoidal-halves', dModel: 9, heads: 3 },
    },
    'learned positions, embedding norm': {
      model: {
        ...{ positions: 'learned', positionOffset: 2, embeddingNorm: true, finalNorm: false, tie: 'target' },
        ...{ activation: 'silu', scaleEmbedding: false, outputBias: false, trainPositions: false },
      },
    },
    'as T5': {
      norm: 'pre',
      model: {
        ...{ normType: 'rms', positions: 'relative', relativeBuckets: 8, relativeMaxDistance: 20, tie: 'all' },
        ...{
          attentionScale: false,
          biases: false,
          scaleEmbedding: false,
          outputBias: false,
          headWidth: 5,
          scaleOutput: true,
        },
      },
    },
    'as M2M100': {
      norm: 'pre',
      model: { positions: 'fairseq-sinusoidal', tie: 'all', outputBias: false, trainPadding: false },
    },
    'without positions, gated': { model: { positions: 'none', feedForwardType: 'gated', activation: 'gelu-tanh' } },
    'stacks that differ': {
      model: {
        heads: 2,
        headWidth: 5,
        decoderHeads: 4,
        decoderFeedForward: 8,
        encoderLayers: 2,
        trainOutputBias: false,
      },
    },
    'frozen parts': { freeze: ['encoder.*', '*.multihead_attn.kv_proj.*', 'tgt_embed.*'] },
  };

  it.each(Object.entries(models))('%s', async (name, settings) => {
    const found = await difference(settings);
    console.log(`| ${name} | ${found.toExponential(1)} |`);
    expect(found).toBeLessThan(1e-3);
  });

  const fixtures = ['bart', 'bart-pre-norm', 'marian', 'marian-untied', 'marian-two-vocabularies', 'marian-uneven'].map(
    (name) => `tests/fixtures/hf/${name}`,
  );
  const golden = ['m2m100', 'mbart50', 'pegasus', 't5-v1.0', 't5-v1.1-gated-gelu'].map(
    (name) => `../shared/golden-hf/${name}`,
  );

  it.each([...fixtures, ...golden].filter((folder) => existsSync(folder)))('%s', async (init) => {
    const { config } = await loadModelFolder(nodeFiles(), init);
    const path = writeIdPairs(join(scratch, `${runs}.tsv`), config);
    const corpus = { kind: 'files', train: { files: [path], format: 'tsv' } } as const;
    const found = await difference({ init, dropout: 0, schedule: 'constant' }, corpus);
    console.log(`| ${init.replace(/.*\//, '')} | ${found.toExponential(1)} |`);
    expect(found).toBeLessThan(1e-3);
  });
});
