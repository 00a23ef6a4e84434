// Runs a model folder in transformers.js in Node, on onnxruntime-web's wasm. Reads JSON from stdin, { texts, batchSize,
// threads, dtype, task }, and prints JSON: for each text its source ids, generated ids, and text.
//
//   echo '{ "texts": ["Hello."] }' | node bench/decode/transformers-node.mjs DIR
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { here } from './install-transformers.mjs';

const ort = await import('onnxruntime-web');
const { texts, batchSize = 16, threads = 1, dtype, task = 'translation' } = JSON.parse(readFileSync(0, 'utf8'));
ort.env.wasm.numThreads = threads;
ort.env.wasm.wasmPaths = pathToFileURL(join(here, 'node_modules/onnxruntime-web/dist/')).href;
globalThis[Symbol.for('onnxruntime')] = ort;
const { env, pipeline } = await import('@huggingface/transformers');
env.allowRemoteModels = false;

const options = { device: 'auto', session_options: { executionProviders: ['wasm'] }, ...(dtype && { dtype }) };
const pipe = await pipeline(task, process.argv[2], options);
const out = [];
for (let at = 0; at < texts.length; at += batchSize) {
  const batch = texts.slice(at, at + batchSize);
  const inputs = pipe.tokenizer(batch, { padding: true, truncation: true });
  const ids = (await pipe.model.generate({ ...inputs, max_new_tokens: 256 })).tolist();
  const translations = await pipe(batch);
  const sources = inputs.input_ids.tolist();
  for (const [i] of batch.entries())
    out.push({ source: sources[i].map(Number), ids: ids[i].map(Number), text: Object.values(translations[i])[0] });
}
console.log(JSON.stringify(out));
