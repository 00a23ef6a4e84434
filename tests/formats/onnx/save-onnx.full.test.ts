// Exported models in transformers.js, in Node (wasm) and in Chrome (wasm and WebGPU): trained models, bart-g2p, a sample of each Hugging Face
// family, and merged LoRA adapters generate heddle's greedy token ids for 200 texts; in fp32 the logits of padded batches in onnxruntime are
// heddle's, and q8 files are 3.5 times smaller. The samples have no tokenizers: here each id is a character. Models with tokenizers of
// transformers and language tokens follow. What needs packages that cannot be installed is skipped by name.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { here, installTransformers, writeDecodePage } from '../../../bench/decode/install-transformers.mjs';
import { random } from '../../../src/core/random.ts';
import { createTranslator, type Translation } from '../../../src/decode/translator.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { writeFolder } from '../../../src/files/files.ts';
import { withLanguages } from '../../../src/formats/hf/languages.ts';
import { mergedWith } from '../../../src/formats/lora-folder.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { onnxTokenizer } from '../../../src/formats/onnx/onnx-tokenizer.ts';
import { onnxFiles } from '../../../src/formats/onnx/save-onnx.ts';
import type { OnnxDtype, SavedModel } from '../../../src/formats/shared/saved-model.ts';
import { type Chrome, launchChrome } from '../../../src/host/chrome.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { runInPage } from '../../../src/host/run-in-page.ts';
import { type FolderServer, serveFolder } from '../../../src/host/static-server.ts';
import { loraConfig, loraParameters } from '../../../src/model/lora.ts';
import { intlCorpus } from '../../../src/text/intl/intl-corpus.ts';
import { createCharacterTokenizer } from '../../../src/text/tokenizers/character-tokenizer.ts';
import { distFile } from '../../support/dist.ts';
import { hasOnnx, logitCase, logitDifference, onnxLogits, ownLogits } from '../../support/onnx.ts';
import { fairseqPieces, hfSizes, loadMultilingual, sentencePieceFile, t5Pieces } from '../../support/sentencepiece.ts';

vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 120_000 });
const site = mkdtempSync(join(tmpdir(), 'heddle-onnx-'));
afterAll(() => rmSync(site, { recursive: true }));

/** Texts of each model. */
const count = 200;
const batchSize = 20;

/** The pipelines of each model; the dtypes of Node and WebGPU are those that transformers.js takes by default there. */
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

/** How heddle stores the weights whose ids a dtype has; those of fp16 are nearly those of fp32. */
const everyDtype: readonly OnnxDtype[] = ['fp32', 'fp16', 'q8'];
const weightsOf = { fp32: 'f32', fp16: 'f32', q8: 'int8' } as const;

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

/** A model with two vocabularies of its own, trained for a minute, and sentences that it has not seen. */
async function trainedModel(...more: string[]): Promise<Sample> {
  const pairs = intlCorpus({ source: 'en', target: 'es', pairs: 3000 + count, seed: 1 });
  const [file, out] = [join(site, 'pairs.tsv'), join(site, `trained${more.join('')}`)];
  const lines = pairs.slice(0, 3000).map(({ source, target }) => `${source}\t${target}\n`);
  writeFileSync(file, lines.join(''));
  const options = [
    '--preset',
    'tiny',
    '--vocab-size',
    '1500',
    '--steps',
    '400',
    '--eval-steps',
    '0',
    '--out',
    out,
    ...more,
  ];
  const { status, stderr } = spawnSync(process.execPath, [distFile('cli.js'), 'train', file, ...options], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  const texts = pairs.slice(3000).map(({ source }) => source);
  return { saved: await loadModelFolder(nodeFiles(), out), texts };
}

async function g2p(folder: string): Promise<Sample> {
  const words = readFileSync(join(folder, 'lexicon.tsv'), 'utf8').trim().split('\n');
  const at = (i: number) => words[Math.floor((i * words.length) / count)]?.split('\t')[0] ?? '';
  return { saved: await loadModelFolder(nodeFiles(), folder), texts: Array.from({ length: count }, (_, i) => at(i)) };
}

const load = (folder: string) => loadModelFolder(nodeFiles(), folder);

/** A sample with a LoRA adapter of random weights merged into it. */
async function withLora(folder: string): Promise<Sample> {
  const base = await load(folder);
  const lora = loraConfig({ rank: 2 });
  const weights = Float32Array.from({ length: loraParameters(base.config, lora).size }, (_, i) => Math.sin(i) / 4);
  return withCharacters(mergedWith(base, { lora, weights }));
}

const g2pFolder = '../shared/models/bart-g2p';
const samples = [
  ...['bart', 'bart-pre-norm', 'marian', 'marian-untied', 'marian-two-vocabularies', 'marian-uneven'].map(
    (name) => `tests/fixtures/hf/${name}`,
  ),
  ...['mt5', 'mbart'].map((name) => `tests/fixtures/golden-hf/${name}`),
  ...['m2m100', 'mbart50', 'pegasus', 't5-v1.0', 't5-v1.1-gated-gelu'].map((name) => `../shared/golden-hf/${name}`),
].filter((folder) => existsSync(folder));
const models: [string, () => Promise<Sample>][] = [
  ['trained', () => trainedModel()],
  ['trained-words', () => trainedModel('--tokenizer', 'word', '--set', 'norm=pre')],
  ['trained-shared', () => trainedModel('--set', 'tie=all')],
  ...(existsSync(g2pFolder) ? [['bart-g2p', () => g2p(g2pFolder)] as [string, () => Promise<Sample>]] : []),
  ...samples.map((folder): [string, () => Promise<Sample>] => [
    basename(folder),
    async () => withCharacters(await load(folder)),
  ]),
  ...['tests/fixtures/hf/bart', 'tests/fixtures/golden-hf/mt5'].map((folder): [string, () => Promise<Sample>] => [
    `LoRA of ${basename(folder)}`,
    () => withLora(folder),
  ]),
];

/** Models with tokenizers of transformers, and texts of the words of these. */
const withTokenizers: Record<string, () => Promise<SavedModel>> = {
  mBART: async () =>
    withLanguages(await randomMultilingual('mbart', { vocab_size: n + 27, decoder_start_token_id: n + 20 }), {
      sourceLang: 'de_DE',
      targetLang: 'ro_RO',
    }),
  T5: () =>
    randomMultilingual(
      't5',
      { vocab_size: 32, pad_token_id: 0, eos_token_id: 1, decoder_start_token_id: 0 },
      { 'spiece.model': sentencePieceFile(t5Pieces) },
    ),
  Pegasus: () =>
    randomMultilingual(
      'pegasus',
      { vocab_size: 103 + t5Pieces.length, pad_token_id: 0, eos_token_id: 1, decoder_start_token_id: 0 },
      { 'spiece.model': sentencePieceFile(t5Pieces) },
    ),
};
const n = fairseqPieces.length;

/** A model with random weights that are large enough for translations to differ. */
async function randomMultilingual(...[type, config, files]: Parameters<typeof loadMultilingual>): Promise<SavedModel> {
  const sizes = hfSizes(type, { width: 16, layers: 2, hidden: 24, heads: 2, positions: 40 });
  const saved = await loadMultilingual(type, { ...sizes, ...config }, files);
  return { ...saved, weights: saved.weights.map((x) => 3 * x) };
}

describe.runIf(installTransformers() === undefined)('in transformers.js (needs npm packages)', () => {
  let chrome: Chrome;
  let server: FolderServer;
  /** Whether the adapter has shader-f16: without it transformers.js refuses fp16 on WebGPU, though our files compute in float32. */
  let hasF16 = false;
  beforeAll(async () => {
    mkdirSync(join(site, 'models'));
    await writeDecodePage(site);
    [chrome, server] = await Promise.all([launchChrome({ gpu: 'auto' }), serveFolder(site)]);
    hasF16 = (await chrome.adapter()).features.includes('shader-f16');
    if (!hasF16) console.log('fp16 on WebGPU is not compared: the adapter has no shader-f16');
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

  /** Compares the ids and texts of pipelines with heddle's. */
  async function compare(
    name: string,
    { saved, texts }: Sample,
    hosts: readonly ('node' | 'chrome')[],
    dtypes = everyDtype,
  ) {
    expect(texts).toHaveLength(count);
    const { config } = saved;
    const expected: Record<string, Translation[]> = {};
    for (const dtype of dtypes) {
      const weights = weightsOf[dtype];
      await writeFolder(nodeFiles(), join(site, 'models', `${name}-${dtype}`), onnxFiles(saved, { dtype }));
      const translator = await createTranslator(cpuEngine(), saved, { batch: batchSize, weights });
      // transformers.js stops after 256 tokens.
      const found = await translator.generate(texts, { maxNewTokens: Math.min(256, config.maxLength) });
      expected[dtype] = found.map(([best]) => best!);
      if (dtypes === everyDtype)
        expect(new Set(found.map(([best]) => best?.text)).size, 'different translations').toBeGreaterThan(2);
    }
    for (const host of hosts) {
      const own = pipelines.filter(
        ({ host: at, device, dtype }) =>
          at === host && dtypes.includes(dtype) && (device !== 'webgpu' || dtype !== 'fp16' || hasF16),
      );
      const runs = own.map(({ device, dtype, task }) => ({
        ...{ model: `${name}-${dtype}`, task, device, dtype, texts, batchSize },
      }));
      const generated = await generatedBy(host, runs);
      for (const [i, { device, dtype, task }] of own.entries()) {
        const ours = expected[dtype]!;
        const theirs = generated[i]!;
        const same = theirs.filter(({ ids }, k) => {
          const end = ids.indexOf(config.endId, 1);
          const found = end < 0 ? ids.slice(1) : ids.slice(1, end);
          return String(found) === String(ours[k]?.ids.filter((id) => id !== config.endId));
        });
        // transformers leaves unknown tokens out of a text; heddle shows them.
        const { unknown } = saved.target.special;
        const sameTexts = theirs.filter(
          ({ text }, k) => ours[k]?.ids.includes(unknown) || text.trim() === ours[k]?.text.trim(),
        );
        const kind = `${name}: ${host}, ${device}, ${dtype}, ${task}`;
        console.log(`| ${kind} | ${same.length} of ${count} |`);
        const least = dtype === 'fp16' ? 0.99 * count : count;
        expect(same.length, kind).toBeGreaterThanOrEqual(least);
        expect(sameTexts.length, `texts of ${kind}`).toBeGreaterThanOrEqual(least);
      }
    }
    return saved;
  }

  it.each(models)('%s', async (name, open) => {
    const saved = await compare(name, await open(), ['node', 'chrome']);
    if (!hasOnnx)
      return console.log(`${name}: logits are not compared, there is no python3-onnx or python3-onnxruntime`);
    const of = logitCase(saved.config);
    const expected = await ownLogits(saved, of);
    const { sourceIds } = onnxTokenizer(saved.source, saved.target);
    const source = of.source.map((row) => row.map((id) => sourceIds?.indexOf(id) ?? id));
    const [found] = onnxLogits([join(site, 'models', `${name}-fp32`)], { ...of, source });
    const differences = [found!.whole, found!.steps].map((logits) => logitDifference(logits, expected));
    console.log(`| ${name}: onnxruntime | ${differences.map((x) => x.toExponential(1)).join(', ')} |`);
    for (const difference of differences) expect(difference).toBeLessThan(1e-4);
  });

  it.each(Object.entries(withTokenizers))('%s with its tokenizer', async (name, open) => {
    const r = random(9);
    const text = () =>
      Array.from({ length: 1 + r.int(6) }, () => r.pick(['the', 'cat', 'a', 'bc', 'cab', '☃'])).join(' ');
    const sample = { saved: await open(), texts: Array.from({ length: count }, text) };
    // Translations of these random models hardly differ, and float16 moves some: here the ids of sources and the texts are tested.
    await compare(name, sample, ['node'], ['fp32', 'q8']);
  });
});

it.each(['bart', 'marian', 't5', 'mt5', 'm2m_100', 'mbart', 'pegasus'])(
  '%s is smaller by 3.5 times as q8',
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
