// Students of Firefox at their real sizes, V 32,000, with random weights: the int8 file, its translation in Marian's own
// engine, and the memory of decoding.

import { execFileSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeRandomFirefox } from '../../../bench/decode/random-firefox.mjs';
import { loadModel } from '../../../src/index.node.ts';
import { scratch } from '../../support/cli.ts';

const engine = ['node_modules', 'bench/decode/node_modules']
  .map((folder) => `${folder}/@browsermt/bergamot-translator`)
  .find((folder) => existsSync(folder));
const texts = ['10 20 30 40', '31000 5 700 12 9', '77 78'];

it.each([
  ['firefox-tiny', 20e6, 20],
  ['firefox-base-memory', 32e6, 36],
] as const)(
  '%s: the int8 file, translations, memory',
  async (name, maxFile, maxMiB) => {
    const whole = join(scratch(), name);
    writeRandomFirefox(whole, name);
    const folder = join(scratch(), `${name}-int8`);
    const model = await loadModel(whole, { device: 'cpu' });
    await model.save(folder, { format: 'firefox', firefox: { pair: 'enes' } });
    model.dispose();
    const file = join(folder, 'model.enes.intgemm8.bin');
    expect(statSync(file).size).toBeLessThanOrEqual(maxFile);
    const int8 = await loadModel(folder, { tune: false, weights: 'int8' });
    const plan = await int8.plan({ batch: 1, source: 64, target: 64 });
    const peaks = Array.from(plan.matchAll(/^peak +([\d.]+) MiB/gm), ([, mebibytes]) => Number(mebibytes));
    expect(peaks).toHaveLength(2); // the encoder and a step
    expect(Math.max(...peaks)).toBeLessThan(maxMiB);
    int8.dispose();
    const floats = await loadModel(folder, { tune: false });
    const own = await floats.translate(texts);
    floats.dispose();
    if (!engine) return;
    const options = [
      ...['beam-size: 1', 'normalize: 1', 'word-penalty: 0', 'max-length-factor: 2', 'skip-cost: true'],
      ...[
        'gemm-precision: int8shiftAll',
        'cpu-threads: 0',
        'max-length-break: 128',
        'mini-batch-words: 1024',
      ],
      ...['workspace: 64', 'alignment: soft', 'quiet: true', 'quiet-translation: true', ''],
    ].join('\n');
    const vocab = join(folder, 'vocab.enes.spm');
    const path = join(folder, 'texts.txt');
    writeFileSync(path, texts.map((text) => `${text}\n`).join(''));
    const words = ['tests/support/bergamot.cjs', engine, options, file, vocab, vocab, path];
    const found = execFileSync('node', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    expect(found.trimEnd().split('\n')).toEqual(own);
  },
  300_000,
);
