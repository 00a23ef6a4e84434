// npm run demo:models: trains the models that the demo ships with and writes them to demo/models/.
// The toys are trained on the built-in corpus and stored as f16, each in less than 1 MB; en-es-run.json is the
// recorded training of the first: curves, samples and attention. They take about two minutes each on two CPU
// cores, seconds on a GPU. The general model, English to Spanish, is trained on Tatoeba's pairs and stored as
// int8; it needs --corpus DIR, a folder with train.tsv and dev.tsv, and takes about an hour on two CPU cores.
// Its run is in runs/demo (or --runs DIR): the same command resumes it after an interruption.
// `npm run build` first. Arguments are the models to train, by default the toys:
//   npm run demo:models -- es es-learned
//   npm run demo:models -- es-steps       the first toy after 50 and 200 of its 800 steps, as int8
//   npm run demo:models -- general --corpus tatoeba-en-es
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadModel, train } from '../dist/heddle.node.js';
import { historyOf, parseLog } from '../dist/reports.js';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'demo/models');
const maxBytes = 1e6;
const maxGeneralBytes = 4e6;

setPriority(10); // it takes minutes: other programs go first

const { values, positionals: chosen } = parseArgs({
  allowPositionals: true,
  options: { corpus: { type: 'string' }, runs: { type: 'string', default: join(root, 'runs/demo') } },
});
/**
 * Options of each model besides its target language. The model of the chapter about positions learns its
 * positions.
 */
const models = { es: {}, ar: {}, ja: {}, 'es-learned': { model: { positions: 'learned' } } };
/** Steps at which the first toy is recorded, for the page Learn; and its steps in all. */
const [earlierSteps, allSteps] = [[50, 200], 800];
const names = [...Object.keys(models), 'es-steps', 'general'];
const unknown = chosen.find((name) => !names.includes(name));
if (unknown) throw new Error(`there is no model en-${unknown}; there are ${names.join(', ')}`);
for (const name of chosen.length > 0 ? chosen : Object.keys(models)) {
  if (name === 'es-steps') await recordSteps();
  else if (name === 'general') await trainGeneral(values.corpus, join(values.runs, 'general'));
  else await trainToy(name);
}

/** Trains a model on the built-in corpus. */
async function trainToy(name) {
  const begin = performance.now();
  const checkpoint = mkdtempSync(join(tmpdir(), 'heddle-demo-'));
  try {
    const corpus = { kind: 'intl', source: 'en', target: name.slice(0, 2), pairs: 40_000, seed: 1 };
    const probe = 'Tuesday, March 4, 2025\tmartes, 4 de marzo de 2025';
    const recorded = name === 'es' ? { probe, probeSteps: 2, evalSteps: 50, updateRatioSteps: 4 } : undefined;
    const model = await train(corpus, {
      checkpoint,
      testSentences: 200,
      ...models[name],
      ...recorded,
    });
    if (recorded) {
      const log = parseLog(readFileSync(join(checkpoint, 'log.jsonl'), 'utf8'));
      const run = recordedRun(historyOf(log));
      writeFileSync(join(folder, `en-${name}-run.json`), `${JSON.stringify(run)}\n`);
      writeFileSync(join(folder, `en-${name}-film.json`), `${JSON.stringify(filmOf(run))}\n`);
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

/** The first toy at earlier steps of the same training, as int8: a run of as many steps, with the same schedule. */
async function recordSteps() {
  const checkpoint = mkdtempSync(join(tmpdir(), 'heddle-demo-'));
  try {
    const corpus = { kind: 'intl', source: 'en', target: 'es', pairs: 40_000, seed: 1 };
    for (const [i, steps] of earlierSteps.entries()) {
      const schedule = { schedule: 'linear', scheduleSteps: allSteps };
      const settings = i > 0 ? { resume: true, steps } : { ...schedule, steps, evalSteps: 0 };
      const model = await train(corpus, { checkpoint, testSentences: 0, ...settings });
      const saved = join(checkpoint, `int8-${steps}`);
      await model.save(saved, { dtype: 'int8' });
      const bytes = readFileSync(join(saved, 'model.safetensors'));
      writeFileSync(join(folder, `en-es-step${steps}.safetensors`), bytes);
      console.log(
        `en-es-step${steps}: ${bytes.length} bytes, loss ${model.training.losses.at(-1).toFixed(4)}`,
      );
      model.dispose();
    }
  } finally {
    rmSync(checkpoint, { recursive: true, force: true });
  }
}

/** Trains the general model, the row `halves` of `npm run recipe`, or resumes its training in `run`; prints the scores of the int8 file. */
async function trainGeneral(corpus, run) {
  if (!corpus || !existsSync(join(corpus, 'train.tsv')))
    throw new Error(
      'the general model needs --corpus DIR, a folder with train.tsv and dev.tsv (English, Spanish)',
    );
  const heddle = (...args) => {
    const { status } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), ...args], {
      stdio: 'inherit',
    });
    if (status !== 0)
      throw new Error(`heddle ${args[0]} ended with status ${status}; the same command goes on`);
  };
  const [pairs, dev] = ['train.tsv', 'dev.tsv'].map((name) => join(corpus, name));
  const recipe =
    '--preset small --set tie=all --set norm=pre --tokenizer unigram --vocab-size 4000 --user-symbols <BT> --buckets 4 ' +
    '--max-tokens 1024 --dropout 0.05 --label-smoothing 0.1 --learning-rate 2e-3 --schedule cosine --warmup-steps 800 ' +
    '--ema-decay 0.999 --eval-steps 1000 --steps 12000';
  const resume = existsSync(join(run, 'state.json')) ? ['--resume'] : [];
  heddle('train', pairs, '--dev', dev, ...recipe.split(' '), '--out', run, ...resume);
  const model = await loadModel(run);
  const int8 = join(`${run}.int8`);
  await model.save(int8, { dtype: 'int8', force: true });
  model.dispose();
  const bytes = readFileSync(join(int8, 'model.safetensors'));
  if (bytes.length > maxGeneralBytes)
    throw new Error(`en-es-general has ${bytes.length} bytes, more than ${maxGeneralBytes}`);
  writeFileSync(join(folder, 'en-es-general.safetensors'), bytes);
  console.log(`en-es-general: ${bytes.length} bytes; all dev pairs, with the f32 and the int8 weights:`);
  for (const each of [run, int8]) heddle('eval', each, dev);
}

/** The film of the first screen: of each probe the cross-attention of the last layer and the predictions. */
function filmOf({ probes }) {
  const { source, target } = probes[0];
  return {
    source,
    target: target.slice(1).concat('[end]'),
    frames: probes.map(({ step, attention, next }) => {
      const { heads, weights } = attention.filter(({ kind }) => kind === 'cross').at(-1);
      const bytes = Buffer.from(weights, 'base64');
      const size = bytes.length / heads;
      const mean = Uint8Array.from({ length: size }, (_, i) => {
        let sum = 0;
        for (let head = 0; head < heads; head++) sum += bytes[head * size + i];
        return Math.round(sum / heads);
      });
      return { step, attention: Buffer.from(mean).toString('base64'), next };
    }),
  };
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
