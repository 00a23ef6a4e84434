// Folders of Marian: loaded, saved in each format, and loaded again.

import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadMarian } from '../../../../src/features/marian/files/load-marian.ts';
import { marianFiles } from '../../../../src/features/marian/files/save-marian.ts';
import { memoryFiles } from '../../../../src/files/memory-files.ts';
import { heddleFiles } from '../../../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { isModelFolder, loadModelFolder } from '../../../support/load-folder.ts';

const shared = '../shared/golden-marian';

const folderOf = async (contents: Readonly<Record<string, Uint8Array>>) => {
  const files = memoryFiles();
  for (const [name, bytes] of Object.entries(contents)) await files.write(`m/${name}`, bytes);
  return files;
};

describe.skipIf(!existsSync(shared)).each(['ssru-tied', 'ssru-two-vocabs', 'self-attention', 'ssru-int8'])(
  '%s (needs ../shared)',
  (name) => {
    const load = () => loadModelFolder(nodeFiles(), `${shared}/${name}`);

    it('is written as .bin with the same bytes, also after heddle and .npz', async () => {
      const model = await load();
      const wanted = await nodeFiles().read(`${shared}/${name}/model.bin`);
      // Comparing arrays of a million bytes by toEqual takes seconds.
      const isWanted = (bytes: Uint8Array | undefined) =>
        Buffer.from(wanted).equals(bytes ?? new Uint8Array());
      expect(isWanted(marianFiles(model, 'marian-bin')['model.bin'])).toBe(true);
      for (const contents of [heddleFiles(model), marianFiles(model, 'marian-npz')]) {
        const again = await loadModelFolder(await folderOf(contents), 'm');
        expect(again.decode).toEqual(model.decode);
        expect(isWanted(marianFiles(again, 'marian-bin')['model.bin'])).toBe(true);
      }
    });

    it('encodes words as its ids', async () => {
      const { source, target } = await load();
      expect(source.encode('12 5')).toEqual([12, 5]);
      expect(target.decode([12, 5])).toBe('12 5');
      expect([source.special.end, source.special.pad, source.special.start]).toEqual([0, -1, -1]);
    });
  },
);

it.skipIf(!existsSync(shared)).each([['source.spm'], ['source.spm', 'target.spm']])(
  'a folder of OPUS-MT with a vocabulary in YAML and %s %s (needs ../shared)',
  async (...spm) => {
    const from = `${shared}/self-attention`;
    const plain = await loadModelFolder(nodeFiles(), from);
    const text = (value: string) => new TextEncoder().encode(value);
    const tokens = Array.from({ length: plain.source.size }, (_, id) => plain.source.token(id));
    const yaml = tokens.map((token, id) => `${JSON.stringify(token)}: ${id}\n`).join('');
    const name = 'opus.spm32k-spm32k.transformer.model1.npz.best-perplexity.npz';
    const vocabs = '  - opus.spm32k-spm32k.vocab.yml\n'.repeat(2);
    const folder = await folderOf({
      [name]: await nodeFiles().read(`${from}/model.npz`),
      'decoder.yml': text(
        `relative-paths: true\nmodels:\n  - ${name}\nvocabs:\n${vocabs}beam-size: 6\nnormalize: 1\nmini-batch: 1\n`,
      ),
      'opus.spm32k-spm32k.vocab.yml': text(yaml),
      'preprocess.sh': text('spm_encode'),
      ...Object.fromEntries(
        await Promise.all(
          spm.map(async (each) => [each, await nodeFiles().read(`${from}/vocab.spm`)] as const),
        ),
      ),
    });
    const opus = await loadModelFolder(folder, 'm');
    expect(opus.weights).toEqual(plain.weights);
    expect(opus.source === opus.target).toBe(spm.length === 1);
    expect(opus.source.encode('12 5 7')).toEqual(plain.source.encode('12 5 7'));
    expect(opus.target.decode([12, 5])).toBe('12 5');
    const back = await folderOf(heddleFiles(opus));
    const npz = marianFiles(await loadModelFolder(back, 'm'), 'marian-npz');
    const names = ['decoder.yml', 'model.npz', 'model.yml', 'opus.spm32k-spm32k.vocab.yml', ...spm];
    expect(Object.keys(npz).sort()).toEqual(names);
    const again = await loadModelFolder(await folderOf(npz), 'm');
    expect(again.weights).toEqual(plain.weights);
    expect(again.target.encode('9 9')).toEqual(plain.target.encode('9 9'));
    expect(() => marianFiles(opus, 'firefox', { languagePair: 'enes' })).toThrow(
      errorAbout({ area: 'firefox', values: ['opus.spm32k-spm32k.vocab.yml'] }),
    );
    await folder.write('m/opus.spm32k-spm32k.vocab.yml', text(yaml.replace('": 5\n', '": 4\n')));
    await expect(loadModelFolder(folder, 'm')).rejects.toThrow(
      errorAbout({ area: 'm/opus.spm32k-spm32k.vocab.yml', values: [4] }),
    );
    for (const each of spm) await folder.remove(`m/${each}`);
    await expect(loadModelFolder(folder, 'm')).rejects.toThrow(
      errorAbout({ kind: 'not-found', area: 'm', values: ['opus.spm32k-spm32k.vocab.yml'] }),
    );
  },
);

it.skipIf(!existsSync(shared))('writes the int8 file of Firefox (needs ../shared)', async () => {
  const folder = `${shared}/ssru-int8`;
  const model = await loadMarian(nodeFiles(), folder, 'model.intgemm8.bin');
  const wanted = await nodeFiles().read(`${folder}/model.intgemm8.bin`);
  const contents = marianFiles(model, 'firefox', { languagePair: 'enes' });
  expect(Object.keys(contents)).toEqual(['model.enes.intgemm.alphas.bin', 'vocab.enes.spm']);
  expect(contents['model.enes.intgemm.alphas.bin']?.length).toBe(wanted.length);
  const files = await folderOf(contents);
  expect(await isModelFolder(files, 'm')).toBe(true);
  expect((await loadModelFolder(files, 'm')).weights).toEqual(model.weights);
  expect(() => marianFiles(model, 'firefox')).toThrow(errorAbout({ area: 'firefox' }));
});

it('names what is missing', async () => {
  const files = await folderOf({
    'decoder.yml': new TextEncoder().encode('models:\n  - m.npz\nvocabs:\n  - a.spm\n'),
  });
  await expect(loadModelFolder(files, 'm')).rejects.toThrow(
    errorAbout({ kind: 'not-found', area: 'm', values: ['m.npz'] }),
  );
  const outside = await folderOf({ 'decoder.yml': new TextEncoder().encode('models:\n  - ../m.npz\n') });
  await expect(loadModelFolder(outside, 'm')).rejects.toThrow(
    errorAbout({ area: 'm/decoder.yml', values: ['models'] }),
  );
});
