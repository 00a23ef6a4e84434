// Exported models in transformers.js, in Node (wasm) and in Chrome (wasm and WebGPU): a trained model, bart-g2p and a sample
// of each Hugging Face family generate heddle's greedy token ids for 200 texts. The samples have no tokenizers: here each id is
// a character. Skipped by name if transformers.js cannot be installed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { here, installTransformers, writeDecodePage } from '../../../bench/decode/install-transformers.mjs';
import { random } from '../../../src/core/random.ts';
import { createTranslator } from '../../../src/decode/translator.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { writeFolder } from '../../../src/files/files.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { onnxFiles } from '../../../src/formats/onnx/save-onnx.ts';
import type { OnnxDtype, SavedModel } from '../../../src/formats/shared/saved-model.ts';
import { type Chrome, launchChrome } from '../../../src/host/chrome.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { runInPage } from '../../../src/host/run-in-page.ts';
import { type FolderServer, serveFolder } from '../../../src/host/static-server.ts';
import { intlCorpus } from '../../../src/text/intl/intl-corpus.ts';
import { createCharacterTokenizer } from '../../../src/text/tokenizers/character-tokenizer.ts';
import { distFile } from '../../support/dist.ts';

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
  { host: 'chrome', device: 'wasm', dtype: 'fp32', task: 'text2text-generation' },
  { host: 'chrome', device: 'wasm', dtype: 'fp16', task: 'translation' },
  { host: 'chrome', device: 'webgpu', dtype: 'fp32', task: 'translation' },
  { host: 'chrome', device: 'webgpu', dtype: 'fp16', task: 'text2text-generation' },
] as const;

interface Generated {
  readonly ids: readonly number[];
  readonly text: string;
}

/** A model whose tokens are characters, for samples without tokenizers, and texts of it. */
function withCharacters(loaded: SavedModel): { saved: SavedModel; texts: string[] } {
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

/** A model with two vocabularies of its own, trained for a minute, and sentences that it has not seen. */
async function trainedModel(): Promise<{ saved: SavedModel; texts: string[] }> {
  const pairs = intlCorpus({ source: 'en', target: 'es', pairs: 3000 + count, seed: 1 });
  const [file, out] = [join(site, 'pairs.tsv'), join(site, 'trained')];
  const lines = pairs.slice(0, 3000).map(({ source, target }) => `${source}\t${target}\n`);
  writeFileSync(file, lines.join(''));
  const options = ['--preset', 'tiny', '--vocab-size', '1500', '--steps', '400', '--eval-steps', '0', '--out', out];
  const { status, stderr } = spawnSync(process.execPath, [distFile('cli.js'), 'train', file, ...options], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  const texts = pairs.slice(3000).map(({ source }) => source);
  return { saved: await loadModelFolder(nodeFiles(), out), texts };
}

async function g2p(folder: string): Promise<{ saved: SavedModel; texts: string[] }> {
  const words = readFileSync(join(folder, 'lexicon.tsv'), 'utf8').trim().split('\n');
  const at = (i: number) => words[Math.floor((i * words.length) / count)]?.split('\t')[0] ?? '';
  return { saved: await loadModelFolder(nodeFiles(), folder), texts: Array.from({ length: count }, (_, i) => at(i)) };
}

const g2pFolder = '../shared/models/bart-g2p';
const fixtures = ['bart', 'bart-pre-norm', 'marian', 'marian-untied', 'marian-two-vocabularies', 'marian-uneven'];
const golden = ['m2m100', 'mbart50', 'pegasus', 't5-v1.0', 't5-v1.1-gated-gelu'];
const samples = [
  ...fixtures.map((name) => `tests/fixtures/hf/${name}`),
  ...golden.map((name) => `../shared/golden-hf/${name}`),
].filter((folder) => existsSync(folder));
const models: [string, () => Promise<{ saved: SavedModel; texts: string[] }>][] = [
  ['trained', trainedModel],
  ...(existsSync(g2pFolder) ? [['bart-g2p', () => g2p(g2pFolder)] as (typeof models)[number]] : []),
  ...samples.map((folder): (typeof models)[number] => [
    basename(folder),
    async () => withCharacters(await loadModelFolder(nodeFiles(), folder)),
  ]),
];

describe.runIf(installTransformers() === undefined)('in transformers.js (needs npm packages)', () => {
  let chrome: Chrome;
  let server: FolderServer;
  beforeAll(async () => {
    mkdirSync(join(site, 'models'));
    await writeDecodePage(site);
    [chrome, server] = await Promise.all([launchChrome({ gpu: 'auto' }), serveFolder(site)]);
  });
  afterAll(() => Promise.all([chrome.close(), server.close()]));

  function inNode(model: string, options: Readonly<Record<string, unknown>>): Generated[] {
    const script = join(here, 'transformers-node.mjs');
    const settings = { input: JSON.stringify(options), encoding: 'utf8', maxBuffer: 2 ** 28 } as const;
    const { stdout, stderr } = spawnSync(process.execPath, [script, join(site, 'models', model)], settings);
    expect(stderr).toBe('');
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  }

  it.each(models)('%s', async (name, open) => {
    const { saved, texts } = await open();
    expect(texts).toHaveLength(count);
    const { config } = saved;
    for (const dtype of ['fp32', 'fp16'] satisfies OnnxDtype[])
      await writeFolder(nodeFiles(), join(site, 'models', `${name}-${dtype}`), onnxFiles(saved, { dtype }));
    const translator = await createTranslator(cpuEngine(), saved, { batch: batchSize });
    // transformers.js stops after 256 tokens.
    const ours = await translator.generate(texts, { maxNewTokens: Math.min(256, config.maxLength) });
    const expected = ours.map(([best]) => best?.ids.filter((id) => id !== config.endId) ?? []);
    expect(new Set(expected.map(String)).size, 'different translations').toBeGreaterThan(2);
    for (const { host, device, dtype, task } of pipelines) {
      const options = { model: `${name}-${dtype}`, task, device, dtype, texts, batchSize };
      const theirs: Generated[] =
        host === 'node'
          ? inNode(options.model, options)
          : await runInPage(chrome, server.url, { call: 'generateIds', args: [options], silence: 600_000 });
      const same = theirs.filter(({ ids }, i) => {
        const end = ids.indexOf(config.endId, 1);
        return String(end < 0 ? ids.slice(1) : ids.slice(1, end)) === String(expected[i]);
      });
      const kind = `${name}: ${host}, ${device}, ${dtype}, ${task}`;
      console.log(`| ${kind} | ${same.length} of ${count} |`);
      expect(same.length, kind).toBeGreaterThanOrEqual(dtype === 'fp32' ? count : 0.99 * count);
      const sameTexts = theirs.filter(({ text }, i) => text.trim() === ours[i]?.[0]?.text.trim());
      expect(sameTexts.length, `texts of ${kind}`).toBeGreaterThanOrEqual(dtype === 'fp32' ? count : 0.99 * count);
    }
  });
});
