// Runs model folders in transformers.js in Node, on onnxruntime-web's wasm. Reads JSON from stdin, a list of
// { folder, texts, batchSize, dtype, task, runtime }, and prints JSON: for each of them the results of
// `runPipeline`, or with { sounds, options } instead of texts those of `runSpeech`. The runtime `node` is
// onnxruntime-node, the default of transformers.js in Node, from the folder that ONNXRUNTIME_NODE names.
//
//   echo '[{ "folder": "DIR", "texts": ["Hello."] }]' | node bench/decode/transformers-node.mjs
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { here } from './install-transformers.mjs';
import { runPipeline, runSpeech } from './run-pipeline.mjs';

const runs = JSON.parse(readFileSync(0, 'utf8'));
const native = runs.some(({ runtime }) => runtime === 'node');
const ort = native
  ? createRequire(import.meta.url)(process.env.ONNXRUNTIME_NODE ?? '')
  : await import('onnxruntime-web');
if (!native) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = pathToFileURL(join(here, 'node_modules/onnxruntime-web/dist/')).href;
}
globalThis[Symbol.for('onnxruntime')] = ort;
const { env, pipeline } = await import('@huggingface/transformers');
env.allowRemoteModels = false;

const out = [];
for (const run of runs) {
  const { folder, texts, batchSize = 16, dtype, task = 'translation' } = run;
  const options = {
    device: 'auto',
    session_options: { executionProviders: [native ? 'cpu' : 'wasm'] },
    dtype: dtype ?? null, // null: the default of the device
  };
  const pipe = await pipeline(task, folder, options);
  out.push(
    run.sounds ? await runSpeech(pipe, run.sounds, run.options) : await runPipeline(pipe, texts, batchSize),
  );
  await pipe.dispose();
}
console.log(JSON.stringify(out));
