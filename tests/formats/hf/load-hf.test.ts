// Hugging Face folders: shards, dtypes, tokenizers, missing files, and errors for weights that do not match
// the configuration.
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/core/tensor.ts';
import type { Files } from '../../../src/files/files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { readSafetensors } from '../../../src/files/safetensors.ts';
import { writeSafetensors } from '../../../src/files/write-safetensors.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { type ExpectedError, errorAbout, holeValues } from '../../support/expect-error.ts';
import { editJson, type HfFixture, hfFolder } from '../../support/hf.ts';

const beside = '../shared/models/marian-tiny-random';
const there = await nodeFiles().exists(beside);
const shard = (n: number) => `marian/model-0000${n}-of-00002.safetensors`;

/** Changes the tensors of a file. */
async function editTensors(
  files: Files,
  path: string,
  change: (tensors: Record<string, Tensor>) => void,
): Promise<void> {
  const tensors = readSafetensors(await files.read(path));
  change(tensors);
  await files.write(path, writeSafetensors(tensors));
}

describe('a folder', () => {
  it('keeps the characters of its configuration and their start of texts', async () => {
    const files = await hfFolder('bart');
    await editJson(files, 'bart/config.json', { grapheme_chars: '____abcdé', phoneme_chars: '____xyzˈ' });
    const { source, target } = await loadModelFolder(files, 'bart');
    // 0 begins a text; pad, start and end are 1 and 2, and what the alphabet lacks is 3.
    expect(source.encode('abé?')).toEqual([0, 4, 5, 8, 3]);
    expect(source.encode('')).toEqual([]);
    expect(target.decode([0, 4, 7, 3, 2, 1, 20, 6])).toBe('xˈz');
    expect(source.token(8)).toBe('é');
    expect(() => target.decode([23])).toThrow(errorAbout({ area: 'tokenizer', values: [23] }));
    expect(source.normalize('ba-d')).toBe('bad');
  });

  it('without a tokenizer uses ids as text', async () => {
    const { source, target, notes } = await loadModelFolder(await hfFolder('marian'), 'marian');
    expect(source.encode(' 4 17  9 ')).toEqual([4, 17, 9]);
    expect(target.decode([30, 5, 6, 0])).toBe('5 6');
    expect(notes?.map(holeValues)).toEqual([['marian']]);
    for (const wrong of ['31', '-1', 'x', '1.5'])
      expect(() => source.encode(wrong)).toThrow(errorAbout({ values: [31] }));
  });

  it('of BART with a tokenizer.json starts sources as its post-processor does', async () => {
    const files = await hfFolder('bart');
    const vocab = Object.fromEntries(
      ['<s>', '<pad>', '</s>', '<unk>', ...'abcdefghi'].map((token, id) => [token, id]),
    );
    const model = { type: 'BPE', unk_token: '<unk>', vocab, merges: [] };
    const whole = { version: '1.0', added_tokens: [], normalizer: null, pre_tokenizer: null };
    const post_processor = {
      type: 'RobertaProcessing',
      sep: ['</s>', 2],
      cls: ['<s>', 0],
      trim_offsets: true,
    };
    const write = (json: object) =>
      files.write('bart/tokenizer.json', new TextEncoder().encode(JSON.stringify({ ...whole, ...json })));
    await write({ model, post_processor, decoder: { type: 'Fuse' } });
    const { source, target } = await loadModelFolder(files, 'bart');
    expect(source.encode('bad')).toEqual([0, 5, 4, 7]);
    expect(source.encode('')).toEqual([]);
    expect(target.decode([0, 5, 4, 7, 2])).toBe('bad');
    const single = [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
    const special_tokens = { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } };
    const template = { type: 'TemplateProcessing', single, pair: [], special_tokens };
    await write({ model, post_processor: template, decoder: { type: 'Fuse' } });
    expect((await loadModelFolder(files, 'bart')).source.encode('bad')).toEqual([0, 5, 4, 7]);
    await write({ model, post_processor: null, decoder: { type: 'Fuse' } });
    expect((await loadModelFolder(files, 'bart')).source.encode('bad')).toEqual([5, 4, 7]);
  });

  it('with only a configuration has random weights, the same each time, and a note', async () => {
    const files = memoryFiles();
    const bytes = await (await hfFolder('bart')).read('bart/config.json');
    await files.write('bare/config.json', bytes);
    const [a, b] = [await loadModelFolder(files, 'bare'), await loadModelFolder(files, 'bare')];
    expect(holeValues(a.notes?.[0])).toEqual(['bare']);
    expect(a.weights).toEqual(b.weights);
    expect(a.weights.some((x) => x !== 0)).toBe(true);
    await files.write('bare/pytorch_model.bin', new Uint8Array(1));
    await expect(loadModelFolder(files, 'bare')).rejects.toThrow(
      errorAbout({ area: 'bare/pytorch_model.bin' }),
    );
  });

  it('reads the decoding rules of a generation_config.json', async () => {
    const files = await hfFolder('bart');
    await editJson(files, 'bart/config.json', { forced_bos_token_id: undefined });
    await files.write('bart/generation_config.json', new TextEncoder().encode('{"forced_bos_token_id": 9}'));
    expect((await loadModelFolder(files, 'bart')).decode?.forcedBosTokenId).toBe(9);
  });

  it('of MarianMT may lack its configuration, which is inferred from shapes', async () => {
    const files = await hfFolder('marian-untied');
    await expect(
      files.remove('marian-untied/config.json').then(() => loadModelFolder(files, 'marian-untied')),
    ).rejects.toThrow(errorAbout({ area: 'marian-untied/model.safetensors' }));
    const marian = await hfFolder('marian');
    const all = {
      ...readSafetensors(await marian.read(shard(1))),
      ...readSafetensors(await marian.read(shard(2))),
    };
    for (const [name, t] of Object.entries(all))
      all[name] = { dtype: 'f32', shape: t.shape, data: Float32Array.from(t.data, (x) => x % 7) };
    const bare = memoryFiles();
    await bare.write('m/model.safetensors', writeSafetensors(all));
    const { config, notes } = await loadModelFolder(bare, 'm');
    expect(config).toMatchObject({
      srcVocab: 31,
      dModel: 12,
      heads: 1,
      encoderLayers: 1,
      decoderLayers: 2,
      feedForward: 10,
    });
    expect(config).toMatchObject({
      padId: 30,
      startId: 30,
      endId: 0,
      activation: 'silu',
      scaleEmbedding: true,
    });
    expect(holeValues(notes?.[0])).toEqual(['m', 1, 30, 0]);
  });

  it.skipIf(!there)('../shared/models/marian-tiny-random loads', async () => {
    const { config, weights } = await loadModelFolder(nodeFiles(), beside);
    expect(config).toMatchObject({
      srcVocab: 58101,
      tgtVocab: 58101,
      dModel: 2,
      encoderLayers: 2,
      decoderLayers: 2,
      tie: 'all',
    });
    expect(weights.length).toBe(parameterList(config).size);
  });
});

it('rejects deeply nested JSON', async () => {
  const files = await hfFolder('bart');
  const text = (await files.read('bart/config.json')).slice(0, -1);
  const nested = (depth: number) =>
    new TextEncoder().encode(
      `${new TextDecoder().decode(text).trimEnd()}, "id2label": ${'['.repeat(depth)}"\\"[["${']'.repeat(depth)}}`,
    );
  await files.write('bart/config.json', nested(499));
  await loadModelFolder(files, 'bart');
  await files.write('bart/config.json', nested(500));
  await expect(loadModelFolder(files, 'bart')).rejects.toThrow(
    errorAbout({ area: 'bart/config.json', values: [500] }),
  );
});

describe('is an error that names it:', () => {
  it.each<[ExpectedError, HfFixture, (files: Files) => Promise<void>]>([
    [
      { area: 'bart', values: ['model.decoder.layers.0.fc1.bias'] },
      'bart',
      (f) => editTensors(f, 'bart/model.safetensors', (t) => delete t['model.decoder.layers.0.fc1.bias']),
    ],
    [
      { area: 'bart', values: ['model.extra.weight'] },
      'bart',
      (f) =>
        editTensors(f, 'bart/model.safetensors', (t) => (t['model.extra.weight'] = t.final_logits_bias!)),
    ],
    [
      { area: 'bart', values: ['model.shared.weight', '[23,12]', '[24,12]'] },
      'bart',
      (f) => editJson(f, 'bart/config.json', { vocab_size: 24 }),
    ],
    [
      { area: 'bart', values: ['model.encoder.layers.0.fc1.bias', 3] },
      'bart',
      (f) =>
        editTensors(
          f,
          'bart/model.safetensors',
          (t) => (t['model.encoder.layers.0.fc1.bias']!.data[3] = Number.NaN),
        ),
    ],
    [
      { area: 'bart/model.safetensors', values: ['model.shared.weight', 'I32'] },
      'bart',
      (f) =>
        editTensors(f, 'bart/model.safetensors', (t) => {
          t['model.shared.weight'] = { dtype: 'i32', shape: [23, 12], data: new Int32Array(276) };
        }),
    ],
    [
      { area: 'bart', values: ['lm_head.weight', '[23,12]', 'model.shared.weight'] },
      'bart',
      (f) =>
        editTensors(f, 'bart/model.safetensors', (t) => {
          t['lm_head.weight'] = { dtype: 'f32', shape: [23, 12], data: new Float32Array(276) };
        }),
    ],
    [
      {
        kind: 'not-found',
        area: 'marian/model-00002-of-00002.safetensors',
        values: ['marian/model.safetensors.index.json'],
      },
      'marian',
      (f) => f.remove(shard(2)),
    ],
    [
      { area: 'marian/model.safetensors.index.json', values: ['a', '"../x.safetensors"'] },
      'marian',
      (f) => editJson(f, 'marian/model.safetensors.index.json', { weight_map: { a: '../x.safetensors' } }),
    ],
    [
      { area: 'marian/model.safetensors.index.json' },
      'marian',
      (f) => editJson(f, 'marian/model.safetensors.index.json', { weight_map: 3 }),
    ],
    [
      {
        area: 'marian/model-00001-of-00002.safetensors',
        values: ['final_logits_bias', 'marian/model.safetensors.index.json'],
      },
      'marian',
      async (f) => {
        const path = 'marian/model.safetensors.index.json';
        const { weight_map } = JSON.parse(new TextDecoder().decode(await f.read(path)));
        delete weight_map.final_logits_bias;
        await editJson(f, path, { weight_map });
      },
    ],
    [
      { area: 'bart/config.json: grapheme_chars', values: ['a', 4, 6] },
      'bart',
      (f) => editJson(f, 'bart/config.json', { grapheme_chars: '____aba', phoneme_chars: '____b' }),
    ],
    [
      { area: 'bart/config.json', values: ['phoneme_chars', 'undefined'] },
      'bart',
      (f) => editJson(f, 'bart/config.json', { grapheme_chars: '____ab' }),
    ],
    [
      { area: 'bart/config.json: grapheme_chars', values: [30, 23] },
      'bart',
      (f) => editJson(f, 'bart/config.json', { grapheme_chars: 'x'.repeat(30), phoneme_chars: '' }),
    ],
  ])('%s', async (expected, name, damage) => {
    const files = await hfFolder(name);
    await damage(files);
    await expect(loadModelFolder(files, name)).rejects.toThrow(errorAbout(expected));
  });
});
