// Round trips: a model from Hugging Face is exported with the same bits, and a heddle model is the same model
// in every format that supports it.
import { describe, expect, it } from 'vitest';
import { fromBfloat16, toBfloat16 } from '../../../src/core/bfloat16.ts';
import { fromFloat16 } from '../../../src/core/float16.ts';
import { random } from '../../../src/core/random.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { sinusoids } from '../../../src/engine/ops/embedding/sinusoids.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { writeFolder } from '../../../src/files/owned-folder.ts';
import { readSafetensors, readSafetensorsHeader } from '../../../src/files/safetensors.ts';
import { writeSafetensors } from '../../../src/files/write-safetensors.ts';
import { hfFiles } from '../../../src/formats/hf/save-hf.ts';
import { kerasFiles } from '../../../src/formats/keras.ts';
import { saveModelFolder } from '../../../src/formats/save-heddle.ts';
import type { SavedModel } from '../../../src/formats/shared/saved-model.ts';
import { initializeWeights } from '../../../src/model/initialize-weights.ts';
import { type ModelOptions, modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { presets } from '../../../src/model/presets.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';
import { hfFolder, hfNames } from '../../support/hf.ts';
import { loadModelFolder } from '../../support/load-folder.ts';
import { trainCharacters } from '../../support/tokenizers.ts';

const text = (bytes: Uint8Array | undefined) => JSON.parse(new TextDecoder().decode(bytes));
const typeOf = (name: string) => (name.startsWith('bart') ? 'bart' : 'marian');

describe.each(hfNames)('%s', (name) => {
  it('is exported with the same bits, also through a heddle folder', async () => {
    const files = await hfFolder(name);
    const model = await loadModelFolder(files, name);
    await saveModelFolder(files, 'own', model);
    const again = await loadModelFolder(files, 'own');
    expect(again.config).toEqual(model.config);
    expect(again.decode).toEqual(model.decode);
    for (const parts of [hfFiles(model, typeOf(name)), hfFiles(again, typeOf(name))]) {
      expect(parts['config.json']).toEqual(await files.read(`${name}/config.json`));
      const [whole] = [`${name}/model.safetensors`];
      if (await files.exists(whole)) expect(parts['model.safetensors']).toEqual(await files.read(whole));
      else {
        await writeFolder(files, 'joined', parts);
        const joined = await loadModelFolder(files, 'joined');
        expect(joined.weights).toEqual(model.weights);
      }
    }
  });
});

it('exports copies of tied tensors and sinusoidal tables again', async () => {
  const files = await hfFolder('marian');
  const model = await loadModelFolder(files, 'marian');
  const { config: c, sourceCheckpoint } = model;
  const aliases = [
    'lm_head.weight',
    'model.decoder.embed_tokens.weight',
    'model.encoder.embed_positions.weight',
  ];
  const parts = hfFiles(
    { ...model, sourceCheckpoint: { ...sourceCheckpoint!, dtype: 'F32', aliases } },
    'marian',
  );
  const tensors = readSafetensors(parts['model.safetensors']!);
  expect(tensors['lm_head.weight']).toEqual(tensors['model.shared.weight']);
  expect(tensors['model.encoder.embed_positions.weight']?.data).toEqual(
    sinusoids(c.maxLength, c.dModel, 'halves'),
  );
  await writeFolder(files, 'again', parts);
  const again = await loadModelFolder(files, 'again');
  expect(again.sourceCheckpoint?.aliases).toEqual(aliases);
  expect(hfFiles(again, 'marian')).toEqual(parts);
});

it.each([['lm_head.weight'], ['model.decoder.embed_tokens.weight', 'model.encoder.embed_tokens.weight']])(
  'reads a shared table by the name that the file has, %s, and writes it so',
  async (...names) => {
    const files = await hfFolder('bart');
    const model = await loadModelFolder(files, 'bart');
    const { 'model.shared.weight': table, ...rest } = readSafetensors(
      await files.read('bart/model.safetensors'),
    );
    const renamed = { ...rest, ...Object.fromEntries(names.map((name) => [name, table as Tensor])) };
    const file = writeSafetensors(renamed, { format: 'pt' });
    await files.write('bart/model.safetensors', file);
    const again = await loadModelFolder(files, 'bart');
    expect(again.weights).toEqual(model.weights);
    await saveModelFolder(files, 'own', again);
    for (const saved of [again, await loadModelFolder(files, 'own')]) {
      const back = readSafetensors(hfFiles(saved, 'bart')['model.safetensors']!);
      expect(Object.keys(back).sort()).toEqual(Object.keys(renamed).sort());
      expect(back).toEqual(readSafetensors(file));
    }
  },
);

it('uses stored positions that differ from the computed ones', async () => {
  const files = await hfFolder('marian');
  const model = await loadModelFolder(files, 'marian');
  const { config: c, sourceCheckpoint } = model;
  const aliases = ['encoder', 'decoder'].map((stack) => `model.${stack}.embed_positions.weight`);
  // In float16 the table of sinusoids is another.
  await writeFolder(
    files,
    'again',
    hfFiles({ ...model, sourceCheckpoint: { ...sourceCheckpoint!, aliases } }, 'marian', 'F16'),
  );
  const again = await loadModelFolder(files, 'again');
  expect(again.config).toEqual({ ...c, positions: 'learned', positionOffset: 0 });
  const at = parameterList(again.config).byName.get('src_pos.weight')!.offset;
  const table = sinusoids(c.maxLength, c.dModel, 'halves');
  // Half a step of float16 below 1.
  for (const [i, x] of table.entries()) expect(Math.abs(again.weights[at + i]! - x)).toBeLessThan(2 ** -12);
});

it('writes weights in another dtype if asked to', async () => {
  const model = await loadModelFolder(await hfFolder('bart'), 'bart');
  for (const [dtype, named, from] of [
    ['F16', 'float16', fromFloat16],
    ['BF16', 'bfloat16', fromBfloat16],
  ] as const) {
    const parts = hfFiles(model, 'bart', dtype);
    const { torch_dtype, ...others } = text(parts['config.json']);
    expect(torch_dtype).toBe(named);
    expect({ ...others, torch_dtype: 'float32' }).toEqual(model.sourceCheckpoint?.config);
    const file = parts['model.safetensors']!;
    const { entries } = readSafetensorsHeader(file, file.length);
    expect(new Set(Object.values(entries).map((e) => e.dtype))).toEqual(new Set([dtype]));
    const files = memoryFiles();
    await writeFolder(files, 'half', parts);
    const half = await loadModelFolder(files, 'half');
    expect(hfFiles(half, 'bart')).toEqual(parts);
    const nearest = dtype === 'BF16' ? from(toBfloat16(model.weights)) : undefined;
    if (nearest) expect(half.weights).toEqual(nearest);
  }
});

const letters = trainCharacters(['abcdefg hij']);

/** A model with random weights, its norms and biases moved off 1 and 0. */
function heddleModel(options: Partial<ModelOptions>): SavedModel {
  const { pad, start, end } = letters.special;
  const sizes = { dModel: 8, heads: 2, feedForward: 12, encoderLayers: 1, decoderLayers: 2, maxLength: 9 };
  const config = modelConfig({
    srcVocab: letters.size,
    tgtVocab: letters.size,
    ...sizes,
    padId: pad,
    startId: start,
    endId: end,
    ...options,
  });
  const list = parameterList(config);
  const weights = initializeWeights(config, list, 5);
  const r = random(6);
  for (const { offset, shape } of list.all)
    if (shape.length === 1) for (let i = 0; i < shape[0]!; i++) weights[offset + i]! += 0.1 * r.normal();
  return { config, source: letters, target: letters, weights };
}

const bartLike = { finalNorm: false, embeddingNorm: true, tie: 'all' } as const;
const marianLike = { finalNorm: false, positions: 'sinusoidal-halves', activation: 'silu' } as const;

describe('a model of heddle', () => {
  it.each<[string, Partial<ModelOptions>, 'bart' | 'marian']>([
    ['positions of sines in turn', bartLike, 'bart'],
    ['learned positions', { ...bartLike, positions: 'learned', outputBias: false }, 'bart'],
    [
      'learned positions with an offset',
      { ...bartLike, positions: 'learned', positionOffset: 2, scaleEmbedding: false },
      'bart',
    ],
    ['shared embeddings', { ...marianLike, tie: 'all' }, 'marian'],
    ['a tied output', { ...marianLike, tie: 'target' }, 'marian'],
    ['an output of its own', { ...marianLike, outputBias: false }, 'marian'],
    ['a decoder of other sizes', { ...marianLike, decoderHeads: 4, decoderFeedForward: 5 }, 'marian'],
  ])('with %s computes the same as %3$s', async (_, options, type) => {
    const model = heddleModel(options);
    const files = memoryFiles();
    await writeFolder(files, 'out', hfFiles(model, type));
    const back = await loadModelFolder(files, 'out');
    expect(back.source.encode('bad')).toEqual(letters.encode('bad'));
    const [before, after] = [parameterList(model.config), parameterList(back.config)];
    for (const { name, offset, shape } of before.all) {
      if (name.includes('_pos.')) continue;
      const size = shape.reduce((a, b) => a * b, 1);
      const at = after.byName.get(name)!.offset;
      expect(back.weights.subarray(at, at + size), name).toEqual(
        model.weights.subarray(offset, offset + size),
      );
    }
    const { maxLength: L, dModel: D } = model.config;
    if (type === 'bart') {
      const own = before.byName.get('tgt_pos.weight');
      const from = own && own.offset + model.config.positionOffset * D;
      const table =
        from === undefined ? sinusoids(L, D, 'interleaved') : model.weights.subarray(from, from + L * D);
      const at = after.byName.get('tgt_pos.weight')!.offset + 2 * D;
      expect(back.weights.subarray(at, at + L * D)).toEqual(table);
    } else expect(back.config.positions).toBe('sinusoidal-halves');
    const { scaleEmbedding, activation, norm, tie, decoderHeads, decoderFeedForward } = model.config;
    const kept = { scaleEmbedding, activation, norm, tie, decoderHeads, decoderFeedForward };
    expect(back.config).toMatchObject(kept);
  });

  it("is the same model in the format of Keras's example, also with wide heads", async () => {
    const { positions, finalNorm, scaleEmbedding, layerNormEps } = presets.keras;
    const fields = {
      positions,
      finalNorm,
      scaleEmbedding,
      layerNormEps,
      dropout: { output: 0.5 },
      encoderLayers: 2,
    };
    const model = heddleModel({ ...fields, headWidth: 5, decoderFeedForward: 6 });
    const parts = kerasFiles(model);
    const tensors = readSafetensors(parts['model.safetensors']!);
    const of = (name: string) => tensors[name]?.shape;
    expect(of('layers/positional_embedding/token_embeddings/vars/0')).toEqual([letters.size, 8]);
    expect(of('layers/transformer_encoder_1/attention/query_dense/vars/0')).toEqual([8, 2, 5]);
    expect(of('layers/transformer_decoder/attention_2/output_dense/vars/0')).toEqual([2, 5, 8]);
    expect(of('layers/transformer_decoder/dense_proj/layers/dense_1/vars/0')).toEqual([6, 8]);
    // Column d of key h, w is row d of the kernel: K = W·x there, x·K here.
    const { offset } = parameterList(model.config).byName.get(
      'transformer.encoder.layers.0.self_attn.in_proj_weight',
    )!;
    const key = tensors['layers/transformer_encoder/attention/key_dense/vars/0']!.data;
    expect(key[3 * 10 + 1 * 5 + 4]).toBe(model.weights[offset + (10 + 1 * 5 + 4) * 8 + 3]);
    const files = memoryFiles();
    await writeFolder(files, 'keras', parts);
    const back = await loadModelFolder(files, 'keras');
    expect(back.config).toEqual(model.config);
    expect(back.weights).toEqual(model.weights);
    expect(back.source.encode('face')).toEqual(letters.encode('face'));
    expect(kerasFiles(back)).toEqual(parts);
  });

  it('may have dropout in places that the format does not have: an exported model has none', async () => {
    const model = heddleModel({ ...marianLike, dropout: { output: 0.5, residual: 0.1 } });
    const files = memoryFiles();
    await writeFolder(files, 'marian', hfFiles(model, 'marian'));
    const back = await loadModelFolder(files, 'marian');
    expect(back.weights).toEqual(model.weights);
    expect(back.config.dropout).toMatchObject({ residual: 0.1, output: 0 });
  });

  it.each<[string, Partial<ModelOptions>, (model: SavedModel) => unknown, ExpectedError[]]>([
    [
      'BART',
      { norm: 'pre' },
      (m) => hfFiles(m, 'bart'),
      [
        { values: ['norm', '"pre"'] },
        { values: ['finalNorm', 'true'] },
        { values: ['false', 'embeddingNorm'] },
        { values: ['tie', '"none"'] },
      ],
    ],
    [
      'MarianMT',
      { ...marianLike, positions: 'learned' },
      (m) => hfFiles(m, 'marian'),
      [{ values: ['positions', '"learned"'] }],
    ],
    ['BART', { maxSource: 5 }, (m) => hfFiles(m, 'bart'), [{ values: ['maxSource', '5'] }]],
    [
      "Keras's example",
      { activation: 'gelu' },
      kerasFiles,
      [{ values: ['activation', '"gelu"', 'relu'] }, { values: ['layerNormEps', '0.00001'] }],
    ],
  ])('is an error that names the fields if %s does not support it', (layout, options, parts, reasons) => {
    expect(() => parts(heddleModel(options))).toThrow(errorAbout({ values: [layout] }));
    for (const expected of reasons) expect(() => parts(heddleModel(options))).toThrow(errorAbout(expected));
  });
});
