// The golden cases of Hugging Face's families, in ../shared and in tests/fixtures (odd configurations;
// make.py makes more): what they compute on the CPU, and that an export has the same tensors, bits and
// configuration.

import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { verify } from '../../../../src/commands/golden-kinds.ts';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import { memoryFiles } from '../../../../src/files/memory-files.ts';
import { writeFolder } from '../../../../src/files/owned-folder.ts';
import { readSafetensorsHeader } from '../../../../src/files/safetensors.ts';
import { hfFiles } from '../../../../src/formats/hf/save-hf.ts';
import { loadModelFolder } from '../../../../src/formats/model-folder.ts';
import { heddleFiles } from '../../../../src/formats/save-heddle.ts';
import type { HfType } from '../../../../src/formats/shared/hf-types.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { fixtureFiles } from '../../../support/golden.ts';
import { EngineSession } from '../../../support/session.ts';

const shared: Record<string, HfType> = {
  m2m100: 'm2m_100',
  mbart50: 'mbart',
  pegasus: 'pegasus',
  't5-v1.0': 't5',
  't5-v1.1-gated-gelu': 't5',
};
const fixtures: Record<string, HfType> = {
  m2m_100: 'm2m_100',
  mbart: 'mbart',
  mt5: 'mt5',
  pegasus: 'pegasus',
  't5-v1.0': 't5',
  't5-v1.1': 't5',
};
const foldersIn = (root: string, types: Record<string, HfType>) =>
  existsSync(root) ? Object.entries(types).map(([name, type]) => [`${root}/${name}`, type] as const) : [];

describe.each([
  ...foldersIn('../shared/golden-hf', shared),
  ...foldersIn('tests/fixtures/golden-hf', fixtures),
])('%s', (folder, type) => {
  it('has the logits, gradients, losses and ids of its reference', async () => {
    const session = new EngineSession(fixtureFiles, async () => cpuEngine());
    const [result] = await verify({ folders: [folder] }, session);
    expect(result?.compared.map(({ quantity }) => quantity)).toEqual(
      expect.arrayContaining(['logits', 'loss', 'grad_norm', 'losses[6]', 'greedy']),
    );
    // float64 against float64 with results in float32.
    expect(result?.compared.filter(({ error }) => !(error <= 1e-6))).toEqual([]);
  });

  it('is verified with int8 weights too', async () => {
    const session = new EngineSession(fixtureFiles, async () => cpuEngine());
    const [result] = await verify({ folders: [folder], weights: 'int8' }, session);
    expect(result?.compared).toMatchObject([{ quantity: 'logits as int8 of f32', passed: true }]);
  });

  it('is exported with the same tensors, bits and configuration, also through a heddle folder', async () => {
    const model = await loadModelFolder(nodeFiles(), folder);
    const memory = memoryFiles();
    await writeFolder(memory, 'own', heddleFiles(model));
    for (const from of [model, await loadModelFolder(memory, 'own')]) {
      const files = hfFiles(from, type);
      for (const file of ['config.json', 'generation_config.json'])
        expect(files[file], file).toEqual(
          existsSync(`${folder}/${file}`) ? await nodeFiles().read(`${folder}/${file}`) : undefined,
        );
      const tensors = (bytes: Uint8Array) => {
        const { entries, base } = readSafetensorsHeader(bytes, bytes.length);
        return Object.entries(entries)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(
            ([
              key,
              {
                dtype,
                shape,
                data_offsets: [start, end],
              },
            ]) => [
              ...[key, dtype, shape],
              Buffer.from(bytes.subarray(base + start, base + end)).toString('base64'),
            ],
          );
      };
      expect(tensors(files['model.safetensors']!)).toEqual(
        tensors(await nodeFiles().read(`${folder}/model.safetensors`)),
      );
    }
  });
});
