// All golden cases on the engine of onnxruntime-web: losses, gradients and ids.

import { existsSync, readdirSync } from 'node:fs';
import * as ort from 'onnxruntime-web';
import { expect, it } from 'vitest';
import { verify } from '../../../../src/commands/golden-kinds.ts';
import { onnxEngine } from '../../../../src/features/onnx/onnx-engine.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { EngineSession } from '../../../support/session.ts';

const foldersIn = (root: string): string[] =>
  existsSync(root)
    ? readdirSync(root, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => `${root}/${entry.name}`)
    : [];

const folders = [
  'tests/fixtures/golden',
  'tests/fixtures/golden-hf',
  '../shared/golden',
  '../shared/golden-hf',
  '../shared/golden-marian',
  '../shared/golden-whisper',
].flatMap(foldersIn);

it.each(folders)('%s has its expected results', async (folder) => {
  const session = new EngineSession(nodeFiles(), async () => onnxEngine(ort));
  const [result] = await verify({ folders: [folder] }, session);
  const failed = result?.compared.filter(({ passed }) => !passed) ?? [];
  expect(failed.map(({ quantity, error }) => `${quantity} ${error}`)).toEqual([]);
  expect(result?.compared.length).toBeGreaterThan(1);
});
