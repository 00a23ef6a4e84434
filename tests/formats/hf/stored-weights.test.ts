// Weights that are read from their files in parts: the same numbers, fingerprint, configuration and errors as
// loading all.

import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../../src/core/fingerprint.ts';
import { sizeOf } from '../../../src/core/tensor.ts';
import type { Files } from '../../../src/files/files.ts';
import { jsonBytes } from '../../../src/files/json-files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { readSafetensors } from '../../../src/files/safetensors.ts';
import { writeSafetensors } from '../../../src/files/write-safetensors.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { fixtureFiles } from '../../support/golden.ts';

const folders = ['bart', 'marian', 'marian-two-vocabularies', 'marian-untied', 'marian-uneven'];

/** A folder in memory whose files are changed. */
async function changed(
  folder: string,
  change: (tensors: ReturnType<typeof readSafetensors>) => void,
): Promise<Files> {
  const files = memoryFiles();
  for (const name of ['config.json', 'model.safetensors'])
    await files.write(`m/${name}`, await fixtureFiles.read(`tests/fixtures/hf/${folder}/${name}`));
  const tensors = readSafetensors(await files.read('m/model.safetensors'));
  change(tensors);
  await files.write('m/model.safetensors', writeSafetensors(tensors));
  return files;
}

describe('weights in files', () => {
  it.each(folders)('of %s are those of the loaded model', async (name) => {
    const folder = `tests/fixtures/hf/${name}`;
    const [whole, opened] = [
      await loadModelFolder(fixtureFiles, folder),
      await loadModelFolder(fixtureFiles, folder, { inParts: true }),
    ];
    expect(opened.config).toEqual(whole.config);
    expect(opened.notes).toEqual(whole.notes);
    expect(opened.weights).toHaveLength(0);
    expect(await opened.stored!.fingerprint()).toBe(fingerprintOf([whole.weights]));
    for (const parameter of parameterList(whole.config).all) {
      const { offset, shape } = parameter;
      const count = Math.min(7, sizeOf(shape) - 1);
      const part = await opened.stored!.read(parameter, 1, count);
      expect(part, parameter.name).toEqual(whole.weights.slice(offset + 1, offset + 1 + count));
    }
    expect((await opened.stored!.whole()).weights).toEqual(whole.weights);
  });

  it('are read at once if they are not large', async () => {
    const folder = 'tests/fixtures/hf/bart';
    const whole = await loadModelFolder(fixtureFiles, folder);
    const opened = await loadModelFolder(fixtureFiles, folder, { inParts: 'large' });
    expect(opened.stored).toBeUndefined();
    expect(opened.weights).toEqual(whole.weights);
    expect(opened.sourceCheckpoint).toEqual(whole.sourceCheckpoint);
  });

  it('are random without files, as those of the loaded model', async () => {
    const files = memoryFiles();
    await files.write('m/config.json', await fixtureFiles.read('tests/fixtures/hf/marian/config.json'));
    const [whole, opened] = [
      await loadModelFolder(files, 'm'),
      await loadModelFolder(files, 'm', { inParts: true }),
    ];
    expect(opened.notes).toEqual(whole.notes);
    expect(await opened.stored!.fingerprint()).toBe(fingerprintOf([whole.weights]));
  });

  it('that are missing, of another shape, unequal copies or not finite are errors as in loading', async () => {
    const shared = 'model.shared.weight';
    const layer = 'model.encoder.layers.0.fc1.weight';
    for (const change of [
      (t) => delete t[layer],
      (t) => {
        t.other = t[layer]!;
      },
      (t) => {
        t[layer] = { ...t[layer]!, shape: t[layer]!.shape.toReversed() };
      },
      (t) => {
        t['model.encoder.embed_tokens.weight'] = {
          ...t[shared]!,
          data: t[shared]!.data.map((x) => x + 1),
        } as never;
      },
      (t) => {
        (t[layer]!.data as Float32Array)[3] = Number.NaN;
      },
    ] satisfies ((t: ReturnType<typeof readSafetensors>) => void)[]) {
      const files = await changed('bart', change);
      const error = await loadModelFolder(files, 'm').then(
        () => undefined,
        (thrown: Error) => thrown,
      );
      const opened = async () => (await loadModelFolder(files, 'm', { inParts: true })).stored!.fingerprint();
      expect(error).toBeDefined();
      await expect(opened()).rejects.toThrow(error);
    }
  });

  it('are read from shards', async () => {
    const files = await changed('bart', () => undefined);
    const whole = await loadModelFolder(files, 'm');
    const tensors = Object.entries(readSafetensors(await files.read('m/model.safetensors')));
    const shards = [0, 1].map((k) => Object.fromEntries(tensors.filter((_, i) => i % 2 === k)));
    for (const [k, shard] of shards.entries())
      await files.write(`m/${k}.safetensors`, writeSafetensors(shard));
    const map = Object.fromEntries(
      shards.flatMap((shard, k) => Object.keys(shard).map((name) => [name, `${k}.safetensors`])),
    );
    await files.write('m/model.safetensors.index.json', jsonBytes({ metadata: {}, weight_map: map }));
    await files.remove('m/model.safetensors');
    const opened = await loadModelFolder(files, 'm', { inParts: true });
    expect(await opened.stored!.fingerprint()).toBe(fingerprintOf([whole.weights]));
  });
});
