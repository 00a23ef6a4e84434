// A small part of save-marian.full.test.ts: files that heddle writes give the same translations in Marian's own engine.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { loadModel } from '../../../../src/entries/heddle.node.ts';
import { bergamotEngine, bergamotLines } from '../../../support/bergamot.ts';
import { scratch } from '../../../support/cli.ts';

const shared = '../shared/golden-marian';

it.skipIf(!existsSync(shared) || !bergamotEngine).each([1, 4])(
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
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'texts.txt'), texts.map((text) => `${text}\n`).join(''));
    const at = (name: string) => join(folder, name);
    const found = bergamotLines([at('model.bin'), at('vocab.spm'), at('vocab.spm'), at('texts.txt')], {
      beams,
    });
    const again = await loadModel(folder, { device: 'cpu' });
    const own = await again.translate(texts, { beams });
    again.dispose();
    expect(found).toEqual(own);
  },
);
