// heddle verify: golden cases from PyTorch, folders of Hugging Face with an expected.json, and other model folders against float64,
// quantity by quantity, on whatever backend the job runs.

import { relativeError } from '../../cpu/compare.ts';
import { greedyDecoder } from '../../decode/decoder.ts';
import type { Engine, Program } from '../../engine/engine.ts';
import { writePositions } from '../../engine/model-states.ts';
import type { Files } from '../../files/files.ts';
import { readJson } from '../../files/json-files.ts';
import { type GoldenCase, readGolden } from '../../formats/golden-case.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { parameterList, tensorsFromWeights, weightsFromTensors } from '../../model/parameters.ts';
import type { WeightFormat } from '../../model/quantized-parameters.ts';
import { clipAt } from '../../ops/optimizer/clip.ts';
import { writeStep } from '../../ops/step-scalars.ts';
import type { Job, JobContext } from '../../runtime/job.ts';
import { fillLengths } from '../../text/batches/batch-inputs.ts';
import { fillTokenIndices } from '../../text/batches/batches.ts';
import { optimizerConfig } from '../../trainer/optimizer-config.ts';
import { inputArrays } from '../../trainer/program-inputs.ts';
import { gradientGraph, trainingGraph } from '../../trainer/training-graphs.ts';
import { hasExpected, verifyExpected } from './verify-expected.ts';
import { verifyReference } from './verify-reference.ts';
import { verifyWeights } from './verify-weights.ts';

/** One compared quantity of a case. */
export interface Compared {
  readonly quantity: string;
  /** max|x - ref| / max|ref|; for decoding the number of tokens that differ; for logits of expected.json max|x - ref|. */
  readonly error: number;
  readonly limit: number;
  readonly passed: boolean;
}

/** All quantities of a case. */
export interface VerifiedCase {
  readonly name: string;
  readonly backend: string;
  readonly compared: readonly Compared[];
  /** What else there is to say. */
  readonly fact?: string;
}

/** What to verify; plain JSON. */
export interface VerifyArguments {
  readonly folders: readonly string[];
  /** Compare weights that are kept so with those in f32, instead of results with PyTorch's. */
  readonly weights?: WeightFormat;
}

/** Largest errors allowed, as the project promises them. */
const limits = { logits: 1e-4, loss: 1e-4, gradient: 1e-3, losses: 1e-3 } as const;

/** Verifies the cases in `folders`; nothing is thrown for a case that fails, only for one that cannot be read. */
export const verify: Job<VerifyArguments, VerifiedCase[]> = async ({ folders, weights = 'f32' }, context) => {
  const results: VerifiedCase[] = [];
  for (const folder of folders) {
    const name = folder.split('/').filter(Boolean).pop() ?? folder;
    const aside = await verifyAside(folder, weights, context);
    if (aside) {
      results.push({ name, backend: context.backend, ...aside });
      context.emit({ type: 'progress', task: 'verify', done: results.length, of: folders.length, text: name });
      continue;
    }
    const golden = await readGolden(context.files, folder);
    const compared: Compared[] = [];
    for (const check of [checkGradients, checkLosses, checkGreedy]) {
      const engine = await context.engine();
      try {
        const p = parameterList(golden.config);
        for (const [quantity, error, limit] of await check(golden, p, engine))
          compared.push({ quantity, error, limit, passed: error <= limit });
      } finally {
        engine.destroy();
      }
    }
    results.push({ name: golden.name, backend: context.backend, compared });
    context.emit({ type: 'progress', task: 'verify', done: results.length, of: folders.length, text: golden.name });
  }
  return results;
};

/** A folder that is compared as a whole; undefined for a golden case. */
async function verifyAside(
  folder: string,
  weights: WeightFormat,
  context: JobContext,
): Promise<Pick<VerifiedCase, 'compared' | 'fact'> | undefined> {
  if (weights !== 'f32') return verifyWeights(folder, weights, context);
  if (await hasExpected(context, folder)) return { compared: await verifyExpected(folder, context) };
  if (await isModel(context.files, folder)) return verifyReference(folder, context);
  return undefined;
}

/** Whether a folder is a model, and no golden case. */
async function isModel(files: Files, folder: string): Promise<boolean> {
  const path = `${folder}/config.json`;
  if ((await files.exists(`${folder}/batch.safetensors`)) || !(await files.exists(path))) return false;
  const { model_type: type, format } = await readJson(files, path);
  return type !== undefined || format !== undefined;
}

type Row = [quantity: string, error: number, limit: number];

const expectedOf = (golden: GoldenCase, name: string) => golden.expected[name]?.data ?? new Float32Array(0);

function shapeOf({ source, targetIn }: GoldenCase) {
  const [batch = 0, S = 0] = source.shape;
  return { batch, source: S, target: targetIn.shape[1] ?? 0 };
}

/** Puts weights on the engine and the batch into a program's inputs. */
function load(golden: GoldenCase, p: ParameterList, engine: Engine, program: Program): void {
  const { config: c } = golden;
  const { source: S, target: T } = shapeOf(golden);
  engine.write('weights', weightsFromTensors(p, golden.weights));
  writePositions(engine, c);
  const inputs = inputArrays(program);
  const { src, tgtIn, tgtOut, srcLens, tgtLens, step } = inputs;
  src.set(golden.source.data);
  tgtIn.set(golden.targetIn.data);
  tgtOut.set(golden.targetOut.data);
  fillLengths(srcLens, src, S, c.padId, c.srcVocab, `${golden.name}: src`);
  fillLengths(tgtLens, tgtIn, T, c.padId, c.tgtVocab, `${golden.name}: tgt_in`, c.startId === c.padId);
  fillTokenIndices(inputs);
  const counted = Array.from(golden.targetOut.data).filter((id) => id !== c.padId).length;
  writeStep(step, {
    learningRate: golden.optimizer.learningRate,
    tokenWeight: 1 / Math.max(1, counted),
    seed: 0,
    step: 0,
    keep: 0,
    position: 0,
  });
}

const meanLoss = (stats: ArrayLike<number> | undefined) => (stats?.[0] ?? Number.NaN) / (stats?.[1] ?? Number.NaN);

async function checkGradients(golden: GoldenCase, p: ParameterList, engine: Engine): Promise<Row[]> {
  const { graph } = gradientGraph(golden.config, p, shapeOf(golden), { logits: true });
  const [program] = (await engine.prepare([graph])) as [Program];
  load(golden, p, engine, program);
  const { logits, stats } = await program.run();
  const rows: Row[] = [
    ['logits', relativeError(logits ?? [], expectedOf(golden, 'logits')), limits.logits],
    ['loss', relativeError([meanLoss(stats)], expectedOf(golden, 'loss')), limits.loss],
  ];
  for (const [name, { data }] of Object.entries(tensorsFromWeights(p, (await engine.read('gradients')).data)))
    rows.push([`grad.${name}`, relativeError(data, expectedOf(golden, `grad.${name}`)), limits.gradient]);
  return rows;
}

async function checkLosses(golden: GoldenCase, p: ParameterList, engine: Engine): Promise<Row[]> {
  const { optimizer: o } = golden;
  const { beta1, beta2, eps, weightDecay, clipNorm } = o;
  const optimizer = optimizerConfig({ kind: 'adamw', beta1, beta2, eps, weightDecay, clipNorm, decayAll: true });
  const [program] = (await engine.prepare([trainingGraph(golden.config, p, shapeOf(golden), optimizer)])) as [Program];
  load(golden, p, engine, program);
  const losses: number[] = [];
  let norm = Number.NaN;
  for (let i = 0; i <= o.steps; i++) {
    const { stats, clip } = await program.run();
    if (i === 0) norm = clip?.[clipAt.norm] ?? Number.NaN;
    losses.push(meanLoss(stats));
  }
  const rows: Row[] = [['grad_norm', relativeError([norm], expectedOf(golden, 'grad_norm')), limits.gradient]];
  const want = expectedOf(golden, 'losses');
  for (let i = 0; i <= o.steps; i++)
    rows.push([`losses[${i}]`, relativeError([losses[i] as number], [want[i] as number]), limits.losses]);
  return rows;
}

async function checkGreedy(golden: GoldenCase, p: ParameterList, engine: Engine): Promise<Row[]> {
  const { config: c, decodeLength: length } = golden;
  if (length === 0) return [];
  const { batch, source: S } = shapeOf(golden);
  const target = Math.min(length, c.maxLength);
  const decoder = await greedyDecoder(engine, c, p, { batch, source: S, target });
  engine.write('weights', weightsFromTensors(p, golden.weights));
  writePositions(engine, c);
  const sources = Array.from({ length: batch }, (_, b) =>
    Array.from(golden.source.data.subarray(b * S, (b + 1) * S)).filter((id) => id !== c.padId),
  );
  const { ids, ended } = await decoder.decode(sources);
  const want = expectedOf(golden, 'greedy');
  let different = 0;
  for (let b = 0; b < batch; b++) {
    const row = [...(ids[b] ?? []), ...(ended[b] ? [c.endId] : [])];
    for (let t = 0; t < length; t++) if ((row[t] ?? c.padId) !== want[b * length + t]) different++;
  }
  return [['greedy', different, 0]];
}
