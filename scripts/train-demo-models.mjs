// npm run demo:models: trains the models that the demo ships with, on the built-in corpus, and writes them to
// demo/models/ as f16: one file of less than 1 MB each; and en-es-run.json, the recorded training of the
// first: curves, samples and attention. It prints how long each takes: about two minutes on two CPU cores,
// seconds on a GPU. `npm run build` first. Arguments are the models to train, by default all: npm run
// demo:models -- es es-learned
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { historyOf, parseLog, train } from '../dist/heddle.node.js';

const folder = resolve(import.meta.dirname, '../demo/models');
const maxBytes = 1e6;

setPriority(10); // it takes minutes: other programs go first

const chosen = process.argv.slice(2);
/**
 * Options of each model besides its target language. The model of the chapter about positions learns its
 * positions.
 */
const models = { es: {}, ar: {}, ja: {}, 'es-learned': { model: { positions: 'learned' } } };
const unknown = chosen.find((name) => !(name in models));
if (unknown) throw new Error(`there is no model en-${unknown}; there are ${Object.keys(models).join(', ')}`);
for (const name of chosen.length > 0 ? chosen : Object.keys(models)) {
  const begin = performance.now();
  const checkpoint = mkdtempSync(join(tmpdir(), 'heddle-demo-'));
  try {
    const corpus = { kind: 'intl', source: 'en', target: name.slice(0, 2), pairs: 40_000, seed: 1 };
    const probe = name === 'es' && 'Tuesday, March 4, 2025\tmartes, 4 de marzo de 2025';
    const model = await train(corpus, {
      checkpoint,
      testSentences: 200,
      ...models[name],
      ...(probe && { probe, probeSteps: 2, evalSteps: 50, updateRatioSteps: 4 }),
    });
    if (probe) {
      const log = parseLog(readFileSync(join(checkpoint, 'log.jsonl'), 'utf8'));
      writeFileSync(join(folder, `en-${name}-run.json`), `${JSON.stringify(recordedRun(historyOf(log)))}\n`);
    }
    const saved = join(checkpoint, 'f16');
    await model.save(saved, { dtype: 'f16' });
    const bytes = readFileSync(join(saved, 'model.safetensors'));
    if (bytes.length > maxBytes)
      throw new Error(`en-${name} has ${bytes.length} bytes, more than ${maxBytes}`);
    writeFileSync(join(folder, `en-${name}.safetensors`), bytes);
    const exact = (100 * model.training.evaluation.exactMatch).toFixed(1);
    const seconds = ((performance.now() - begin) / 1000).toFixed(0);
    console.log(`en-${name}: ${bytes.length} bytes, ${exact} % of 200 test sentences exact, ${seconds} s`);
    model.dispose();
  } finally {
    rmSync(checkpoint, { recursive: true, force: true });
  }
}

/**
 * The parts of a run that the page shows: every fourth step, all evaluations, some samples, every third probe
 * and the last.
 */
function recordedRun({ start, steps, evals, samples, probes }) {
  const short = (record) =>
    Object.fromEntries(
      Object.entries(record).map(([k, v]) => [k, typeof v === 'number' ? Number(v.toPrecision(5)) : v]),
    );
  return {
    corpus: start.corpus.name,
    backend: start.backend,
    steps: steps.filter(({ step }) => step === 1 || step % 4 === 0).map(short),
    evals: evals.filter(({ part }) => part === 'dev').map(short),
    samples: samples.slice(0, 8),
    probes: probes.filter((_, i) => i % 3 === 0 || i === probes.length - 1),
  };
}
