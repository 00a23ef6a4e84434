// A sample of each Hugging Face family, exported to ONNX, generates heddle's greedy token ids in transformers.js. The
// samples have no tokenizers: here each id is a character.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { here, installTransformers } from '../../../bench/decode/install-transformers.mjs';
import { random } from '../../../src/core/random.ts';
import { createTranslator } from '../../../src/decode/translator.ts';
import { cpuEngine } from '../../../src/engine/engine.ts';
import { writeFolder } from '../../../src/files/files.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { onnxFiles } from '../../../src/formats/onnx/save-onnx.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { createCharacterTokenizer } from '../../../src/text/tokenizers/character-tokenizer.ts';

vi.setConfig({ testTimeout: 120_000 });
const scratch = mkdtempSync(join(tmpdir(), 'heddle-onnx-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const fixtures = ['bart', 'marian', 'marian-two-vocabularies'].map((name) => `tests/fixtures/hf/${name}`);
const golden = ['m2m100', 'mbart50', 'pegasus', 't5-v1.0', 't5-v1.1-gated-gelu'].map(
  (name) => `../shared/golden-hf/${name}`,
);

describe.runIf(installTransformers() === undefined)('in transformers.js (needs npm packages)', () => {
  it.each([...fixtures, ...golden].filter((folder) => existsSync(folder)))('%s', async (folder) => {
    const loaded = await loadModelFolder(nodeFiles(), folder);
    const {
      config,
      source: { special },
    } = loaded;
    const specials = [special.pad, special.start, special.end, special.unknown];
    const character = (id: number) => (specials.includes(id) ? '_' : String.fromCodePoint(0x4e00 + id));
    const side = (size: number) =>
      createCharacterTokenizer({
        characters: Array.from({ length: size }, (_, id) => character(id)).join(''),
        size,
        special,
      });
    const source = side(config.srcVocab);
    const saved = { ...loaded, source, target: config.srcVocab === config.tgtVocab ? source : side(config.tgtVocab) };
    const out = join(scratch, folder.replace(/.*\//, ''));
    await writeFolder(nodeFiles(), out, onnxFiles(saved));

    const r = random(5);
    const ids = Array.from({ length: config.srcVocab }, (_, id) => id).filter((id) => !specials.includes(id));
    const texts = Array.from({ length: 12 }, () =>
      Array.from({ length: 1 + r.int(6) }, () => character(r.pick(ids))).join(''),
    );
    const input = JSON.stringify({ texts, batchSize: 4 });
    const { stdout, stderr } = spawnSync(process.execPath, [join(here, 'transformers-node.mjs'), out], {
      input,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const theirs: { ids: number[] }[] = JSON.parse(stdout.trim().split('\n').at(-1)!);
    const ours = await (await createTranslator(cpuEngine(), saved, { batch: 4 })).generate(texts, {
      maxNewTokens: Math.min(256, config.maxLength), // the script stops there
    });
    const generated = theirs.map(({ ids: all }) => {
      const end = all.indexOf(config.endId, 1);
      return end < 0 ? all.slice(1) : all.slice(1, end);
    });
    expect(generated).toEqual(ours.map(([best]) => best!.ids.filter((id) => id !== config.endId)));
    expect(new Set(generated.map(String)).size).toBeGreaterThan(2);
  });
});
