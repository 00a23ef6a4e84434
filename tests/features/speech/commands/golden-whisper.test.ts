// The golden cases of Whisper in ../shared on the CPU, from samples to gradients and ids, and their export with the
// same bits.

import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { verify } from '../../../../src/commands/golden-kinds.ts';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import { features } from '../../../../src/features/features.ts';
import { whisper } from '../../../../src/features/speech/whisper-config.ts';
import { memoryFiles } from '../../../../src/files/memory-files.ts';
import { writeFolder } from '../../../../src/files/owned-folder.ts';
import { readSafetensors } from '../../../../src/files/safetensors.ts';
import { hfFiles } from '../../../../src/formats/hf/save-hf.ts';
import { loadModelFolder } from '../../../../src/formats/model-folder.ts';
import { heddleFiles } from '../../../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { EngineSession } from '../../../support/session.ts';

const root = '../shared/golden-whisper';

describe.skipIf(!existsSync(root))('golden cases of Whisper (../shared/golden-whisper)', () => {
  it.each(['multilingual', 'english-short-clip', 'timestamps'])(
    '%s is what the reference computes',
    async (name) => {
      const session = new EngineSession(nodeFiles(), async () => cpuEngine());
      const [result] = await verify({ folders: [`${root}/${name}`] }, session);
      expect(result?.compared.map(({ quantity }) => quantity)).toEqual(
        expect.arrayContaining([
          'features',
          'encoder_stem',
          'logits',
          'loss',
          'losses[6]',
          'prompt',
          'greedy',
        ]),
      );
      expect(result?.compared.filter(({ error }) => !(error <= 1e-6))).toEqual([]);
    },
  );

  it.each(['multilingual', 'english-short-clip', 'timestamps'])(
    '%s is exported with the same bits',
    async (name) => {
      const folder = `${root}/${name}`;
      const model = await loadModelFolder(nodeFiles(), folder, features);
      const files = memoryFiles();
      await writeFolder(files, 'own', heddleFiles(model));
      const again = await loadModelFolder(files, 'own', features);
      expect(again.sourceFacts).toEqual(model.sourceFacts);
      const exported = hfFiles(again, 'whisper', undefined, whisper);
      expect(Object.keys(exported)).toEqual(
        expect.arrayContaining(['preprocessor_config.json', 'tokenizer.json']),
      );
      for (const [file, bytes] of Object.entries(exported)) {
        const given = await nodeFiles().read(`${folder}/${file}`);
        if (file === 'model.safetensors')
          expect(readSafetensors(bytes, file)).toEqual(readSafetensors(given, file));
        else expect(Buffer.from(bytes).equals(Buffer.from(given)), file).toBe(true);
      }
    },
  );
});
