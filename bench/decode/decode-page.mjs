// The page of bench-decode.mjs: loads a model in heddle and in transformers.js, compares their token ids, and
// times them in turns on the same adapter.

import { median } from '../../src/engine/gpu/plan-timing.ts';
import { installApiCounter } from '../peers/api-counter.ts';
import { runPipeline, runSpeech } from './run-pipeline.mjs';

// Must run before a library loads.
const counter = installApiCounter();
const wasm = watchWasmMemory();

/** transformers.js without a network: models from /models/, the runtime from /ort/. */
async function openTransformers(threads = 1) {
  const transformers = await import('/transformers/transformers.min.js');
  const { env } = transformers;
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = '/models/';
  env.backends.onnx.wasm.wasmPaths = new URL('/ort/', location.href).href;
  env.backends.onnx.wasm.numThreads = threads;
  return transformers;
}

/** The onnxruntime-web of transformers.js, for heddle's models without a GPU. */
async function openRuntime(threads) {
  const runtime = await import('/ort/ort.wasm.min.mjs');
  runtime.env.wasm.wasmPaths = new URL('/ort/', location.href).href;
  runtime.env.wasm.numThreads = threads;
  return runtime;
}

/**
 * Runs pipelines for speech, a list of { model, device, dtype, sounds, options }. Returns the results of `runSpeech`.
 */
globalThis.runSpeechPipelines = async (runs) => {
  const { pipeline } = await openTransformers();
  const out = [];
  for (const { model, device, dtype, sounds, options } of runs) {
    const pipe = await pipeline('automatic-speech-recognition', model, { device, dtype });
    out.push(await runSpeech(pipe, sounds, options));
    await pipe.dispose();
  }
  return out;
};

/**
 * Runs pipelines of transformers.js, a list of { model, task, device, dtype, texts, batchSize }. Returns the
 * results of `runPipeline`.
 */
globalThis.runPipelines = async (runs) => {
  const { pipeline } = await openTransformers();
  const out = [];
  for (const { model, task, device, dtype, texts, batchSize } of runs) {
    const pipe = await pipeline(task, model, { device, dtype });
    const report = (done) => heddleReport(`${model}, ${device}: ${done} of ${texts.length}`);
    out.push(await runPipeline(pipe, texts, batchSize, report));
    await pipe.dispose();
  }
  return out;
};

/**
 * Translates texts in batches of similar lengths, as heddle does, so that no time goes into padding. Returns
 * the results in order.
 */
async function inBatches(texts, batchSize, run) {
  const order = texts.map((_, i) => i).sort((a, b) => texts[a].length - texts[b].length);
  const out = [];
  for (let at = 0; at < order.length; at += batchSize) {
    const part = order.slice(at, at + batchSize);
    for (const [i, ids] of (await run(part.map((n) => texts[n]))).entries()) out[part[i]] = ids;
  }
  return out;
}

/**
 * The contestants by name, as functions that load them. Each has translate(texts, batchSize) -> token ids without start
 * and end, and bytes() -> memory: of GPU buffers, or of wasm. Those that can have stream(text, count) -> times of its
 * tokens (of exactly `count` tokens, if given).
 */
async function contestants(options) {
  const { threads, hasMarian, isFirefox } = options;
  const { loadModel } = await import('/dist/heddle.js');
  const { registerHost } = await import('/dist/host.js');
  registerHost({ onnxRuntime: () => openRuntime(threads) });
  const heddle = (device) => () => loadHeddle(loadModel, device, options);
  const marian = () => loadMarian(options);
  if (isFirefox) return { heddle: heddle('gpu'), 'Marian int8': marian };
  const library = await openTransformers(threads);
  const transformers = (device) => () => loadPipeline(library, device, options);
  const engines = {
    heddle: heddle('gpu'),
    'heddle wasm': heddle('wasm'),
    'transformers.js webgpu': transformers('webgpu'),
    'transformers.js wasm': transformers('wasm'),
  };
  return hasMarian ? { ...engines, 'Marian wasm': marian } : engines;
}

/** The ids before the end token. */
function untilEnd(ids, endId) {
  const end = ids.indexOf(endId);
  return end < 0 ? ids : ids.slice(0, end);
}

async function loadHeddle(loadModel, device, { model, endId, maxTokens, tokens = maxTokens }) {
  const bytes = device === 'wasm' ? wasmBytes() : gpuBytes();
  const loaded = await loadModel(new URL(`/models/${model}-heddle/`, location.href).href, { device });
  // One more than is compared: the last token may be forced to be the end.
  const limit = tokens < maxTokens ? { maxNewTokens: tokens + 1 } : {};
  const translate = async (texts, batchSize, options = {}) => {
    const found = await loaded.generate(texts, { batchSize, ...limit, ...options });
    return found.map(([best]) => untilEnd(best.ids, endId));
  };
  return {
    translate,
    beams: (texts, batchSize) => translate(texts, batchSize, { beams: 4 }),
    async stream(text, count) {
      const times = [];
      const exact = count && { minNewTokens: count - 1, maxNewTokens: count };
      const onPiece = () => times.push(performance.now());
      await loaded.generate([text], { batchSize: 1, ...limit, ...exact, onPiece });
      return times;
    },
    bytes,
    dispose: () => loaded.dispose(),
  };
}

async function loadPipeline({ pipeline, BaseStreamer }, device, options) {
  const { model, endId, maxTokens, tokens = maxTokens } = options;
  const bytes = device === 'webgpu' ? gpuBytes() : wasmBytes();
  const { tokenizer, model: loaded } = await pipeline('translation', model, { device, dtype: 'fp32' });
  const run = async (texts, options) => {
    const inputs = tokenizer(texts, { padding: true, truncation: true });
    const out = await loaded.generate({
      ...inputs,
      max_new_tokens: tokens < maxTokens ? tokens + 1 : 256,
      ...options,
    });
    return out.tolist().map((row) => untilEnd(row.slice(1).map(Number), endId));
  };
  return {
    translate: (texts, batchSize) => inBatches(texts, batchSize, run),
    async stream(text, count) {
      const times = [];
      class Clock extends BaseStreamer {
        put() {
          times.push(performance.now());
        }
        end() {}
      }
      const exact = count && { min_new_tokens: count - 1, max_new_tokens: count };
      await run([text], { streamer: new Clock(), ...exact });
      return times.slice(1); // the first call has the start token
    },
    bytes,
    dispose: () => loaded.dispose(),
  };
}

/**
 * The options of Marian. Its translations may be longer than heddle's: its limit is a multiple of the length of the
 * longest source of a batch.
 */
function marianOptions({ texts, maxTokens, tokens = maxTokens, isFirefox }) {
  const shortest = Math.min(...texts.map((text) => text.split(' ').length + 1));
  return {
    'beam-size': 1,
    normalize: 1,
    'word-penalty': 0,
    'skip-cost': true,
    'allow-unk': !isFirefox,
    'cpu-threads': 0,
    'gemm-precision': isFirefox ? 'int8shiftAlphaAll' : 'float32',
    workspace: 128,
    quiet: true,
    'quiet-translation': true,
    'max-length-break': 64,
    'mini-batch-words': 100000,
    'max-length-factor': isFirefox ? 2 : Math.ceil((tokens + 1) / shortest),
  };
}

async function loadMarian(options) {
  const worker = openMarian();
  const [weights, vocabulary] = await Promise.all(
    ['model.bin', 'vocab.spm'].map(async (name) => {
      const response = await fetch(`/models/${options.model}-marian/${name}`);
      return new Uint8Array(await response.arrayBuffer());
    }),
  );
  await worker.call('load', {
    options: Object.entries(marianOptions(options))
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(''),
    files: { weights, shortlist: new Uint8Array(0), vocabularies: [vocabulary] },
  });
  let bytes = await worker.call('bytes');
  const translateBatch = async (batch) => (await worker.call('translate', { texts: batch })).translations;
  return {
    async translate(texts, batchSize) {
      const found = await inBatches(texts, batchSize, translateBatch);
      bytes = await worker.call('bytes');
      return found.map((text) => (text.match(/\S+/g) ?? []).map((word) => (word === '⁇' ? 1 : Number(word))));
    },
    bytes: () => bytes,
    dispose: () => worker.end(),
  };
}

/** Starts the worker of Marian's engine, which the page Train has too. */
function openMarian() {
  const worker = new Worker('/marian/engine-worker.js');
  const waiting = new Map();
  worker.onmessage = ({ data: { id, type, value, message } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (type === 'result') resolve(value);
    else reject(new Error(`Marian: ${message}`));
  };
  let id = 0;
  return {
    call: (name, ...args) =>
      new Promise((resolve, reject) => {
        waiting.set(++id, { resolve, reject });
        worker.onerror = ({ message }) => reject(new Error(`Marian: ${message}`));
        worker.postMessage({ id, name, args });
      }),
    end: () => worker.terminate(),
  };
}

/**
 * Returns a function that returns the bytes of the GPU buffers of the devices that are opened from now on.
 */
function gpuBytes() {
  const before = new Set(counter.devices());
  return () =>
    counter
      .devices()
      .filter((bytes) => !before.has(bytes))
      .reduce((sum, { live }) => sum + live, 0);
}

/** Same as `gpuBytes`, for the memories of WebAssembly. */
function wasmBytes() {
  const before = wasm.bytes();
  return () => wasm.bytes() - before;
}

/**
 * Counts the bytes of all memories of WebAssembly, those that modules export and those that are created for
 * them.
 */
function watchWasmMemory() {
  const memories = new Set();
  const { instantiate, Memory } = WebAssembly;
  WebAssembly.instantiate = async (...args) => {
    const result = await instantiate(...args);
    const { exports } = result.instance ?? result;
    for (const value of Object.values(exports)) if (value instanceof Memory) memories.add(value);
    return result;
  };
  WebAssembly.Memory = new Proxy(Memory, {
    construct(target, args) {
      const memory = Reflect.construct(target, args);
      memories.add(memory);
      return memory;
    },
  });
  return { bytes: () => [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0) };
}

/** Contestants with fewer tokens per second are not timed token by token: a sentence would take minutes. */
const minTokensPerSecond = 2;

/** Number of tokens at the start and at the end of a translation whose median time is reported. */
const edge = 8;

/**
 * Measures one model. Returns rows: contestant, batch, short or long sentences, tokens/s; and for each
 * contestant token times, created objects and memory.
 */
globalThis.measureDecoding = async (options) => {
  const {
    texts,
    batches,
    rounds,
    timedBatches,
    maxTokens,
    tokens: limit = maxTokens,
    only,
    sentences,
  } = options;
  const makers = Object.entries(await contestants(options)).filter(([name]) => !only || only.includes(name));
  const [ready, first, loaded, results] = [{}, {}, {}, {}];
  for (const [name, make] of makers) {
    const start = performance.now();
    loaded[name] = await make();
    ready[name] = performance.now() - start;
    const { stream } = loaded[name];
    if (stream) first[name] = (await stream(texts[0]))[0] - start;
    results[name] = await loaded[name].translate(texts, batches.at(-1));
    heddleReport(`${name}: ready`);
  }
  const names = Object.keys(loaded);
  const [reference] = names;
  const idsOf = (name, i) => String(results[name][i].slice(0, limit));
  const isSame = (name, i) => idsOf(name, i) === idsOf(reference, i);
  const same = Object.fromEntries(
    names.map((name) => [name, texts.filter((_, i) => isSame(name, i)).length]),
  );
  for (const name of names) heddleReport(`${name}: same ids in ${same[name]} of ${texts.length} sentences`);
  const rows = [];
  for (const [length, some] of byLength(texts))
    for (const batch of batches) {
      const timed = some.slice(0, timedBatches * batch);
      rows.push(...(await speeds(loaded, timed, { batch, rounds, length })));
    }
  const tokens = {};
  const isSlow = (name) =>
    rows.every((row) => row.contestant !== name || row.tokensPerSecond < minTokensPerSecond);
  for (const name of names.filter((each) => loaded[each].stream && !isSlow(each))) {
    tokens[name] = await tokenTimes(loaded[name], texts, maxTokens);
    heddleReport(`${name}: token times`);
  }
  const memory = {};
  for (const name of names) {
    memory[name] = await endurance(
      loaded[name],
      texts,
      name === 'heddle' ? sentences : Math.min(sentences, texts.length),
    );
    heddleReport(`${name}: memory`);
  }
  for (const name of names) await loaded[name].dispose();
  return { same, of: texts.length, readyMs: ready, firstTokenMs: first, maxTokens, rows, tokens, memory };
};

/** The shorter and the longer half of the sentences. */
function byLength(texts) {
  const sorted = [...texts].sort((a, b) => a.length - b.length);
  const half = Math.ceil(sorted.length / 2);
  return Object.entries({ short: sorted.slice(0, half), long: sorted.slice(half) }).filter(
    ([, some]) => some.length > 0,
  );
}

/** Measures tokens/s of all contestants in turns, and of heddle's beam search. */
async function speeds(loaded, texts, { batch, rounds, length }) {
  const [reference] = Object.keys(loaded);
  const ways = Object.entries(loaded).flatMap(([name, { translate, beams }]) => [
    [name, translate],
    ...(beams ? [[`${name}, beam 4`, beams]] : []),
  ]);
  const found = Object.fromEntries(ways.map(([name]) => [name, []]));
  for (const [, translate] of ways) await translate(texts.slice(0, batch), batch);
  for (let round = 0; round < rounds; round++)
    for (const [name, translate] of ways) {
      const start = performance.now();
      const ids = await translate(texts, batch);
      const seconds = (performance.now() - start) / 1000;
      const rate = ids.reduce((sum, row) => sum + row.length + 1, 0) / seconds;
      found[name].push(rate);
      heddleReport(`${length}, batch ${batch}, round ${round + 1}: ${name}, ${rate.toFixed(1)} tokens/s`);
    }
  return ways.map(([contestant]) => ({
    contestant,
    batch,
    length,
    tokensPerSecond: median(found[contestant]),
    ratio: median(found[reference].map((x, i) => x / found[contestant][i])),
  }));
}

/**
 * Milliseconds to the first token, and per token at the start and at the end of a translation of `maxTokens`
 * tokens.
 */
async function tokenTimes({ stream }, texts, maxTokens) {
  const [start, end, ttft] = [[], [], []];
  await stream(texts[0], maxTokens);
  for (const text of texts.slice(0, 4)) {
    const began = performance.now();
    const times = await stream(text, maxTokens);
    ttft.push(times[0] - began);
    const gaps = times.slice(1).map((time, i) => time - times[i]);
    start.push(...gaps.slice(0, edge));
    end.push(...gaps.slice(-edge));
  }
  return { firstMs: median(ttft), startMs: median(start), endMs: median(end) };
}

/** Bytes of the JavaScript heap after a garbage collection. */
function heapBytes() {
  globalThis.gc();
  return performance.memory.usedJSHeapSize;
}

/**
 * Translates `count` sentences one after another. Returns the number of WebGPU objects that they create, and
 * the memory before and after: buffers or wasm, and the JavaScript heap.
 */
async function endurance({ translate, bytes }, texts, count) {
  await translate([texts[0]], 1);
  const [bytesBefore, heapBefore] = [bytes(), heapBytes()];
  const { objects } = await counter.count(async () => {
    for (let i = 0; i < count; i++) await translate([texts[i % texts.length]], 1);
  });
  return { sentences: count, objects, bytesBefore, bytesAfter: bytes(), heapBefore, heapAfter: heapBytes() };
}
