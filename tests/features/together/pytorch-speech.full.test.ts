// torch-run of trainings on clips: PyTorch continues them with the losses of heddle.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { random } from '../../../src/core/random.ts';
import { writeWav } from '../../../src/features/speech/audio/wav.ts';
import type { CorpusArguments } from '../../../src/train/data/corpus-arguments.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import type { TrainSettings } from '../../../src/train/settings/train-settings.ts';
import { hasTorch, python } from '../../support/python.ts';
import {
  smallRun,
  stepsOf,
  threeParts,
  torchrun,
  toTorchRun,
  train,
} from '../pytorch/torch-run/torch-run-support.ts';

vi.setConfig({ testTimeout: 900_000 });
const scratch = mkdtempSync(join(tmpdir(), 'heddle-torch-clips-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);
let runs = 0;

describe.runIf(hasTorch)('torch-run on clips (needs python3-torch)', () => {
  const manifest = at('clips.tsv');
  beforeAll(() => {
    const lines = Array.from({ length: 12 }, (_, i) => {
      const noise = random(i);
      const samples = Float32Array.from(
        { length: 4000 + 517 * i },
        (_, t) => 0.3 * Math.sin(t * 0.05 * (1 + (i % 3))) + 0.02 * noise.normal(),
      );
      writeFileSync(at(`${i}.wav`), writeWav(samples, 16000));
      return `${i}.wav\t${'low middle high'.split(' ')[i % 3]} ${i % 2 ? 'on' : 'off'}\n`;
    });
    writeFileSync(manifest, lines.join(''));
  });
  const clips = { kind: 'files', train: { files: [manifest] } } as CorpusArguments;
  const common = { ...smallRun, vocabSize: undefined, corpus: clips, heldOut: 0, batchSize: 4 };
  const sizes = { dModel: 8, heads: 2, feedForward: 8, encoderLayers: 2, decoderLayers: 1, frameWidth: 8 };
  const preset = { preset: 'speech-tiny', tokenizer: 'word', model: { ...sizes, maxLength: 8 } } as const;

  it.each([
    ['a conv stem', preset, [] as string[]],
    ['a conv stem, shards and smaller batches', preset, ['--fsdp', '--micro-batch', '2']],
    ['no stem', { ...preset, model: { ...preset.model, stem: 'none', positions: 'none' } }, []],
  ] as const)('%s', async (name, settings, options) => {
    const given = { ...common, ...settings } as TrainArguments;
    const found = await threeParts(at(`clips-${runs++}`), given, [10, 20, 25], { options });
    console.log(`| ${name} | ${found.difference.toExponential(1)} |`);
    expect(found.difference).toBeLessThan(1e-4);
  });

  it('masks spans of frames and of bands', async () => {
    const masks = { maskTimeProb: 0.3, maskTimeLength: 4, maskFeatureProb: 0.3, maskFeatureLength: 2 };
    await train({ ...common, ...preset, ...masks, steps: 2, out: at('masks') } as TrainArguments);
    await toTorchRun(at('masks'), at('masks-torch'), { steps: 6 });
    expect((await torchrun(at('masks-torch'), 2))[0]).toBe(0);
    expect(stepsOf(at('masks-torch')).every(({ loss }) => Number.isFinite(loss))).toBe(true);
    const script = `
import sys, torch
sys.path.insert(0, sys.argv[1])
data = getattr(__import__("continue"), "Data")(sys.argv[1], __import__("checkpoint").read_json(sys.argv[1] + "/torch-run.json"))
a, b, c = (data.batch([0, 1, 2], epoch)[0] for epoch in (0, 0, 1))
print(bool((a == b).all()), bool((a == c).all()), round((a[2, :50] == 0).float().mean().item(), 1))`;
    const { stdout } = spawnSync(python, ['-B', '-c', script, at('masks-torch')], { encoding: 'utf8' });
    expect(stdout.trim()).toMatch(/^True False 0\.[3-6]$/);
  });

  const whisper = '../shared/golden-whisper/multilingual';
  it.skipIf(!existsSync(whisper))('Whisper, whole and with a LoRA adapter on int8', async () => {
    for (const more of [{}, { lora: { rank: 2 }, weights: 'int8' }] as const) {
      const given = {
        ...smallRun,
        ...more,
        init: whisper,
        corpus: clips,
        heldOut: 0,
        batchSize: 4,
        learningRate: 1e-3,
      };
      for (const name of ['model', 'vocabSize'] as const) delete (given as TrainSettings)[name];
      const { difference } = await threeParts(at(`whisper-${runs++}`), given as TrainArguments, [3, 6, 7]);
      console.log(`| Whisper | ${difference.toExponential(1)} |`);
      expect(difference).toBeLessThan(1e-3);
    }
  });
});
