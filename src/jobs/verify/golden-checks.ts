// Checks of a golden case: a model, a batch and the results of PyTorch in float64 (see formats/golden-case.ts).

import { relativeError } from '../../cpu/executor.ts';
import { createGreedyDecoder } from '../../decode/decoder.ts';
import type { Engine, Program } from '../../engine/engine.ts';
import { writePositions } from '../../engine/model-states.ts';
import type { GoldenCase } from '../../formats/golden-case.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { parameterList, tensorsFromWeights, weightsFromTensors } from '../../model/parameters.ts';
import { clipAt } from '../../ops/optimizer/clip.ts';
import { writeStep } from '../../ops/step-scalars.ts';
import { fillLengths } from '../../text/batches/batch-inputs.ts';
import { fillTokenIndices } from '../../text/batches/batches.ts';
import { optimizerConfig } from '../../trainer/optimizer-config.ts';
import { inputArrays } from '../../trainer/program-inputs.ts';
import { gradientGraph, trainingGraph } from '../../trainer/training-graphs.ts';

/** One comparison: name of the quantity, its error and the largest error allowed. */
export type Row = readonly [quantity: string, error: number, limit: number];

/** Largest errors allowed, max|x - ref| / max|ref|. */
export const limits = { logits: 1e-4, loss: 1e-4, gradient: 1e-3, losses: 1e-3 } as const;

/**
 * Compares loss, logits, gradients, losses of AdamW updates and greedy decoding of a case, each on an engine of its
 * own.
 */
export async function checkGolden(golden: GoldenCase, newEngine: () => Promise<Engine>): Promise<Row[]> {
  const rows: Row[] = [];
  for (const check of [checkGradients, checkLosses, checkGreedy]) {
    const engine = await newEngine();
    try {
      rows.push(...(await check(golden, parameterList(golden.config), engine)));
    } finally {
      engine.destroy();
    }
  }
  return rows;
}

const expectedOf = (golden: GoldenCase, name: string) => golden.expected[name]?.data ?? new Float32Array(0);

function shapeOf({ source, targetIn }: GoldenCase) {
  const [batch = 0, S = 0] = source.shape;
  return { batch, source: S, target: targetIn.shape[1] ?? 0 };
}

/** Writes the weights to the engine and the batch to the inputs of a program. */
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

/**
 * Trains a case on its batch: the loss before each of its AdamW updates and after the last, and the norm of the first
 * gradients before clipping.
 */
export async function trainGolden(golden: GoldenCase, engine: Engine): Promise<{ losses: number[]; gradNorm: number }> {
  const { config: c, optimizer: o } = golden;
  const { beta1, beta2, eps, weightDecay, clipNorm } = o;
  const p = parameterList(c);
  const optimizer = optimizerConfig({ kind: 'adamw', beta1, beta2, eps, weightDecay, clipNorm, decayAll: true });
  const [program] = (await engine.prepare([trainingGraph(c, p, shapeOf(golden), optimizer)])) as [Program];
  load(golden, p, engine, program);
  const losses: number[] = [];
  let gradNorm = Number.NaN;
  for (let i = 0; i <= o.steps; i++) {
    const { stats, clip } = await program.run();
    if (i === 0) gradNorm = clip?.[clipAt.norm] ?? Number.NaN;
    losses.push(meanLoss(stats));
  }
  return { losses, gradNorm };
}

async function checkLosses(golden: GoldenCase, _: ParameterList, engine: Engine): Promise<Row[]> {
  const { losses, gradNorm } = await trainGolden(golden, engine);
  const want = expectedOf(golden, 'losses');
  return [
    ['grad_norm', relativeError([gradNorm], expectedOf(golden, 'grad_norm')), limits.gradient],
    ...losses.map((loss, i): Row => [`losses[${i}]`, relativeError([loss], [want[i] as number]), limits.losses]),
  ];
}

async function checkGreedy(golden: GoldenCase, p: ParameterList, engine: Engine): Promise<Row[]> {
  const { config: c, decodeLength: length } = golden;
  if (length === 0) return [];
  const { batch, source: S } = shapeOf(golden);
  const target = Math.min(length, c.maxLength);
  const decoder = await createGreedyDecoder(engine, c, p, { batch, source: S, target });
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
