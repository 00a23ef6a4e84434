// Exported ONNX models: onnx.checker accepts the files, onnxruntime gives heddle's logits, and
// transformers.js gives heddle's token ids. Without Debian's python3-onnx and python3-onnxruntime, or without
// transformers.js (installed from npm on first use), the tests that need them are skipped by name.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installTransformers } from '../../../../bench/decode/install-transformers.mjs';
import { convertFolder } from '../../../../src/api/convert-folder.ts';
import { random } from '../../../../src/core/random.ts';
import { Translator } from '../../../../src/decode/translator.ts';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import { type OnnxOptions, onnxFiles } from '../../../../src/features/onnx/export/save-onnx.ts';
import type { OnnxDtype } from '../../../../src/features/onnx/onnx-format.ts';
import { jsonBytes } from '../../../../src/files/json-files.ts';
import { writeFolder } from '../../../../src/files/owned-folder.ts';
import { loraFiles, mergedWith } from '../../../../src/formats/lora-folder.ts';
import type { SavedModel } from '../../../../src/formats/shared/saved-model.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { initializeWeights } from '../../../../src/model/initialize-weights.ts';
import { loraConfig, loraParameters } from '../../../../src/model/lora.ts';
import { type ModelOptions, modelConfig } from '../../../../src/model/model-config.ts';
import { parameterList } from '../../../../src/model/parameters.ts';
import { quantizedParameters } from '../../../../src/model/quantized-parameters.ts';
import {
  createCharacterTokenizer,
  createIdTokenizer,
} from '../../../../src/text/tokenizers/character-tokenizer.ts';
import type { Tokenizer } from '../../../../src/text/tokenizers/tokenizer.ts';
import { loadModelFolder } from '../../../support/load-folder.ts';
import { learnedPositions } from '../../../support/model.ts';
import {
  hasOnnx,
  type LogitCase,
  logitDifference,
  onnxLogits,
  ortNode,
  ortNodeLogits,
  ownLogits,
} from '../../../support/onnx.ts';

import { hfSizes, loadMultilingual } from '../../../support/sentencepiece.ts';
import { EngineSession } from '../../../support/session.ts';
import { trainCharacters, trainWords } from '../../../support/tokenizers.ts';

// Each test starts processes that load a runtime.

const files = nodeFiles();
const folder = mkdtempSync(join(tmpdir(), 'heddle-onnx-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ids = createIdTokenizer(14, { pad: 0, start: 1, end: 2, unknown: 3 });

function model(
  options: Partial<ModelOptions>,
  source: Tokenizer = ids,
  target: Tokenizer = source,
): SavedModel {
  const sizes = { dModel: 12, heads: 3, feedForward: 20, encoderLayers: 2, decoderLayers: 2, maxLength: 12 };
  const config = modelConfig({ srcVocab: source.size, tgtVocab: target.size, ...sizes, ...options });
  return {
    config,
    source,
    target,
    weights: initializeWeights(config, parameterList(config), 4).map((x) => 3 * x),
  };
}

async function exported(name: string, saved: SavedModel, options: OnnxOptions = {}): Promise<string> {
  const out = join(folder, name);
  await writeFolder(files, out, onnxFiles(saved, options));
  return out;
}

/**
 * Rules of config.json, which transformers ignores if there is a generation_config.json, and options that a
 * caller chooses.
 */
const unusedRules = {
  min_length: 5,
  no_repeat_ngram_size: 3,
  bad_words_ids: [[2]],
  suppress_tokens: [2, 3, 9],
  num_beams: 4,
  max_length: 7,
  num_return_sequences: 2,
  return_dict_in_generate: true,
};

/**
 * A model with them, and with other rules in generation_config.json: there the end token is never suppressed.
 */
async function withOtherRules(): Promise<SavedModel> {
  const generation = {
    forced_bos_token_id: 5,
    bad_words_ids: [[2]],
    suppress_tokens: [3, 9],
    repetition_penalty: 1.1,
    begin_suppress_tokens: [7],
    do_sample: true,
  };
  const config = {
    vocab_size: 16,
    pad_token_id: 1,
    eos_token_id: 2,
    decoder_start_token_id: 2,
    scale_embedding: true,
    ...unusedRules,
    prefix: ' the ',
    task_specific_params: { translation: { prefix: 'cat ' } },
    ...hfSizes('mbart', { width: 16, layers: 2, hidden: 16, heads: 2 }),
  };
  const files = { 'generation_config.json': jsonBytes(generation) };
  const saved = await loadMultilingual('mbart', config, files);
  return {
    ...saved,
    weights: initializeWeights(saved.config, parameterList(saved.config), 4).map((x) => 3 * x),
  };
}

/** Configurations that differ in every option that the exported graphs read. */
const variants: Record<string, Partial<ModelOptions>> = {
  'post-norm': {},
  'pre-norm, gelu, tied': { norm: 'pre', activation: 'gelu', tie: 'all', positions: 'sinusoidal-halves' },
  'learned positions, embedding norm': learnedPositions,
  'as T5': {
    norm: 'pre',
    normType: 'rms',
    positions: 'relative',
    relativeBuckets: 8,
    relativeMaxDistance: 20,
    attentionScale: false,
    biases: false,
    scaleEmbedding: false,
    outputBias: false,
    headWidth: 5,
    tie: 'all',
    scaleOutput: true,
  },
  'as FLAN-T5': {
    norm: 'pre',
    normType: 'rms',
    positions: 'relative',
    relativeBuckets: 6,
    relativeMaxDistance: 5,
    attentionScale: false,
    biases: false,
    outputBias: false,
    feedForwardType: 'gated',
    activation: 'gelu-tanh',
    tie: 'embeddings',
  },
  'as M2M100': { norm: 'pre', positions: 'fairseq-sinusoidal', tie: 'all', outputBias: false },
  'without positions': { positions: 'none' },
  'stacks that differ': { heads: 2, headWidth: 5, decoderHeads: 4, decoderFeedForward: 8, encoderLayers: 1 },
};

const padded: LogitCase = {
  source: [
    [5, 9, 4, 7, 2],
    [8, 2, 0, 0, 0],
  ],
  lengths: [5, 2],
  target: [
    [1, 6, 3, 8],
    [1, 4, 11, 5],
  ],
};

describe.runIf(hasOnnx)('in onnxruntime (needs python3-onnx and python3-onnxruntime)', () => {
  it('has the logits of heddle in every configuration, at once and token by token', async () => {
    const models = Object.values(variants).map((options) => model(options));
    const folders = await Promise.all(models.map((saved, i) => exported(`logits-${i}`, saved)));
    for (const [i, { whole, steps }] of onnxLogits(folders, padded).entries()) {
      const expected = await ownLogits(models[i]!, padded);
      const name = Object.keys(variants)[i];
      expect(logitDifference(whole, expected), name).toBeLessThan(1e-4);
      expect(logitDifference(steps, expected), name).toBeLessThan(1e-4);
    }
  });

  it('rounds weights to float16 and int8', async () => {
    const saved = model({ tie: 'all' });
    const expected = await ownLogits(saved, padded);
    for (const [dtype, suffix, limit] of [
      ['fp16', '_fp16', 1e-2],
      ['q8', '_quantized', 0.2],
    ] as const) {
      const [logits] = onnxLogits([await exported(dtype, saved, { dtype })], padded, suffix);
      expect(logitDifference(logits!.whole, expected), dtype).toBeLessThan(limit);
      expect(logitDifference(logits!.whole, expected), dtype).toBeGreaterThan(0);
    }
  });

  it('stores the tensors of a large model in files beside it', async () => {
    const saved = model({ tie: 'all' });
    const out = await exported('external', saved, { maxBytes: 4000 });
    const names = await files.list(join(out, 'onnx'));
    expect(names).toContain('decoder_model_merged.onnx_data');
    expect(names).toContain('decoder_model_merged.onnx_data_1');
    const config = JSON.parse(new TextDecoder().decode(await files.read(join(out, 'config.json'))));
    const format = config['transformers.js_config'].use_external_data_format;
    const parts = names.filter((name) => name.startsWith('decoder_model_merged.onnx_data')).length;
    expect(format['decoder_model_merged.onnx']).toBe(parts);
    expect(logitDifference(onnxLogits([out], padded)[0]!.whole, await ownLogits(saved, padded))).toBeLessThan(
      1e-4,
    );
  });
});

describe.runIf(ortNode)('in onnxruntime-node (ONNXRUNTIME_NODE names the folder of the package)', () => {
  it('has the logits of heddle in every configuration, in q8 too: it computes in float32', async () => {
    const models = Object.values(variants).map((options) => model({ dModel: 48, ...options }));
    const expected = await Promise.all(models.map((saved) => ownLogits(saved, padded)));
    const folders = await Promise.all(models.map((saved, i) => exported(`node-${i}`, saved)));
    for (const [i, logits] of ortNodeLogits(folders, padded).entries())
      expect(logitDifference(logits, expected[i]!), Object.keys(variants)[i]).toBeLessThan(1e-4);
    const packed = await Promise.all(
      models.map((saved, i) => exported(`node-q8-${i}`, saved, { dtype: 'q8' })),
    );
    // Without the extended rewrites nothing replaces the products.
    const plain = ortNodeLogits(packed, padded, '_quantized', { graphOptimizationLevel: 'basic' });
    for (const [i, logits] of ortNodeLogits(packed, padded, '_quantized').entries())
      expect(
        logitDifference(logits, Float32Array.from(plain[i]!.flat(2))),
        Object.keys(variants)[i],
      ).toBeLessThan(1e-4);
  });

  it('has the positions of M2M100 after the last one of the table', async () => {
    for (const dModel of [48, 51]) {
      const fields: Partial<ModelOptions> = { ...variants['as M2M100'], dModel };
      const out = await exported(`positions-${dModel}`, model({ ...fields, maxLength: 3 }));
      const [logits] = ortNodeLogits([out], padded);
      expect(logitDifference(logits!, await ownLogits(model(fields), padded)), `${dModel}`).toBeLessThan(
        1e-5,
      );
    }
  });
});

const missing = installTransformers();

describe.runIf(missing === undefined)('in transformers.js (needs npm packages)', () => {
  interface Generated {
    readonly source: number[];
    readonly ids: number[];
    readonly text: string;
  }

  interface Case {
    readonly name: string;
    readonly saved: SavedModel;
    readonly texts: readonly string[];
    readonly dtype?: OnnxDtype;
  }

  /** Compares the ids and texts of transformers.js with heddle's. */
  async function compare({ name, saved, texts, dtype = 'fp32' }: Case, theirs: readonly Generated[]) {
    const weights = ({ fp32: 'f32', fp16: 'f16', q8: 'int8', q4: 'int4', q4f16: 'int4' } as const)[dtype];
    const translator = new Translator(cpuEngine(), saved, {
      shape: { batch: 8 },
      parameters: quantizedParameters(parameterList(saved.config), weights),
    });
    const ours = await translator.generate(texts);
    const { endId } = saved.config;
    const distinct = new Set<string>();
    for (const [i, { ids: all, text }] of theirs.entries()) {
      const best = ours[i]?.[0];
      const end = all.indexOf(endId, 1);
      const generated = end < 0 ? all.slice(1) : all.slice(1, end);
      expect(generated, `${name}: ${texts[i]}`).toEqual(best?.ids.filter((id) => id !== endId));
      expect(text.trim(), `${name}: ${texts[i]}`).toBe(best?.text.trim());
      distinct.add(generated.join());
    }
    expect(distinct.size, `${name}: different translations`).toBeGreaterThan(2);
  }

  const words = ['red', 'green', 'blue', 'cat', 'dog', 'house', 'ñandú', 'el', 'la'];
  const r = random(5);
  const sentences = Array.from({ length: 20 }, () =>
    Array.from({ length: 1 + r.int(6) }, () => words[r.int(6)]).join(' '),
  );

  /** Models of each test. */
  const tests: Record<string, () => Promise<readonly Case[]>> = {
    async 'generates the ids of a model with two word vocabularies, unknown words included'() {
      const source = trainWords(['red green blue cat dog'], { size: 30 });
      const target = trainWords(['el la rojo verde azul gato perro casa blue !'], { size: 30 });
      const saved = model({ dModel: 16, heads: 2 }, source, target);
      const texts = [...sentences, 'A ñandú!', 'blue el rojo'];
      return [
        { name: 'words', saved, texts },
        { name: 'words-q8', saved, texts, dtype: 'q8' },
        { name: 'words-q4', saved, texts, dtype: 'q4' },
        { name: 'words-q4f16', saved, texts, dtype: 'q4f16' },
      ];
    },

    async 'generates the ids of models of characters, with a shared tokenizer and with a begin token'() {
      const letters = model({ tie: 'all' }, trainCharacters(['abc de']));
      const special = { pad: 0, start: 1, end: 2, unknown: 3 };
      const side = (characters: string) =>
        createCharacterTokenizer({ characters, size: 12, special, begin: 1 });
      const saved = model({ tie: 'all' }, side('____abcdefgh'), side('____αβγδabcd'));
      const decode = { suppressTokens: [3], forceEos: true, minNewTokens: 2 };
      return [
        { name: 'letters', saved: letters, texts: ['a', 'abc', 'ed a', 'ccc', 'bad x', 'd'] },
        {
          name: 'alphabets',
          saved: { ...saved, decode },
          texts: ['a', 'abc', 'ef', 'cab', 'head', 'g?', 'bb'],
        },
      ];
    },

    async 'generates the ids of a model whose config.json and generation_config.json have different rules'() {
      const texts = ['the cat', 'a', 'cab the', 'abc', 'cat cat', 'b a b', 'c', 'the'];
      return [{ name: 'rules', saved: await withOtherRules(), texts }];
    },

    async 'generates the ids of a model that generates padding, which hides its keys'() {
      const tokenizer = trainCharacters(['abc de']);
      const texts = ['a', 'abc', 'ed a', 'ccc', 'bad x', 'd', 'ee', 'cab', 'dab'];
      const { config } = model({ dModel: 16, heads: 2 }, tokenizer);
      const weights = initializeWeights(config, parameterList(config), 5).map((x) => 3 * x);
      weights[(parameterList(config).byName.get('generator.bias')?.offset ?? 0) + config.padId] = 5;
      const saved = { config, weights, source: tokenizer, target: tokenizer };
      const rules = [{ suppressTokens: [3] }, { suppressTokens: [3], noRepeatNgramSize: 2 }];
      for (const decode of rules) {
        const translator = new Translator(cpuEngine(), { ...saved, decode }, { shape: { batch: 8 } });
        const inside = (await translator.generate(texts)).filter(([best]) =>
          /,0,[1-9]/.test(String(best?.ids)),
        );
        expect(inside.length).toBeGreaterThan(0);
      }
      return rules.map((decode, i) => ({ name: `padding-${i}`, saved: { ...saved, decode }, texts }));
    },

    async 'adds nothing after the end of a text if n-grams must not repeat, while the batch goes on'() {
      const letters = model({ tie: 'all' }, trainCharacters(['abc de']));
      const texts = ['a', 'abc', 'ed a', 'ccc', 'bad x', 'd'];
      const rules = (noRepeatNgramSize: number) => ({
        ...letters,
        decode: { noRepeatNgramSize, suppressTokens: [3] },
      });
      return [1, 2].map((n) => ({ name: `ngrams-${n}`, saved: rules(n), texts }));
    },
  };

  const cases = new Map<string, readonly Case[]>();
  const generated = new Map<Case, readonly Generated[]>();
  // One process for all models: it takes seconds to load transformers.js.
  beforeAll(async () => {
    const runs: object[] = [];
    for (const [title, makeCases] of Object.entries(tests)) {
      cases.set(title, await makeCases());
      for (const { name, saved, texts, dtype = 'fp32' } of cases.get(title) ?? [])
        runs.push({ folder: await exported(name, saved, { dtype }), texts, batchSize: 8 });
    }
    const script = join(import.meta.dirname, '../../../../bench/decode/transformers-node.mjs');
    const input = JSON.stringify(runs);
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], { input, encoding: 'utf8' });
    expect(status === 0 ? '' : stderr).toBe('');
    const found: Generated[][] = JSON.parse(stdout.trim().split('\n').at(-1)!);
    for (const [i, one] of [...cases.values()].flat().entries()) generated.set(one, found[i]!);
  });

  it.each(Object.keys(tests))('%s', async (title) => {
    for (const one of cases.get(title)!) await compare(one, generated.get(one)!);
  });
});

it('stores q8 weights in files that are 3.5 times smaller, and config.json says which file to load', () => {
  const saved = model({ dModel: 128, heads: 4, feedForward: 512 });
  const sizeOf = (parts: Record<string, Uint8Array>) =>
    Object.entries(parts).reduce(
      (sum, [name, bytes]) => sum + (name.endsWith('.onnx') ? bytes.length : 0),
      0,
    );
  const [whole, small] = [onnxFiles(saved), onnxFiles(saved, { dtype: 'q8' })];
  expect(sizeOf(whole) / sizeOf(small)).toBeGreaterThan(3.5);
  expect(Object.keys(small)).toContain('onnx/encoder_model_quantized.onnx');
  const config = JSON.parse(new TextDecoder().decode(small['config.json']));
  expect(config).toMatchObject({ 'transformers.js_config': { dtype: 'q8' }, is_encoder_decoder: true });
});

it('names the layers of the decoder of T5, which a config.json may leave out', async () => {
  const loaded = await loadMultilingual('t5', {
    vocab_size: 16,
    pad_token_id: 0,
    eos_token_id: 1,
    decoder_start_token_id: 0,
  });
  expect(loaded.sourceCheckpoint?.config).not.toHaveProperty('num_decoder_layers');
  const config = JSON.parse(new TextDecoder().decode(onnxFiles(loaded)['config.json']));
  expect(config).toMatchObject({
    model_type: 't5',
    num_layers: 1,
    num_decoder_layers: 1,
    num_heads: 1,
    d_kv: 4,
  });
});

it('writes the decoding rules of the model only to generation_config.json, without options that a caller chooses', async () => {
  const saved = await withOtherRules();
  const read = (name: string) => JSON.parse(new TextDecoder().decode(onnxFiles(saved)[name]));
  expect(read('generation_config.json')).toEqual({
    bad_words_ids: [[3], [9]],
    repetition_penalty: 1.1,
    begin_suppress_tokens: [7],
    forced_bos_token_id: 5,
    max_length: 17,
    decoder_start_token_id: 2,
    eos_token_id: 2,
    pad_token_id: 1,
  });
  const fields = Object.keys(read('config.json'));
  expect(fields).toContain('scale_embedding');
  expect(
    fields.filter((field) => field in unusedRules || ['prefix', 'task_specific_params'].includes(field)),
  ).toEqual([]);
});

it('merges a LoRA adapter into the exported weights', async () => {
  const init = 'tests/fixtures/hf/bart';
  const base = await loadModelFolder(files, init);
  const lora = loraConfig({ rank: 2 });
  const { size } = loraParameters(base.config, lora);
  const weights = Float32Array.from({ length: size }, (_, i) => Math.sin(i) / 4);
  const adapter = join(folder, 'adapter');
  await writeFolder(files, adapter, loraFiles(base.config, { lora, weights }, init));
  const out = join(folder, 'merged');
  await convertFolder(
    { folder: init, out, to: 'onnx', lora: adapter },
    new EngineSession(files, async () => cpuEngine()),
  );
  const [merged, plain] = [mergedWith(base, { lora, weights }), base].map((saved) => onnxFiles(saved));
  for (const name of ['onnx/encoder_model.onnx', 'onnx/decoder_model_merged.onnx']) {
    const bytes = Buffer.from(await files.read(join(out, name)));
    expect(bytes.equals(merged![name]!), name).toBe(true);
    expect(bytes.equals(plain![name]!), name).toBe(false);
  }
});
