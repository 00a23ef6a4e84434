// Students of Firefox at their real sizes, V 32,000, with random weights: the int8 file, its translation in Marian's
// own engine, and the memory of decoding.

import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeRandomFirefox } from '../../../../bench/decode/random-firefox.mjs';
import { loadModel } from '../../../../src/entries/heddle.node.ts';
import { bergamotEngine, bergamotLines } from '../../../support/bergamot.ts';
import { scratch } from '../../../support/cli.ts';

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
    await model.save(folder, { format: 'firefox', formatOptions: { languagePair: 'enes' } });
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
    if (!bergamotEngine) return;
    const vocab = join(folder, 'vocab.enes.spm');
    const path = join(folder, 'texts.txt');
    writeFileSync(path, texts.map((text) => `${text}\n`).join(''));
    expect(bergamotLines([file, vocab, vocab, path], { precision: 'int8shiftAll' })).toEqual(own);
  },
  300_000,
);
