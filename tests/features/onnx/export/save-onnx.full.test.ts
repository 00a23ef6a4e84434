// Exported models in transformers.js, in Node (wasm) and in Chrome (wasm and WebGPU): trained models,
// bart-g2p, a sample of each Hugging Face family, merged LoRA adapters, and a model of each tokenizer of
// transformers, fine-tuned here, generate heddle's greedy token ids for 200 texts; in fp32 the logits of
// padded batches in onnxruntime are heddle's, and q8 files are 3.5 times smaller. Each id of a sample without
// a tokenizer is a character. What needs packages that cannot be installed is skipped by name.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  here,
  installTransformers,
  writeDecodePage,
} from '../../../../bench/decode/install-transformers.mjs';
import { random } from '../../../../src/core/random.ts';
import type { LanguageOptions, Translation } from '../../../../src/decode/text-options.ts';
import { Translator } from '../../../../src/decode/translator.ts';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import { onnxFiles } from '../../../../src/features/onnx/export/save-onnx.ts';
import type { OnnxDtype } from '../../../../src/features/onnx/onnx-format.ts';
import { jsonBytes } from '../../../../src/files/json-files.ts';
import { writeFolder } from '../../../../src/files/owned-folder.ts';
import { withLanguages } from '../../../../src/formats/hf/languages.ts';
import { hfFiles } from '../../../../src/formats/hf/save-hf.ts';
import { mergedWith } from '../../../../src/formats/lora-folder.ts';
import type { HfType } from '../../../../src/formats/shared/hf-types.ts';
import type { SavedModel } from '../../../../src/formats/shared/saved-model.ts';
import { exportTokenizer } from '../../../../src/formats/tokenizers/exported-tokenizer.ts';
import { type Chrome, launchChrome } from '../../../../src/host/chrome.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { runInPage } from '../../../../src/host/run-in-page.ts';
import { type FolderServer, serveFolder } from '../../../../src/host/static-server.ts';
import { initializeWeights } from '../../../../src/model/initialize-weights.ts';
import { loraConfig, loraParameters } from '../../../../src/model/lora.ts';
import { parameterList } from '../../../../src/model/parameters.ts';
import { quantizedParameters } from '../../../../src/model/quantized-parameters.ts';
import { intlCorpus } from '../../../../src/text/intl/intl-corpus.ts';
import { createCharacterTokenizer } from '../../../../src/text/tokenizers/character-tokenizer.ts';
import { distFile } from '../../../support/dist.ts';
import { testEngine } from '../../../support/engine.ts';
import { loadModelFolder } from '../../../support/load-folder.ts';
import { hasOnnx, logitCase, logitDifference, onnxLogits, ownLogits } from '../../../support/onnx.ts';
import {
  fairseqPieces,
  hfSizes,
  loadMultilingual,
  sentencePieceFile,
  t5Pieces,
} from '../../../support/sentencepiece.ts';

vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 120_000 });
const site = mkdtempSync(join(tmpdir(), 'heddle-onnx-'));
afterAll(() => rmSync(site, { recursive: true }));

/** Texts of each model. */
const count = 200;
const batchSize = 20;

/**
 * The pipelines of each model; the dtypes of Node and WebGPU are those that transformers.js takes by default
 * there.
 */
const pipelines = [
  { host: 'node', device: 'wasm', dtype: 'fp32', task: 'translation' },
  { host: 'node', device: 'wasm', dtype: 'fp16', task: 'text2text-generation' },
  { host: 'node', device: 'wasm', dtype: 'q8', task: 'translation' },
  { host: 'chrome', device: 'wasm', dtype: 'fp32', task: 'text2text-generation' },
  { host: 'chrome', device: 'wasm', dtype: 'fp16', task: 'translation' },
  { host: 'chrome', device: 'wasm', dtype: 'q8', task: 'text2text-generation' },
  { host: 'chrome', device: 'webgpu', dtype: 'fp32', task: 'translation' },
  { host: 'chrome', device: 'webgpu', dtype: 'fp16', task: 'text2text-generation' },
  { host: 'chrome', device: 'webgpu', dtype: 'q8', task: 'translation' },
] as const;

/** The pipelines of files in four bits. */
const int4Pipelines = [
  { host: 'node', device: 'wasm', dtype: 'q4', task: 'translation' },
  { host: 'node', device: 'wasm', dtype: 'q4f16', task: 'text2text-generation' },
  { host: 'chrome', device: 'webgpu', dtype: 'q4', task: 'translation' },
] as const;

/** How heddle stores the weights whose ids a dtype of the pipelines has. Those of fp16 are nearly those of fp32. */
const weightsOf = { fp32: 'f32', fp16: 'f16', q8: 'int8', q4: 'int4', q4f16: 'int4' } as const;
type Dtype = keyof typeof weightsOf;

/** Folder of an exported model. transformers.js in a page finds none with spaces in its name. */
const exportName = (name: string, dtype: string) => `${name.replaceAll(' ', '-')}-${dtype}`;

/** A pipeline over texts. */
interface Run {
  readonly model: string;
  readonly task: string;
  readonly device: string;
  readonly dtype: OnnxDtype;
  readonly texts: readonly string[];
  readonly batchSize: number;
}

interface Generated {
  readonly ids: readonly number[];
  readonly text: string;
}

/** A model whose tokens are characters, for samples without tokenizers, and texts of it. */
function withCharacters(loaded: SavedModel): Sample {
  const { config, source: own } = loaded;
  const { special } = own;
  const specials = [special.pad, special.start, special.end, special.unknown];
  const character = (id: number) => (specials.includes(id) ? '_' : String.fromCodePoint(0x4e00 + id));
  const side = (size: number) =>
    createCharacterTokenizer({
      characters: Array.from({ length: size }, (_, id) => character(id)).join(''),
      size,
      special,
    });
  const source = side(config.srcVocab);
  const target = config.srcVocab === config.tgtVocab ? source : side(config.tgtVocab);
  const r = random(5);
  const ids = Array.from({ length: config.srcVocab }, (_, id) => id).filter((id) => !specials.includes(id));
  const text = () => Array.from({ length: 1 + r.int(6) }, () => character(r.pick(ids))).join('');
  return { saved: { ...loaded, source, target }, texts: Array.from({ length: count }, text) };
}

/** A model and texts. */
interface Sample {
  readonly saved: SavedModel;
  readonly texts: string[];
}

/** Folders of models that are trained. */
const trained = new Set<string>();

/** Trains with the command, once for each name; returns the model. */
async function trainedOn(
  name: string,
  lines: readonly string[],
  options: readonly string[],
): Promise<SavedModel> {
  const [file, out] = [join(site, `${name}.tsv`), join(site, name)];
  if (trained.has(out)) return load(out);
  writeFileSync(file, lines.join(''));
  const args = ['train', file, '--out', out, '--eval-steps', '0', ...options];
  const { status, stderr } = spawnSync(process.execPath, [distFile('cli.js'), ...args], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  trained.add(out);
  return load(out);
}

/** Options of a fine-tuning of less than a minute. */
const fineTuning = (steps: number, rate: number) => [
  ...['--steps', `${steps}`, '--learning-rate', `${rate}`, '--batch-size', '32', '--warmup-steps', '50'],
  ...['--schedule', 'cosine', '--dropout', '0'],
];

/**
 * A model with vocabularies of its own, trained for half a minute, and sentences that it has not seen. It is small: the
 * float64 reference translates them for each dtype.
 */
async function trainedModel(...more: string[]): Promise<Sample> {
  const pairs = intlCorpus({ source: 'en', target: 'es', pairs: 3000 + count, seed: 1 });
  const lines = pairs.slice(0, 3000).map(({ source, target }) => `${source}\t${target}\n`);
  const sizes = ['dModel=64', 'feedForward=128', 'encoderLayers=1', 'decoderLayers=1'];
  const size = [...sizes.flatMap((given) => ['--set', given]), '--vocab-size', '1500', '--no-tune'];
  const options = ['--preset', 'tiny', ...size, '--steps', '400', ...more];
  const saved = await trainedOn(`trained${more.join('')}`, lines, options);
  return { saved, texts: pairs.slice(3000).map(({ source }) => source) };
}

async function g2p(folder: string): Promise<Sample> {
  const words = readFileSync(join(folder, 'lexicon.tsv'), 'utf8').trim().split('\n');
  const at = (i: number) => words[Math.floor((i * words.length) / count)]?.split('\t')[0] ?? '';
  return {
    saved: await loadModelFolder(nodeFiles(), folder),
    texts: Array.from({ length: count }, (_, i) => at(i)),
  };
}

const load = (folder: string) => loadModelFolder(nodeFiles(), folder);

/**
 * Samples whose greedy choices are often ties up to the rounding of float16: with random weights they rarely
 * end a text, and of 63 to 256 tokens some have a second best logit that differs by 1e-7 to 9e-4 of the
 * spread.
 */
const hasTies = (folder: string) => /\/(m?t5[^/]*|shared\/golden-hf\/[^/]*)$/.test(folder);

/** A sample that is fine-tuned to copy ids, so that it has no ties and ends its texts. */
async function fineTuned(folder: string): Promise<SavedModel> {
  const { source, config } = await load(folder);
  const { pad, start, end, unknown } = source.special;
  const ids = Array.from({ length: config.srcVocab }, (_, id) => id).filter(
    (id) => ![pad, start, end, unknown].includes(id),
  );
  const r = random(7);
  const lines = Array.from({ length: 2000 }, () => {
    const text = Array.from({ length: 1 + r.int(6) }, () => r.pick(ids)).join(' ');
    return `${text}\t${text}\n`;
  });
  return trainedOn(folder.replaceAll('/', '-'), lines, ['--init', folder, ...fineTuning(2500, 1e-2)]);
}

/** A sample without ties. */
const openSample = (folder: string) => (hasTies(folder) ? fineTuned(folder) : load(folder));

/** A sample with a LoRA adapter of random weights merged into it. */
async function withLora(folder: string): Promise<Sample> {
  const base = await openSample(folder);
  const lora = loraConfig({ rank: 2 });
  const weights = Float32Array.from(
    { length: loraParameters(base.config, lora).size },
    (_, i) => Math.sin(i) / 4,
  );
  return withCharacters(mergedWith(base, { lora, weights }));
}

const g2pFolder = '../shared/models/bart-g2p';
const samples = [
  ...['bart', 'bart-pre-norm', 'marian', 'marian-untied', 'marian-two-vocabularies', 'marian-uneven'].map(
    (name) => `tests/fixtures/hf/${name}`,
  ),
  ...['m2m_100', 'mbart', 'mt5', 'pegasus', 't5-v1.0', 't5-v1.1'].map(
    (name) => `tests/fixtures/golden-hf/${name}`,
  ),
  ...['m2m100', 'mbart50', 'pegasus', 't5-v1.0', 't5-v1.1-gated-gelu'].map(
    (name) => `../shared/golden-hf/${name}`,
  ),
];
/** A model and its name. */
interface Named {
  readonly name: string;
  readonly open: () => Promise<Sample>;
  /** A folder that may be missing. */
  readonly needs?: string;
}

const models: Named[] = [
  { name: 'trained', open: () => trainedModel() },
  { name: 'trained-words', open: () => trainedModel('--tokenizer', 'word', '--set', 'norm=pre') },
  { name: 'trained-shared', open: () => trainedModel('--set', 'tie=all') },
  { name: 'bart-g2p', open: () => g2p(g2pFolder), needs: g2pFolder },
  ...samples.map((folder): Named => {
    const open = async () => withCharacters(await openSample(folder));
    const name = basename(folder);
    return folder.startsWith('../shared') ? { name: `shared ${name}`, open, needs: folder } : { name, open };
  }),
  ...['tests/fixtures/hf/bart', 'tests/fixtures/golden-hf/mt5'].map(
    (folder): Named => ({ name: `LoRA of ${basename(folder)}`, open: () => withLora(folder) }),
  ),
];

/** A model with a tokenizer of transformers: type, fields of config.json and files. */
type TokenizerModel = readonly [...Parameters<typeof loadMultilingual>, languages?: LanguageOptions];

const n = fairseqPieces.length;
const numbered = (tokens: readonly string[]) =>
  jsonBytes(Object.fromEntries(tokens.map((token, id) => [token, id])));
const spiece = { 'spiece.model': sentencePieceFile(t5Pieces) };
const endIsOne = { pad_token_id: 0, eos_token_id: 1, decoder_start_token_id: 0 };
const marianPieces = sentencePieceFile(['<unk>', '<s>', '</s>', '▁', 'a', 'b', 'c', '▁the', '▁cat']);
const merges = ['t h', 'th e', 'c a', 'ca t', 'Ġ the', 'Ġ cat', 'Ġ a', 'â ĺ', 'âĺ ĥ'];
const bytePieces = [...'abceht', 'Ġ', 'â', 'ĺ', 'ĥ', ...merges.map((pair) => pair.replace(' ', ''))];
const withTokenizers: Record<string, TokenizerModel> = {
  BART: [
    'bart',
    { vocab_size: 4 + bytePieces.length },
    {
      'vocab.json': numbered(['<s>', '<pad>', '</s>', '<unk>', ...bytePieces]),
      'merges.txt': new TextEncoder().encode(`#version: 0.2\n${merges.join('\n')}\n`),
    },
  ],
  MarianMT: [
    'marian',
    { vocab_size: 9, pad_token_id: 8, decoder_start_token_id: 8, eos_token_id: 0 },
    {
      'source.spm': marianPieces,
      'target.spm': marianPieces,
      'vocab.json': numbered(['</s>', '<unk>', '▁', 'a', 'b', 'c', '▁the', '▁cat', '<pad>']),
    },
  ],
  M2M100: [
    'm2m_100',
    { vocab_size: 118, decoder_start_token_id: 2 },
    { 'vocab.json': numbered(['<s>', '<pad>', '</s>', '<unk>', '▁', 'a', 'b', 'c', '▁the', '▁cat']) },
    { sourceLang: 'de', targetLang: 'fr' },
  ],
  NLLB: [
    'm2m_100',
    { vocab_size: n + 206, decoder_start_token_id: 2 },
    {},
    { sourceLang: 'deu_Latn', targetLang: 'fra_Latn' },
  ],
  mBART: [
    'mbart',
    { vocab_size: n + 27, decoder_start_token_id: n + 20 },
    {},
    { sourceLang: 'de_DE', targetLang: 'ro_RO' },
  ],
  'mBART-50': [
    'mbart',
    { vocab_size: n + 54, decoder_start_token_id: 2 },
    {},
    { sourceLang: 'de_DE', targetLang: 'fr_XX' },
  ],
  T5: ['t5', { vocab_size: 128, ...endIsOne }, spiece],
  mT5: ['mt5', { vocab_size: 128, ...endIsOne }, spiece],
  Pegasus: ['pegasus', { vocab_size: 103 + t5Pieces.length, ...endIsOne }, spiece],
};

/** Words of the texts of these models, and their translations. */
const dictionary = { the: 'cat', cat: 'a', a: 'bc', bc: 'the', cab: 'cab', '☃': 'cc' } as const;
const words = Object.keys(dictionary) as (keyof typeof dictionary)[];

/**
 * A model with a tokenizer, fine-tuned to translate word by word: the greedy choices of random weights are
 * often ties up to the rounding of float16, those of a trained model are not.
 */
async function withTokenizer(name: string): Promise<Sample> {
  const [type, fields, files, languages = {}] = withTokenizers[name] as TokenizerModel;
  const sizes = hfSizes(type, { width: 32, layers: 2, hidden: 64, heads: 4, positions: 40 });
  const untrained = await loadMultilingual(type, { ...sizes, ...fields }, files);
  const weights = initializeWeights(untrained.config, parameterList(untrained.config), 1);
  const init = join(site, `${name}-init`);
  await writeFolder(nodeFiles(), init, hfFiles({ ...untrained, weights }, type as HfType));
  const r = random(9);
  const text = () => Array.from({ length: 1 + r.int(6) }, () => r.pick(words));
  const lines = Array.from({ length: 2000 }, text).map(
    (source) => `${source.join(' ')}\t${source.map((word) => dictionary[word]).join(' ')}\n`,
  );
  const { sourceLang, targetLang } = languages;
  const saved = await trainedOn(name, lines, [
    ...['--init', init, ...fineTuning(800, 5e-3)],
    ...(sourceLang && targetLang ? ['--source-lang', sourceLang, '--target-lang', targetLang] : []),
  ]);
  return {
    saved: withLanguages(saved, languages),
    texts: Array.from({ length: count }, () => text().join(' ')),
  };
}

describe.runIf(installTransformers() === undefined)('in transformers.js (needs npm packages)', () => {
  let chrome: Chrome;
  let server: FolderServer;
  /**
   * Whether the adapter has shader-f16. Without it transformers.js refuses dtype fp16 on WebGPU; our files
   * compute in float32, so they are loaded under the names of fp32 there.
   */
  let hasF16 = false;
  beforeAll(async () => {
    mkdirSync(join(site, 'models'));
    await writeDecodePage(site);
    [chrome, server] = await Promise.all([launchChrome({ gpu: 'auto' }), serveFolder(site)]);
    hasF16 = (await chrome.adapter()).features.includes('shader-f16');
    if (!hasF16) console.log('fp16 on WebGPU is loaded as fp32: the adapter has no shader-f16');
  });
  afterAll(() => Promise.all([chrome.close(), server.close()]));

  /** What a host generates for runs of pipelines, in one process or page. */
  async function generatedBy(host: 'node' | 'chrome', runs: readonly Run[]): Promise<Generated[][]> {
    if (host === 'chrome')
      return runInPage(chrome, server.url, { call: 'runPipelines', args: [runs], silence: 600_000 });
    const input = JSON.stringify(runs.map((run) => ({ ...run, folder: join(site, 'models', run.model) })));
    const settings = { input, encoding: 'utf8', maxBuffer: 2 ** 28 } as const;
    const { stdout, stderr } = spawnSync(process.execPath, [join(here, 'transformers-node.mjs')], settings);
    expect(stderr).toBe('');
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  }

  /** Exports a model in a dtype; `-as-fp32` has the same files with the names of fp32. */
  async function exportAs(name: string, saved: SavedModel, dtype: OnnxDtype, maxBytes?: number) {
    const files = onnxFiles(saved, { dtype, maxBytes });
    await writeFolder(nodeFiles(), join(site, 'models', exportName(name, dtype)), files);
    if (dtype !== 'fp16' || hasF16) return;
    const renamed = Object.entries(files).map(([file, bytes]) => [file.replace('_fp16', ''), bytes] as const);
    await writeFolder(
      nodeFiles(),
      join(site, 'models', exportName(name, 'fp16-as-fp32')),
      Object.fromEntries(renamed),
    );
  }

  /** Compares the ids and texts of pipelines with heddle's: all of them, in four bits 97 % of the ids. */
  async function compare(
    name: string,
    { saved, texts }: Sample,
    compared: typeof pipelines | typeof int4Pipelines = pipelines,
    engine = cpuEngine(),
  ) {
    const { length: count } = texts;
    const { config } = saved;
    const byWeights: Partial<Record<(typeof weightsOf)[Dtype], Translation[]>> = {};
    const expected = {} as Record<Dtype, Translation[]>;
    for (const dtype of new Set<Dtype>(compared.map((pipeline) => pipeline.dtype))) {
      await exportAs(name, saved, dtype);
      const weights = weightsOf[dtype];
      const parameters = quantizedParameters(parameterList(config), weights);
      // transformers.js stops after 256 tokens.
      const limits = { maxNewTokens: Math.min(256, config.maxLength) };
      const translator = new Translator(engine, saved, { shape: { batch: batchSize }, parameters });
      const found = byWeights[weights] ?? (await translator.generate(texts, limits)).map(([best]) => best!);
      byWeights[weights] = found;
      expected[dtype] = found;
      expect(new Set(found.map(({ text }) => text)).size, 'different translations').toBeGreaterThan(2);
    }
    /** Ids without start and end tokens. */
    const idsOf = ({ ids }: Generated) => {
      const end = ids.indexOf(config.endId, 1);
      return end < 0 ? ids.slice(1) : ids.slice(1, end);
    };
    const withoutEnd = (ours: Translation) => ours.ids.filter((id) => id !== config.endId);
    const isSame = (theirs: Generated, ours: Translation) =>
      String(idsOf(theirs)) === String(withoutEnd(ours));
    // transformers leaves unknown tokens out of a text; heddle shows them.
    const { unknown } = saved.target.special;
    const isSameText = ({ text }: Generated, ours: Translation) =>
      ours.ids.includes(unknown) || text.trim() === ours.text.trim();
    for (const host of ['node', 'chrome'] as const) {
      const own = compared.filter((pipeline) => pipeline.host === host);
      const runs = own.map(({ device, dtype, task }) => {
        const renamed = dtype === 'fp16' && device === 'webgpu' && !hasF16;
        const at = renamed
          ? { model: exportName(name, 'fp16-as-fp32'), dtype: 'fp32' as const }
          : { model: exportName(name, dtype), dtype };
        return { ...at, task, device, texts, batchSize };
      });
      const generated = await generatedBy(host, runs);
      for (const [i, { device, dtype, task }] of own.entries()) {
        const theirs = generated[i]!;
        const equal = (ours: readonly Translation[], same = isSame) =>
          theirs.filter((each, k) => same(each, ours[k]!)).length;
        const kind = `${name}: ${host}, ${device}, ${dtype}, ${task}`;
        if (weightsOf[dtype] === 'int4') {
          const all = expected[dtype].map(withoutEnd);
          const same = theirs.flatMap((each, k) => idsOf(each).filter((id, at) => id === all[k]?.[at]));
          console.log(`| ${kind} | ${same.length} of ${all.flat().length} ids |`);
          expect(same.length / all.flat().length, kind).toBeGreaterThanOrEqual(0.97);
          continue;
        }
        const [ids, asFloat32] = [equal(expected[dtype]), equal(expected.fp32)];
        console.log(`| ${kind} | ${ids} of ${count} |${dtype === 'fp16' ? ` of fp32: ${asFloat32} |` : ''}`);
        expect(ids, kind).toBe(count);
        expect(equal(expected[dtype], isSameText), `texts of ${kind}`).toBe(count);
        if (dtype === 'fp16')
          expect(asFloat32, `${kind}, compared with fp32`).toBeGreaterThanOrEqual(0.99 * count);
      }
    }
  }

  /** Compares the logits of padded batches in onnxruntime with heddle's. */
  async function compareLogits(name: string, saved: SavedModel) {
    const of = logitCase(saved.config);
    const expected = await ownLogits(saved, of);
    const { sourceIds } = exportTokenizer(saved.source, saved.target);
    const source = of.source.map((row) => row.map((id) => sourceIds?.indexOf(id) ?? id));
    const [found] = onnxLogits([join(site, 'models', exportName(name, 'fp32'))], { ...of, source });
    const differences = [found!.whole, found!.steps].map((logits) => logitDifference(logits, expected));
    console.log(`| ${name}: onnxruntime | ${differences.map((x) => x.toExponential(1)).join(', ')} |`);
    for (const difference of differences) expect(difference).toBeLessThan(1e-4);
  }

  // In Node transformers.js leaves these files to onnxruntime-node, which reads them by path.
  it('loads the tensors of a model over the limit of a file in Chrome', async () => {
    const { saved, texts: all } = withCharacters(await load('tests/fixtures/hf/bart'));
    const texts = all.slice(0, batchSize);
    await exportAs('whole', saved, 'fp32');
    await exportAs('parts', saved, 'fp32', 4000);
    const data = (name: string) =>
      existsSync(join(site, 'models', `${name}-fp32`, 'onnx/decoder_model_merged.onnx_data_1'));
    expect([data('whole'), data('parts')]).toEqual([false, true]);
    for (const device of ['wasm', 'webgpu']) {
      const runs = ['whole-fp32', 'parts-fp32'].map((model) => {
        return { model, task: 'translation', device, dtype: 'fp32', texts, batchSize } as const;
      });
      const [whole, parts] = await generatedBy('chrome', runs);
      expect(whole).toHaveLength(batchSize);
      expect(parts, device).toEqual(whole);
    }
  });

  it.skipIf(!existsSync(g2pFolder))(
    `has the ids of int4 in the files q4 and q4f16 of bart-g2p (needs ${g2pFolder})`,
    async () => {
      const { saved, texts } = await g2p(g2pFolder);
      const engine = await testEngine();
      await compare('bart-g2p-int4', { saved, texts: texts.slice(0, 60) }, int4Pipelines, engine);
      engine.destroy();
    },
  );

  const withOwnTokenizers = Object.keys(withTokenizers).map(
    (name): Named => ({ name: `${name} with its tokenizer`, open: () => withTokenizer(name) }),
  );
  const all = [...models, ...withOwnTokenizers].map((each) => [each.name, each] as const);
  describe.each(all)('%s', (name, { open, needs }) => {
    const isMissing = needs !== undefined && !existsSync(needs);
    const title = (what: string, ...more: string[]) => {
      const all = [...more, ...(needs ? [needs] : [])];
      return all.length > 0 ? `${what} (needs ${all.join(' and ')})` : what;
    };
    let saved: SavedModel | undefined;
    it.skipIf(isMissing)(title('gives the ids and texts of heddle'), async () => {
      const sample = await open();
      saved = sample.saved;
      await compare(name, sample);
    });
    it.skipIf(isMissing || !hasOnnx)(
      title('has the logits of heddle in onnxruntime', 'python3-onnx', 'python3-onnxruntime'),
      async () => {
        expect(saved, 'the model of the test before').toBeDefined();
        await compareLogits(name, saved as SavedModel);
      },
    );
  });
});

it.each(['bart', 'marian', 't5', 'mt5', 'm2m_100', 'mbart', 'pegasus'])(
  'stores %s as q8 in files that are 3.5 times smaller',
  async (type) => {
    const sizes = hfSizes(type, { width: 256, hidden: 1024, heads: 4, positions: 128 });
    const first = ['bart', 'm2m_100', 'mbart'].includes(type) ? 1 : 0; // padding, then the end
    const special = { pad_token_id: first, eos_token_id: first + 1, decoder_start_token_id: first };
    const files = { 'spiece.model': sentencePieceFile(t5Pieces) };
    const saved = await loadMultilingual(type, { vocab_size: 1000, ...sizes, ...special }, files);
    const [whole = 0, small = 0] = (['fp32', 'q8'] as const).map((dtype) =>
      Object.entries(onnxFiles(withCharacters(saved).saved, { dtype })).reduce(
        (sum, [name, { length }]) => sum + (name.startsWith('onnx/') ? length : 0),
        0,
      ),
    );
    console.log(`| ${type} | ${(whole / small).toFixed(2)} times smaller as q8 |`);
    expect(whole / small).toBeGreaterThan(3.5);
  },
);
