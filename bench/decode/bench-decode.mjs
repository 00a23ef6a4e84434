// npm run bench:decode: the same model and sentences in heddle, in transformers.js and in Marian, in headless
// Chrome on one adapter, in turns. The token ids of all contestants are compared before anything is timed.
// Marian (wasm of bergamot-translator, in float32, 1 thread) runs the random model: its positions are fixed
// and differ from those of Hugging Face and heddle.
//
//   --model DIR        model folder; may be repeated (default: a small model, trained for a minute on the built-in corpus)
//   --random-marian    a model of MarianMT's size (77 M parameters) with random weights
//   --random-firefox N a student of Firefox with random weights, firefox-tiny, firefox-base or firefox-base-memory, in
//                      the int8 file of Firefox: heddle on WebGPU, Marian with 1 thread; may be repeated
//   --batches 1,8,32   batch sizes
//   --texts N          number of sentences (default: 64)
//   --tokens N         most new tokens of a sentence while speed and memory are measured (default: the model's limit)
//   --timed-batches N  number of batches in a measurement of speed (default: all sentences)
//   --rounds N         measurements of each contestant (default: 3)
//   --sentences N      sentences that heddle translates one after another while its memory is watched, and at most as many by the others
//                      (default: 1000)
//   --threads 1,2      threads of wasm (default: both, one after the other)
//   --no-store         do not write the result into bench/results
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
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
import { bergamot, here, installTransformers, writeDecodePage } from './install-transformers.mjs';
import { firefoxSizes, writeRandomFirefox } from './random-firefox.mjs';
import { writeRandomMarian } from './random-marian.mjs';

const root = join(here, '..', '..');
const dist = join(root, 'dist');
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', multiple: true, default: [] },
    'random-marian': { type: 'boolean', default: false },
    'random-firefox': { type: 'string', multiple: true, default: [] },
    batches: { type: 'string', default: '1,8,32' },
    texts: { type: 'string', default: '64' },
    tokens: { type: 'string' },
    'timed-batches': { type: 'string' },
    rounds: { type: 'string', default: '3' },
    sentences: { type: 'string', default: '1000' },
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
if (options['random-marian']) folders.push(randomMarian());
for (const name of options['random-firefox']) folders.push(randomFirefox(name));
if (folders.length === 0) folders.push({ name: 'small', folder: trainedSmall() });

/** Why other libraries are not compared. */
const noCTranslate2 =
  'CTranslate2 (CPU) is not compared: it is a package of PyPI only, and the contestants come from npm.';
const noMarian =
  'Marian (CPU) is compared by --random-marian only: its sinusoids have other wavelengths than those of heddle and Hugging Face, and it ' +
  'has no other positions in decoding.';
const marianNote =
  'Marian is @browsermt/bergamot-translator in float32 on 1 thread. It gives whole translations, so it has no times of tokens.';
const firefoxNote =
  'Marian is @browsermt/bergamot-translator on 1 thread with gemm-precision int8shiftAlphaAll; both read the int8 file of ' +
  'Firefox, heddle as float32. transformers.js has no models with SSRU decoders.';
const limits = [
  ...(options.tokens ? [`Speeds and memory: at most ${options.tokens} tokens a sentence.`] : []),
  ...(options['timed-batches'] ? [`Speeds: at most ${options['timed-batches']} batches a measurement.`] : []),
];

for (const { name, folder, hasMarian = false, isFirefox = false } of folders) {
  const { texts, endId, maxTokens, sizes } = await prepare(name, folder, isFirefox);
  for (const threads of options.threads.split(',').map(Number)) {
    const before = loadavg()[0];
    const [chrome, server] = await Promise.all([
      launchChrome({ gpu: 'auto', args: ['--js-flags=--expose-gc', '--enable-precise-memory-info'] }),
      serveFolder(site),
    ]);
    try {
      const adapter = await chrome.adapter();
      const args = {
        model: name,
        texts,
        endId,
        maxTokens,
        threads,
        hasMarian,
        isFirefox,
        rounds: Number(options.rounds),
        sentences: Number(options.sentences),
        tokens: options.tokens && Math.min(Number(options.tokens), maxTokens),
        timedBatches: Number(options['timed-batches'] ?? texts.length),
        batches: options.batches.split(',').map(Number),
        only: options.only?.split(','),
      };
      const decode = await runInPage(chrome, server.url, {
        call: 'measureDecoding',
        args: [args],
        onReport: (line) => console.error(line),
        timeout: 24 * 3_600_000,
      });
      const slow = Object.keys(decode.same).filter(
        (each) => !decode.tokens[each] && !each.startsWith('Marian'),
      );
      const untimed = slow.map((each) => `${each} is too slow for times of tokens.`);
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
          'bergamot-translator': hasMarian || isFirefox ? versionOf(join(here, bergamot)) : undefined,
        },
        browser: chrome.version,
        date: new Date().toISOString(),
        load: [before, loadavg()[0]],
        decode: {
          ...decode,
          downloads: sizes,
          notes: isFirefox
            ? [firefoxNote, ...limits, ...untimed]
            : [noCTranslate2, hasMarian ? marianNote : noMarian, ...limits, ...untimed],
        },
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

/**
 * Returns the failed checks, one sentence each: different ids; growth of token time, objects or memory in
 * heddle.
 */
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
  if (kept.objects > 0)
    found.push(`heddle: it created ${kept.objects} WebGPU objects after the first sentence`);
  if (kept.bytesAfter > kept.bytesBefore)
    found.push(`heddle: its buffers grew from ${kept.bytesBefore} to ${kept.bytesAfter} bytes`);
  if (kept.heapAfter > 1.1 * kept.heapBefore)
    found.push(`heddle: the JavaScript heap grew from ${kept.heapBefore} to ${kept.heapAfter} bytes`);
  return found;
}

/**
 * Exports a model for both libraries. Returns the sentences, the end token and the bytes that a page
 * downloads.
 */
async function prepare(name, folder, isFirefox) {
  const model = await loadModel(folder);
  const [own, theirs] = [join(site, 'models', `${name}-heddle`), join(site, 'models', name)];
  await model.save(own);
  if (isFirefox) return prepareFirefox(name, model, own);
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
  const marian = join(site, 'models', `${name}-marian`);
  return {
    texts,
    endId,
    // The last position is the end token, which heddle and transformers.js may force.
    maxTokens: Math.min(maxLength, 256) - 1,
    sizes: {
      heddle: bytes(own) + bytes(join(dist, 'heddle.js')),
      'transformers.js': bytes(theirs) + bytes(join(site, 'transformers/transformers.min.js')) + wasm,
      Marian: existsSync(marian) ? bytes(marian) + bytes(join(site, 'marian')) : undefined,
    },
  };
}

/** The same for a student of Firefox: sentences of one length, so that the limits of both engines are equal. */
function prepareFirefox(name, model, own) {
  const { endId } = model.config;
  const words = 20;
  const texts = Array.from({ length: Number(options.texts) }, (_, i) =>
    Array.from({ length: words }, (_, k) => 10 + ((i * 7919 + k * 104729) % 31000)).join(' '),
  );
  model.dispose();
  const bytes = (path) => readdirSync(path).reduce((sum, file) => sum + statSync(join(path, file)).size, 0);
  return {
    texts,
    endId,
    maxTokens: 2 * (words + 1), // max-length-factor
    sizes: {
      heddle: bytes(own) + statSync(join(dist, 'heddle.js')).size,
      Marian: bytes(join(site, 'models', `${name}-marian`)) + bytes(join(site, 'marian')),
    },
  };
}

/** Sentences of different lengths: from the built-in corpus, or ids for a model without a tokenizer. */
function sentences({ tokenizers: { source } }) {
  const count = Number(options.texts);
  if (/^\d+$/.test(source.token(5)))
    return Array.from({ length: count }, (_, i) =>
      Array.from(
        { length: 4 + ((i * 7) % 24) },
        (_, k) => 10 + ((i * 7919 + k * 104729) % (source.size - 20)),
      ).join(' '),
    );
  const words =
    'tree house river mountain the is 59 yards tall on Monday we arrive in Spain at 8 and it costs 12 euros'.split(
      ' ',
    );
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

/** The random model, for Marian too. */
function randomMarian() {
  const folder = join(site, 'random');
  writeRandomMarian(folder, join(site, 'models/random-marian-marian'));
  return { name: 'random-marian', folder, hasMarian: true };
}

/** A random student of Firefox: its int8 files, and the same with the names that the page gives to Marian. */
function randomFirefox(name) {
  if (!(name in firefoxSizes))
    fail(`--random-firefox ${name}: unknown; choose from ${Object.keys(firefoxSizes).join(', ')}`);
  const [whole, folder] = [join(site, `${name}-float32`), join(site, `${name}-int8`)];
  writeRandomFirefox(whole, name);
  const texts = join(site, 'calibration.txt');
  const line = (i) => Array.from({ length: 20 }, (_, k) => 10 + ((i * 7907 + k * 104723) % 31000)).join(' ');
  writeFileSync(texts, Array.from({ length: 16 }, (_, i) => `${line(i)}\n`).join(''));
  const args = [
    'convert',
    whole,
    folder,
    '--to',
    'firefox',
    '--language-pair',
    'enes',
    '--calibration',
    texts,
  ];
  const { status } = spawnSync(process.execPath, [join(dist, 'cli.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) fail(`the conversion of ${name} failed`);
  const marian = join(site, 'models', `${name}-marian`);
  mkdirSync(marian, { recursive: true });
  copyFileSync(join(folder, 'model.enes.intgemm.alphas.bin'), join(marian, 'model.bin'));
  copyFileSync(join(folder, 'vocab.enes.spm'), join(marian, 'vocab.spm'));
  return { name, folder, isFirefox: true };
}

function fail(message) {
  console.error(`bench:decode: ${message}`);
  process.exit(1);
}
