// PyTorch's format: a script builds an nn.Transformer, loads the state_dict strictly and gets the same
// logits. Without python3, torch and safetensors the test is skipped by name.
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { pytorchFiles } from '../../../src/features/pytorch/pytorch.ts';
import { writeFolder } from '../../../src/files/owned-folder.ts';
import { readSafetensors } from '../../../src/files/safetensors.ts';
import { writeSafetensors } from '../../../src/files/write-safetensors.ts';
import type { SavedModel } from '../../../src/formats/shared/saved-model.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { initializeWeights } from '../../../src/model/initialize-weights.ts';
import { type ModelOptions, modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { writePositions } from '../../../src/model/positions.ts';
import { createIdTokenizer } from '../../../src/text/tokenizers/character-tokenizer.ts';
import { evaluationGraph } from '../../../src/train/update/training-graphs.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { hfFolder } from '../../support/hf.ts';
import { loadModelFolder } from '../../support/load-folder.ts';

const python = '/usr/bin/python3';
const hasTorch =
  spawnSync(python, ['-c', 'import torch, safetensors.torch'], { stdio: 'ignore' }).status === 0;

const files = nodeFiles();
const folder = mkdtempSync(join(tmpdir(), 'heddle-pytorch-'));
afterAll(() => rmSync(folder, { recursive: true }));

const src = [5, 9, 4, 7, 2];
const tgt = [1, 6, 3, 8];

async function ownLogits({ config: c, weights }: SavedModel): Promise<Float32Array> {
  const engine = cpuEngine();
  const shape = { batch: 1, source: src.length, target: tgt.length };
  const [program] = await engine.prepare([evaluationGraph(c, parameterList(c), shape, { logits: true })]);
  engine.write('weights', weights);
  writePositions(engine, c);
  const { inputs } = program!;
  inputs.src?.set(src);
  inputs.tgtIn?.set(tgt);
  inputs.tgtOut?.fill(c.endId);
  inputs.srcLens?.fill(src.length);
  inputs.tgtLens?.fill(tgt.length);
  return (await program!.run()).logits as Float32Array;
}

function model(options: Partial<ModelOptions>): SavedModel {
  const sizes = { dModel: 12, heads: 3, feedForward: 20, encoderLayers: 2, decoderLayers: 1, maxLength: 8 };
  const config = modelConfig({ srcVocab: 14, tgtVocab: 14, ...sizes, ...options });
  const side = createIdTokenizer(14, { pad: 0, start: 1, end: 2, unknown: 3 });
  return { config, source: side, target: side, weights: initializeWeights(config, parameterList(config), 4) };
}

/** Logits of the modules that are built from folders, each [T, V] flat. */
function pytorchLogits(folders: readonly string[]): Promise<number[][]> {
  const script = join(import.meta.dirname, 'nn_transformer.py');
  return new Promise((resolve, reject) =>
    execFile(python, [script, src.join(), tgt.join(), ...folders], { maxBuffer: 2 ** 26 }, (error, out) =>
      error ? reject(error) : resolve(JSON.parse(out)),
    ),
  );
}

it.skipIf(!hasTorch)(
  'an nn.Transformer with the state_dict has the same logits (needs python3-torch and python3-safetensors)',
  async () => {
    const models = [
      model({}),
      model({ norm: 'pre', tie: 'all', activation: 'gelu', outputBias: false }),
      model({
        finalNorm: false,
        positions: 'learned',
        embeddingNorm: true,
        tie: 'target',
        activation: 'silu',
      }),
      model({ decoderHeads: 4, decoderFeedForward: 9 }),
      await loadModelFolder(await hfFolder('marian'), 'marian'),
    ];
    const folders = models.map((_, i) => join(folder, `model-${i}`));
    for (const [i, saved] of models.entries()) await writeFolder(files, folders[i]!, pytorchFiles(saved));
    const others = await pytorchLogits(folders);
    for (const [m, saved] of models.entries()) {
      const own = await ownLogits(saved);
      expect(others[m]).toHaveLength(own.length);
      // Both compute in float64; here results are stored as float32, whose last place is worth 2e-6 below 32.
      for (const [i, x] of own.entries()) expect(Math.abs(x - others[m]![i]!)).toBeLessThan(4e-6);
    }
  },
  300_000,
);

it('loads a state_dict that has tied tensors under each of their names, and a config.json without format', async () => {
  const saved = model({ tie: 'target' });
  const parts = pytorchFiles(saved);
  const tensors = readSafetensors(parts['model.safetensors']!);
  const { format: _, ...fields } = JSON.parse(new TextDecoder().decode(parts['config.json']));
  const write = (generator: string) =>
    writeFolder(files, join(folder, 'tied'), {
      'config.json': new TextEncoder().encode(JSON.stringify(fields)),
      'model.safetensors': writeSafetensors({ ...tensors, 'generator.weight': tensors[generator]! }),
    });
  await write('tgt_embed.weight');
  const back = await loadModelFolder(files, join(folder, 'tied'));
  expect(back.weights).toEqual(saved.weights);
  await write('src_embed.weight');
  await expect(loadModelFolder(files, join(folder, 'tied'))).rejects.toThrow(
    errorAbout({ values: ['generator.weight', 'tgt_embed.weight', 'target'] }),
  );
});
