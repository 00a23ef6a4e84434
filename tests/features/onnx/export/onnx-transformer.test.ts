// Texts up to and past the last position in onnxruntime-web; and
// Whisper as ONNX graphs: onnx.checker accepts them, and onnxruntime gives the logits of golden cases. Without Debian's
// python3-onnx and python3-onnxruntime, or without ../shared, the tests are skipped by name.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as ort from 'onnxruntime-web';
import { afterAll, describe, expect, it } from 'vitest';
import { onnxFiles } from '../../../../src/features/onnx/export/save-onnx.ts';
import { writeFolder } from '../../../../src/files/owned-folder.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import type { ModelOptions } from '../../../../src/model/model-config.ts';
import { loadModelFolder } from '../../../support/load-folder.ts';
import { hasOnnx } from '../../../support/onnx.ts';
import { letterModel } from '../../../support/saved-model.ts';

const cases = resolve('../shared/golden-whisper');
const names = ['multilingual', 'english-short-clip', 'timestamps'];
const folder = mkdtempSync(join(tmpdir(), 'heddle-onnx-whisper-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!hasOnnx || !existsSync(cases))(
  'Whisper in onnxruntime (python3-onnxruntime, ../shared)',
  () => {
    it.each(names)('has the logits of %s, at once and token by token', async (name) => {
      const files = nodeFiles();
      const out = join(folder, name);
      await writeFolder(files, out, onnxFiles(await loadModelFolder(files, join(cases, name))));
      const script = resolve('tests/features/onnx/export/whisper_logits.py');
      const { stdout, stderr, status } = spawnSync('/usr/bin/python3', [script, out, join(cases, name)], {
        encoding: 'utf8',
      });
      expect(status === 0 ? '' : stderr).toBe('');
      const { whole, steps } = JSON.parse(stdout);
      expect(whole).toBeLessThan(1e-4);
      expect(steps).toBeLessThan(1e-4);
      const written = readdirSync(out);
      for (const file of ['tokenizer.json', 'preprocessor_config.json', 'generation_config.json'])
        expect(written).toContain(file);
    });
  },
);

const positions: Readonly<Record<string, Partial<ModelOptions>>> = {
  'learned, as in BART': { positions: 'learned', positionOffset: 2 },
  'sinusoidal, as in MarianMT': { positions: 'sinusoidal-halves' },
  'fairseq-sinusoidal, as in M2M100': { positions: 'fairseq-sinusoidal' },
};

/** The ids of a text, and its mask, as inputs of an encoder. */
function textOf(length: number): Record<string, ort.Tensor> {
  const tensor = (value: bigint) =>
    new ort.Tensor('int64', new BigInt64Array(length).fill(value), [1, length]);
  return { input_ids: tensor(4n), attention_mask: tensor(1n) };
}

describe('a text longer than the last position', () => {
  it.each(Object.entries(positions))('of positions %s', async (kind, options) => {
    const saved = letterModel(1, options);
    const { maxLength } = saved.config;
    const model = onnxFiles(saved)['onnx/encoder_model.onnx'] as Uint8Array;
    const session = await ort.InferenceSession.create(model, { logSeverityLevel: 4 });
    const { last_hidden_state: states } = await session.run(textOf(maxLength));
    expect(states?.dims).toEqual([1, maxLength, saved.config.dModel]);
    // transformers computes more positions for M2M100; for others it has an error too.
    const longer = session.run(textOf(maxLength + 1));
    if (options.positions === 'fairseq-sinusoidal') await longer;
    else await expect(longer, kind).rejects.toThrow();
    await session.release();
  });
});
