// Multipliers of the inputs of int8 products, measured on texts.

import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadModel } from '../../../src/entries/load-with-features.ts';
import { multiplierOf } from '../../../src/features/marian/files/input-multipliers.ts';
import { loadMarian, marianOriginIn } from '../../../src/features/marian/files/load-marian.ts';
import { readMarianBin } from '../../../src/features/marian/files/marian-bin.ts';
import { unzip } from '../../../src/files/zip.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import '../../../src/entries/node.ts';

const folder = '../shared/golden-marian/ssru-int8';

it('are those of Mozilla: mean and 1.1 standard deviations of the maxima', () => {
  expect(multiplierOf([2, 2])).toBe(63.5);
  expect(multiplierOf([1, 3])).toBe(Math.fround(127 / 3.1));
});

it.skipIf(!existsSync(folder))(
  'have the names of the reference; those of the first layer are of the embeddings (needs ../shared)',
  async () => {
    const model = await loadModel(folder, { device: 'cpu' });
    const calibration = ['12 5 30', { source: '7 8', target: '8 7 9' }];
    const blob = await model.toBlob({
      format: 'firefox',
      formatOptions: { languagePair: 'enes', calibration },
    });
    const parts = await unzip(new Uint8Array(await blob.arrayBuffer()), 'release');
    const name = 'model.enes.intgemm.alphas.bin';
    const { multipliers } = readMarianBin(parts[name] as Uint8Array, name);
    const given = await loadMarian(nodeFiles(), folder, 'model.intgemm8.bin');
    const reference = marianOriginIn(given.sourceCheckpoint?.config)?.multipliers ?? {};
    expect([...multipliers.keys()].sort()).toEqual(Object.keys(reference).sort());
    expect(multipliers.get('none_QuantMultA')).toBe(multipliers.get('Wemb_QuantMultA'));
    // The reference measured other texts.
    for (const [key, value] of multipliers) expect(value / (reference[key] as number)).toBeCloseTo(1, 0);
    const { dModel: d } = model.config;
    const table = model.weights();
    const embedding = table['src_embed.weight']?.data as Float32Array;
    let max = 0;
    for (const ids of [
      [12, 5, 30, 0],
      [7, 8, 0],
    ])
      for (const [t, id] of ids.entries())
        for (let i = 0; i < d; i++) {
          const angle = t * 10000 ** -((i % (d / 2)) / (d / 2 - 1));
          const position = i < d / 2 ? Math.sin(angle) : Math.cos(angle);
          max = Math.max(max, Math.abs(Math.sqrt(d) * (embedding[id * d + i] as number) + position));
        }
    expect(multipliers.get('encoder_l1_self_Wq_QuantMultA')).toBeCloseTo(127 / max, 3);
  },
);
