// A small part of save-marian.full.test.ts: files that heddle writes give the same translations in Marian's own engine.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { random } from '../../../src/core/random.ts';
import { loadModel } from '../../../src/index.node.ts';
import { scratch } from '../../support/cli.ts';

const shared = '../shared/golden-marian';
const engine = ['node_modules', 'bench/decode/node_modules']
  .map((folder) => `${folder}/@browsermt/bergamot-translator`)
  .find((folder) => existsSync(folder));

it.skipIf(!existsSync(shared) || !engine).each([1, 4])(
  'model.bin of heddle translates in the engine of Firefox as in heddle, beams %i (needs ../shared and the packages of bench/decode)',
  async (beams) => {
    const model = await loadModel(`${shared}/ssru-tied`, { device: 'cpu' });
    const folder = join(scratch(), `bergamot-${beams}`);
    await model.save(folder, { format: 'marian-bin' });
    model.dispose();
    const r = random(3 + beams);
    const texts = Array.from({ length: 3 }, () =>
      Array.from({ length: 1 + r.int(6) }, () => 2 + r.int(36)).join(' '),
    );
    const options = [
      ...[`beam-size: ${beams}`, 'normalize: 1', 'word-penalty: 0', 'max-length-factor: 2'],
      // Without its softmax the engine chooses the same token, but not the same beam.
      `skip-cost: ${beams === 1}`,
      ...['gemm-precision: float32', 'cpu-threads: 0', 'max-length-break: 128', 'mini-batch-words: 1024'],
      ...['workspace: 64', 'alignment: soft', 'quiet: true', 'quiet-translation: true', ''],
    ].join('\n');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'texts.txt'), texts.map((text) => `${text}\n`).join(''));
    const paths = ['model.bin', 'vocab.spm', 'vocab.spm', 'texts.txt'].map((name) => join(folder, name));
    const words = ['tests/support/bergamot.cjs', engine ?? '', options, ...paths];
    const found = execFileSync('node', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const again = await loadModel(folder, { device: 'cpu' });
    const own = await again.translate(texts, { beams });
    again.dispose();
    expect(found.trimEnd().split('\n')).toEqual(own);
  },
);
