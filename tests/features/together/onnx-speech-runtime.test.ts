// Whisper as ONNX graphs in onnxruntime for Python: the logits of golden cases. Without Debian's python3-onnx and
// python3-onnxruntime, or without ../shared, the tests are skipped by name.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onnxFiles } from '../../../src/features/onnx/export/save-onnx.ts';
import { writeFolder } from '../../../src/files/owned-folder.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { scratch } from '../../support/cli.ts';
import { loadModelFolder } from '../../support/load-folder.ts';
import { hasOnnx } from '../../support/onnx.ts';

const cases = resolve('../shared/golden-whisper');
const names = ['multilingual', 'english-short-clip', 'timestamps'];

describe.skipIf(!hasOnnx || !existsSync(cases))(
  'Whisper in onnxruntime (python3-onnxruntime, ../shared)',
  () => {
    it.each(names)('has the logits of %s, at once and token by token', async (name) => {
      const files = nodeFiles();
      const out = join(scratch(), name);
      await writeFolder(files, out, onnxFiles(await loadModelFolder(files, join(cases, name))));
      const script = resolve('tests/features/together/onnx-speech-logits.py');
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
