// npm run demo:models: trains the models that the demo ships with, on the built-in corpus, and writes them to demo/models/ as f16: one file
// of less than 1 MB each. It prints how long each takes: about two minutes on two CPU cores, seconds on a GPU. `npm run build` first.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { train } from '../dist/heddle.node.js';
import { toFloat16 } from '../dist/modules/core/float16.js';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../dist/modules/files/safetensors.js';

const folder = resolve(import.meta.dirname, '../demo/models');
const maxBytes = 1e6;

for (const target of ['es', 'ar', 'ja']) {
  const begin = performance.now();
  const checkpoint = mkdtempSync(join(tmpdir(), 'heddle-demo-'));
  try {
    const corpus = { kind: 'intl', source: 'en', target, pairs: 40_000, seed: 1 };
    const model = await train(corpus, { checkpoint, testSentences: 200 });
    const bytes = storedAsF16(readFileSync(join(checkpoint, 'model.safetensors')));
    if (bytes.length > maxBytes) throw new Error(`en-${target} has ${bytes.length} bytes, more than ${maxBytes}`);
    writeFileSync(join(folder, `en-${target}.safetensors`), bytes);
    const exact = (100 * model.training.evaluation.exactMatch).toFixed(1);
    const seconds = ((performance.now() - begin) / 1000).toFixed(0);
    console.log(`en-${target}: ${bytes.length} bytes, ${exact} % of 200 test sentences exact, ${seconds} s`);
    model.dispose();
  } finally {
    rmSync(checkpoint, { recursive: true, force: true });
  }
}

/** A model.safetensors with its weights as f16: half the size. */
function storedAsF16(bytes) {
  const { metadata } = readSafetensorsHeader(bytes, bytes.length);
  const tensors = Object.entries(readSafetensors(bytes)).map(([name, { shape, data }]) => [
    name,
    { dtype: 'f16', shape, data: toFloat16(data) },
  ]);
  return writeSafetensors(Object.fromEntries(tensors), metadata);
}
