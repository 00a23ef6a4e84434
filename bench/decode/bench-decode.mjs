// npm run bench:decode: runs the same model and sentences in heddle and in transformers.js, in turns, in headless Chrome on one adapter.
// Before timing it checks that all contestants generate the same token ids.
//
//   --model DIR        model folder; may be repeated (default: a small model, trained for a minute on the built-in corpus)
//   --random-marian    a model of MarianMT's size (77 M parameters) with random weights
//   --batches 1,8,32   batch sizes
//   --texts N          number of sentences (default: 64)
//   --rounds N         measurements of each contestant (default: 3)
//   --threads 1,2      wasm threads (default: both, one after the other)
//   --no-store         do not write the result into bench/results
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { section } from '../result-tables.mjs';
import { here, installTransformers, writeDecodePage } from './install-transformers.mjs';

const root = join(here, '..', '..');
const dist = join(root, 'dist');
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', multiple: true, default: [] },
    'random-marian': { type: 'boolean', default: false },
    batches: { type: 'string', default: '1,8,32' },
    texts: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '1,2' },
    only: { type: 'string' },
    'no-store': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  const text = readFileSync(new URL(import.meta.url), 'utf8').split('\nimport')[0];
  console.log(text.replace(/^\/\/ ?/gm, ''));
  process.exit();
}

const failure = installTransformers();
if (failure) fail(failure);
if (!existsSync(join(dist, 'headless.js'))) fail('dist is missing: run npm run build first');
const { launchChrome, runInPage, serveFolder } = await import(join(dist, 'headless.js'));
const { loadModel } = await import(join(dist, 'heddle.node.js'));

const site = mkdtempSync(join(tmpdir(), 'heddle-bench-decode-'));
process.on('exit', () => rmSync(site, { recursive: true, force: true }));
symlinkSync(dist, join(site, 'dist'));
await writeDecodePage(site);

const folders = options.model.map((folder) => ({ name: basename(resolve(folder)), folder: resolve(folder) }));
if (options['random-marian']) folders.push({ name: 'random-marian', folder: randomMarian() });
if (folders.length === 0) folders.push({ name: 'small', folder: trainedSmall() });

/** Why CTranslate2 and Marian are not compared. */
const absent =
  'CTranslate2 (CPU) is not compared: it is only on PyPI, and the contestants come from npm. Marian (CPU) is on npm as ' +
  "@browsermt/bergamot-translator (wasm), which reads only Marian's own files with SentencePiece vocabularies; heddle does not write them.";

for (const { name, folder } of folders) {
  const { texts, endId, maxTokens, sizes } = await prepare(name, folder);
  for (const threads of options.threads.split(',').map(Number)) {
    const before = loadavg()[0];
    const [chrome, server] = await Promise.all([
      launchChrome({ gpu: 'auto', args: ['--js-flags=--expose-gc', '--enable-precise-memory-info'] }),
      serveFolder(site),
    ]);
    try {
      const adapter = await chrome.adapter();
      const args = {
        ...{ model: name, texts, endId, maxTokens, threads, rounds: Number(options.rounds) },
        batches: options.batches.split(',').map(Number),
        ...(options.only && { only: options.only.split(',') }),
      };
      const decode = await runInPage(chrome, server.url, {
        call: 'measureDecoding',
        args: [args],
        onReport: (line) => console.error(line),
        timeout: 3_600_000,
      });
      const versionOf = (path) => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')).version;
      const result = {
        what: `decoding ${name}, ${threads} thread${threads > 1 ? 's' : ''}`,
        host: 'chrome',
        adapter,
        machine: { cores: cpus().length, cpu: cpus()[0]?.model.trim() },
        versions: {
          heddle: versionOf(root),
          'transformers.js': versionOf(join(here, 'node_modules/@huggingface/transformers')),
          'onnxruntime-web': versionOf(join(here, 'node_modules/onnxruntime-web')),
        },
        browser: chrome.version,
        date: new Date().toISOString(),
        load: [before, loadavg()[0]],
        decode: { ...decode, downloads: sizes, notes: [absent] },
      };
      console.log(`${section(result)}\n`);
      const wrong = faults(decode);
      for (const fault of wrong) console.error(`bench:decode: ${fault}`);
      if (wrong.length > 0) process.exitCode = 1;
      if (sameIds(decode) && !options['no-store'] && !options.only) {
        const file = `${result.date.slice(0, 10)}-chrome-decode-${name}-${threads}.json`;
        writeFileSync(join(root, 'bench/results', file), `${JSON.stringify(result, undefined, 1)}\n`);
      }
    } finally {
      await Promise.all([chrome.close(), server.close()]);
    }
  }
}

/** Whether all contestants generated the same token ids as heddle. */
function sameIds({ same, of }) {
  return Object.values(same).every((count) => count === of);
}

/** Returns the failed checks, one sentence each: different ids; growth of token time, objects or memory in heddle. */
function faults({ same, of, tokens, memory, maxTokens }) {
  const found = Object.entries(same)
    .filter(([, count]) => count < of)
    .map(([name, count]) => `${name}: the ids of ${of - count} of ${of} sentences differ from heddle's`);
  const [own, kept] = [tokens.heddle, memory.heddle];
  if (!own || !kept) return found;
  if (own.endMs > 1.1 * own.startMs)
    found.push(
      `heddle: a token takes ${own.endMs.toFixed(2)} ms at ${maxTokens}, ${own.startMs.toFixed(2)} ms at the start`,
    );
  if (kept.objects > 0) found.push(`heddle: it created ${kept.objects} WebGPU objects after the first sentence`);
  if (kept.bytesAfter > kept.bytesBefore)
    found.push(`heddle: its buffers grew from ${kept.bytesBefore} to ${kept.bytesAfter} bytes`);
  if (kept.heapAfter > 1.1 * kept.heapBefore)
    found.push(`heddle: the JavaScript heap grew from ${kept.heapBefore} to ${kept.heapAfter} bytes`);
  return found;
}

/** Exports a model for both libraries. Returns the sentences, the end token and the bytes that a page downloads. */
async function prepare(name, folder) {
  const model = await loadModel(folder);
  const [own, theirs] = [join(site, 'models', `${name}-heddle`), join(site, 'models', name)];
  await model.save(own);
  await model.save(theirs, { format: 'onnx' });
  const { endId, maxLength } = model.config;
  const fits = (text) => model.tokenizers.source.encode(text).length < Math.min(maxLength, 60);
  const texts = sentences(model).filter(fits).slice(0, Number(options.texts));
  model.dispose();
  if (texts.length === 0) fail(`${name}: no sentence fits the model`);
  const bytes = (path) =>
    statSync(path).isDirectory()
      ? readdirSync(path).reduce((sum, file) => sum + bytes(join(path, file)), 0)
      : statSync(path).size;
  const wasm = bytes(join(site, 'ort/ort-wasm-simd-threaded.jsep.wasm'));
  return {
    texts,
    endId,
    // The last position is the end token, which heddle and transformers.js may force.
    maxTokens: Math.min(maxLength, 256) - 1,
    sizes: {
      heddle: bytes(own) + bytes(join(dist, 'heddle.js')),
      'transformers.js': bytes(theirs) + bytes(join(site, 'transformers/transformers.min.js')) + wasm,
    },
  };
}

/** Sentences of different lengths: from the built-in corpus, or ids for a model without a tokenizer. */
function sentences({ tokenizers: { source } }) {
  const count = Number(options.texts);
  if (/^\d+$/.test(source.token(5)))
    return Array.from({ length: count }, (_, i) =>
      Array.from({ length: 4 + ((i * 7) % 24) }, (_, k) => 10 + ((i * 7919 + k * 104729) % (source.size - 20))).join(
        ' ',
      ),
    );
  const words =
    'tree house river mountain the is 59 yards tall on Monday we arrive in Spain at 8 and it costs 12 euros'.split(' ');
  return Array.from({ length: 2 * count }, (_, i) =>
    Array.from({ length: 2 + ((i * 5) % 17) }, (_, k) => words[(i * 31 + k * 17) % words.length]).join(' '),
  );
}

function trainedSmall() {
  const out = join(site, 'trained');
  console.error('training a small model for a minute');
  const args = ['train', '--preset', 'small', '--steps', '150', '--pairs', '4000', '--out', out];
  const { status } = spawnSync(process.execPath, [join(dist, 'cli.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) fail('training failed');
  return out;
}

/** A folder with only a configuration: heddle gives it random weights. */
function randomMarian() {
  const folder = join(site, 'random');
  mkdirSync(folder);
  const sizes = { d_model: 512, encoder_layers: 6, decoder_layers: 6, encoder_ffn_dim: 2048, decoder_ffn_dim: 2048 };
  const heads = {
    encoder_attention_heads: 8,
    decoder_attention_heads: 8,
    activation_function: 'swish',
    scale_embedding: true,
  };
  const ids = {
    vocab_size: 58101,
    pad_token_id: 58100,
    decoder_start_token_id: 58100,
    eos_token_id: 0,
    forced_eos_token_id: 0,
  };
  const config = {
    model_type: 'marian',
    architectures: ['MarianMTModel'],
    max_position_embeddings: 64,
    ...sizes,
    ...heads,
    ...ids,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

function fail(message) {
  console.error(`bench:decode: ${message}`);
  process.exit(1);
}
