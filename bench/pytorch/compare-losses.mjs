// Compares the first losses of a training run with those of PyTorch's nn.Transformer, from the same weights
// on the same batches, in float32:
//
//   node bench/pytorch/compare-losses.mjs PAIRS.tsv [--steps 200]        (needs Debian's python3-torch, python3-safetensors)
//
// Model and settings are those of the run in the README, without dropout, whose masks PyTorch cannot
// reproduce. Exits with status 1 if a loss differs by more than 1 %.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { openSources } from './sources.mjs';

const vite = await openSources();
const paths = [
  ...[
    'engine/engine',
    'formats/model-folder',
    'engine/gpu/auto-tuning',
    'engine/gpu/device',
    'host/dawn',
    'host/node-files',
  ],
  ...[
    'model/model-config',
    'text/corpus/tsv',
    'train/update/optimizer-config',
    'train/update/trainer',
    'train/data/training-data',
  ],
];
const heddle = Object.assign(
  {},
  ...(await Promise.all(paths.map((path) => vite.ssrLoadModule(`/src/${path}.ts`)))),
);
const { dawnGpu, nodeFiles } = heddle;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { steps: { type: 'string', default: '200' } },
});
const steps = Number(values.steps);
const tsv = positionals[0];
if (!tsv || !(steps > 0))
  throw new Error(`usage: node ${fileURLToPath(pathToFileURL(process.argv[1]))} PAIRS.tsv [--steps N]`);

const { pairs } = heddle.readTsv(readFileSync(tsv), tsv);
const trainingData = heddle.prepareTrainingData(pairs, {
  model: { ...heddle.presets.small, tie: 'all', norm: 'pre', dropout: 0, labelSmoothing: 0.1 },
  tokenizer: { kind: 'bpe', size: 4000 },
  batchSize: 0,
  maxTokens: 2048,
  buckets: 4,
  seed: 1,
});
const { config, shapes } = trainingData;
const optimizer = heddle.optimizerConfig({ kind: 'adamw' });
const schedule = {
  kind: 'cosine',
  learningRate: 2e-3,
  warmupSteps: 400,
  steps: 4500,
  minLearningRate: 0,
  dModel: config.dModel,
};
const recipe = { optimizer, schedule, seed: 1, init: 'xavier', gradientAccumulationSteps: 1 };

const folder = mkdtempSync(join(tmpdir(), 'heddle-losses-'));
const device = await heddle.openDevice(await dawnGpu());
const engine = heddle.gpuEngine(device, {
  kernels: { choose: (graphs, on, known) => heddle.tuneKernels(on, graphs, { known }) },
});
try {
  const trainer = await heddle.createTrainer(engine, config, recipe, shapes);
  await heddle.initializeTraining(engine, config, recipe);
  const weights = (await engine.read('weights')).data;
  await heddle.saveModelFolder(nodeFiles(), folder, { ...trainingData, weights });

  const run = {
    clipNorm: optimizer.clipNorm,
    beta1: optimizer.beta1,
    beta2: optimizer.beta2,
    eps: optimizer.eps,
    steps: [],
  };
  const own = [];
  for (let step = 0; step < steps; step++) {
    const batch = trainingData.batchAt(step);
    const report = await trainer.update([batch]);
    own.push(report.loss);
    run.steps.push({ learningRate: report.learningRate, ...rowsOf(batch) });
    if ((step + 1) % 20 === 0) console.error(`heddle   ${step + 1}/${steps}  loss ${report.loss.toFixed(4)}`);
  }
  writeFileSync(join(folder, 'run.json'), JSON.stringify(run));
  const script = fileURLToPath(new URL('torch_losses.py', import.meta.url));
  const torch = spawnSync(process.env.PYTHON ?? '/usr/bin/python3', [script, folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (torch.status !== 0) throw new Error(`torch_losses.py ended with ${torch.status ?? torch.signal}`);
  const theirs = torch.stdout.trim().split('\n').map(Number);
  const errors = own.map((loss, i) => Math.abs(loss / theirs[i] - 1));
  const worst = errors.indexOf(Math.max(...errors));
  for (let i = 0; i < steps; i += Math.max(1, Math.floor(steps / 10)))
    console.log(
      `step ${String(i + 1).padStart(4)}  heddle ${own[i].toFixed(5)}  PyTorch ${theirs[i].toFixed(5)}`,
    );
  console.log(
    `step ${String(steps).padStart(4)}  heddle ${own.at(-1).toFixed(5)}  PyTorch ${theirs.at(-1).toFixed(5)}`,
  );
  console.log(
    `${steps} losses; largest difference ${(100 * errors[worst]).toPrecision(3)} % at step ${worst + 1}`,
  );
  if (!(errors[worst] <= 0.01) || theirs.length !== steps) process.exitCode = 1;
} finally {
  await vite.close();
  engine.destroy();
  device.destroy();
  rmSync(folder, { recursive: true, force: true });
}

/** The rows of a batch as token ids without padding. */
function rowsOf(batch) {
  const { batch: B, source: S, target: T } = shapes[batch.shape];
  const arrays = {
    src: new Int32Array(B * S),
    tgtIn: new Int32Array(B * T),
    tgtOut: new Int32Array(B * T),
    srcLens: new Uint32Array(B),
    tgtLens: new Uint32Array(B),
  };
  batch.fill(arrays);
  const rows = (ids, lens, width) =>
    Array.from(lens, (n, b) => [...ids.subarray(b * width, b * width + n)]).filter((row) => row.length > 0);
  return {
    src: rows(arrays.src, arrays.srcLens, S),
    tgtIn: rows(arrays.tgtIn, arrays.tgtLens, T),
    tgtOut: rows(arrays.tgtOut, arrays.tgtLens, T),
  };
}
