// Checks of a golden case: a model, a batch and results in float64 (see formats/golden-case.ts and
// golden-hf.ts).

import { present } from '../../../core/present.ts';
import { relativeError } from '../../../core/relative-error.ts';
import { sizeOf, type TensorData } from '../../../core/tensor.ts';
import {
  type DecodeOptions,
  decodeSettings,
  modeOf,
  withModelRules,
} from '../../../decode/decode-options.ts';
import { Decoder } from '../../../decode/decoder.ts';
import type { Hypothesis } from '../../../decode/hypotheses.ts';
import { searchFor } from '../../../decode/open-search.ts';
import type { Engine, Program } from '../../../engine/engine.ts';
import { clipAt } from '../../../engine/ops/optimizer/clip.ts';
import { writeStep } from '../../../engine/ops/step-scalars.ts';
import { hfTensors } from '../../../formats/hf/hf-tensors.ts';
import type { ParameterLayout, ParameterList } from '../../../model/parameter-layout.ts';
import { parameterList, tensorsFromWeights } from '../../../model/parameters.ts';
import { writePositions } from '../../../model/positions.ts';
import { weightsFromTensors } from '../../../model/weights-from-tensors.ts';
import { fillTokenIndices } from '../../../text/batches/batches.ts';
import { fillLengths } from '../../../text/batches/row-lengths.ts';
import { optimizerConfig } from '../../../train/update/optimizer-config.ts';
import { gradientGraph, inputArrays, trainingGraph } from '../../../train/update/training-graphs.ts';
import type { GoldenCase } from './golden-case.ts';

/** A comparison: name of the quantity, its error and the maximum error. */
export type Row = readonly [quantity: string, error: number, limit: number];

/**
 * Maximum errors, max|x - ref| / max|ref|; 1e-4 for `losses` of AdamW updates in cases of Hugging Face's
 * families. `zero`: for gradients that are zero in exact arithmetic, relative to the largest gradient; `f16Scores`: of
 * beams with a KV cache in f16.
 */
export const limits = {
  logits: 1e-4,
  loss: 1e-4,
  gradient: 1e-3,
  losses: 1e-3,
  zero: 1e-6,
  f16Scores: 2e-3,
} as const;

/** Storage of the keys and values while a case is decoded. */
export type CacheType = DecodeOptions['cacheType'];

/**
 * Compares loss, logits, gradients, losses of AdamW updates and greedy decoding of a case, each on a new
 * engine. With `cacheType` f16 only the decoding, whose ids must be the same.
 */
export async function checkGolden(
  golden: GoldenCase,
  newEngine: () => Promise<Engine>,
  cacheType: CacheType = 'f32',
): Promise<Row[]> {
  const rows: Row[] = [];
  const checks = cacheType === 'f16' ? [checkDecoding] : [checkGradients, checkLosses, checkDecoding];
  for (const check of checks) {
    const engine = await newEngine();
    try {
      rows.push(...(await check(golden, engine, cacheType)));
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
  const { config: c, hf } = golden;
  const { source: S, target: T } = shapeOf(golden);
  engine.write('weights', weightsFromTensors(p, golden.weights));
  writePositions(engine, c);
  const inputs = inputArrays(program);
  const { src, frames, tgtIn, tgtOut, srcLens, tgtLens, step } = inputs;
  (frames ?? src).set(golden.source.data);
  tgtIn.set(golden.targetIn.data);
  tgtOut.set(golden.targetOut.data);
  if (hf) {
    srcLens.set(hf.sourceLengths);
    tgtLens.fill(T);
    if (hf.targetLengths) tgtLens.set(hf.targetLengths);
  } else {
    fillLengths(srcLens, src, S, c.padId, c.srcVocab, `${golden.name}: src`);
    fillLengths(tgtLens, tgtIn, T, c.padId, c.tgtVocab, `${golden.name}: tgt_in`, c.startId === c.padId);
  }
  fillTokenIndices(inputs);
  const counted = Array.from(golden.targetOut.data).filter((id) => id !== (hf?.ignore ?? c.padId)).length;
  writeStep(step, { learningRate: golden.optimizer.learningRate, tokenWeight: 1 / Math.max(1, counted) });
}

/** Options of the graphs of a case. */
const optionsOf = ({ hf }: GoldenCase) => (hf ? { ignore: hf.ignore } : {});

/** The tensors of a parameter buffer, by the names of the case. */
function tensorsOf(
  { config, hf }: GoldenCase,
  trained: ParameterLayout,
  data: TensorData,
): [string, TensorData][] {
  if (!hf)
    return Object.entries(tensorsFromWeights(trained, data)).map(([name, tensor]) => [name, tensor.data]);
  if (hf.tensors) return hf.tensors(trained, data);
  return hfTensors(config, trained, hf.prefix).map(({ name, at, shape }) => [
    name,
    data.subarray(at, at + sizeOf(shape)),
  ]);
}

/** The logits that count: all, or those at places with a label. */
function countedLogits({ hf, targetOut }: GoldenCase, logits: TensorData | readonly number[]): number[] {
  const all = Array.from(logits);
  if (!hf?.onlyLabels) return all;
  const V = all.length / targetOut.data.length;
  return Array.from(targetOut.data).flatMap((label, i) =>
    label === hf.ignore ? [] : all.slice(i * V, (i + 1) * V),
  );
}

/** The mean cross-entropy of the labels with the logits that count, without label smoothing. */
function crossEntropyOf({ hf, targetOut, config }: GoldenCase, logits: readonly number[]): number {
  const labels = Array.from(targetOut.data).filter((label) => label !== hf?.ignore);
  const V = config.tgtVocab;
  const losses = labels.map((label, i) => {
    const row = logits.slice(i * V, (i + 1) * V);
    const max = Math.max(...row);
    return max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0)) - (row[label] as number);
  });
  return losses.reduce((sum, x) => sum + x, 0) / losses.length;
}

const meanLoss = (stats: ArrayLike<number> | undefined) =>
  (stats?.[0] ?? Number.NaN) / (stats?.[1] ?? Number.NaN);

async function checkGradients(golden: GoldenCase, engine: Engine): Promise<Row[]> {
  const p = parameterList(golden.config, golden.sourceKind);
  const shape = shapeOf(golden);
  const { graph, trainable } = gradientGraph(golden.config, p, shape, { logits: true, ...optionsOf(golden) });
  const [program] = (await engine.prepare([graph])) as [Program];
  load(golden, p, engine, program);
  const { logits, stats } = await program.run();
  const counted = countedLogits(golden, logits ?? []);
  const rows: Row[] = [
    ['logits', relativeError(counted, countedLogits(golden, expectedOf(golden, 'logits'))), limits.logits],
    ['loss', relativeError([meanLoss(stats)], expectedOf(golden, 'loss')), limits.loss],
  ];
  if (golden.expected.cross_entropy)
    rows.push([
      'cross_entropy',
      relativeError([crossEntropyOf(golden, counted)], expectedOf(golden, 'cross_entropy')),
      limits.loss,
    ]);
  // Cases of an int8 file have no gradients.
  if (golden.hf?.tensors && !Object.keys(golden.expected).some((name) => name.startsWith('grad.')))
    return rows;
  const gradients = tensorsOf(golden, trainable.parameters, (await engine.read('gradients')).data);
  const largest = Math.max(...gradients.map(([name]) => maxOf(expectedOf(golden, `grad.${name}`))));
  // In exact arithmetic the gradient of a bias of keys is zero: it adds the same number to all scores of a
  // query.
  for (const [name, data] of gradients)
    if (golden.hf && (golden.hf.isZero?.(name) ?? name.endsWith('k_proj.bias')))
      rows.push([`grad.${name}`, maxOf(data) / largest, limits.zero]);
    else
      rows.push([`grad.${name}`, relativeError(data, expectedOf(golden, `grad.${name}`)), limits.gradient]);
  const known = new Set(gradients.map(([name]) => `grad.${name}`));
  const missing = Object.keys(golden.expected).filter((name) => name.startsWith('grad.') && !known.has(name));
  return [...rows, ...missing.map((name): Row => [name, Number.POSITIVE_INFINITY, limits.gradient])];
}

const maxOf = (data: TensorData): number =>
  Array.from(data).reduce((max, x) => Math.max(max, Math.abs(x)), 0);

/**
 * Trains a case on its batch; returns the loss before each AdamW update and after the last, and the gradient
 * norm of the first update before clipping.
 */
export async function trainGolden(
  golden: GoldenCase,
  engine: Engine,
): Promise<{ losses: number[]; gradNorm: number }> {
  const { config: c, optimizer: o } = golden;
  const { beta1, beta2, eps, weightDecay, clipNorm, decayAll } = o;
  const p = parameterList(c, golden.sourceKind);
  const optimizer = optimizerConfig({ kind: 'adamw', beta1, beta2, eps, weightDecay, clipNorm, decayAll });
  const graph = trainingGraph(c, p, shapeOf(golden), optimizer, optionsOf(golden));
  const [program] = (await engine.prepare([graph])) as [Program];
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

async function checkLosses(golden: GoldenCase, engine: Engine): Promise<Row[]> {
  if (golden.optimizer.steps < 0) return [];
  const { losses, gradNorm } = await trainGolden(golden, engine);
  const want = expectedOf(golden, 'losses');
  const limit = golden.hf ? limits.loss : limits.losses;
  return [
    ['grad_norm', relativeError([gradNorm], expectedOf(golden, 'grad_norm')), limits.gradient],
    ...losses.map((loss, i): Row => [`losses[${i}]`, relativeError([loss], [want[i] as number]), limit]),
  ];
}

/** Sources of a case without padding: ids, or the numbers of the frames. */
export function sourcesOf({ source, config: c, hf }: GoldenCase): number[][] {
  const [B = 0] = source.shape;
  const S = sizeOf(source.shape.slice(1));
  return Array.from({ length: B }, (_, b) => {
    const row = Array.from(source.data.subarray(b * S, (b + 1) * S));
    if (c.source === 'frames') return row;
    return hf ? row.slice(0, hf.sourceLengths[b]) : row.filter((id) => id !== c.padId);
  });
}

/** Decodes the sources of a case with up to `target` tokens; the best hypothesis of each. */
async function decodeCase(
  golden: GoldenCase,
  engine: Engine,
  options: DecodeOptions,
  target: number,
): Promise<Hypothesis[]> {
  const { config: c } = golden;
  const p = parameterList(c, golden.sourceKind);
  const { batch, source } = shapeOf(golden);
  const sources = sourcesOf(golden);
  const settings = decodeSettings({ ...options, maxNewTokens: target }, c, target);
  const shape = { batch, beams: settings.rows, source, target, cacheType: settings.cacheType };
  const decoder = await Decoder.open(engine, c, p, shape, modeOf(settings));
  engine.write('weights', weightsFromTensors(p, golden.weights));
  writePositions(engine, c);
  const search = await searchFor(settings, sources, c.endId);
  for await (const _ of decoder.run({ sources, streams: sources.map((_, b) => b) }, settings, search));
  return search.finish().map(([best]) => best as Hypothesis);
}

/**
 * Greedy decoding; in cases of Hugging Face's families with the decoding rules of the model, and beam search
 * too.
 */
async function checkDecoding(golden: GoldenCase, engine: Engine, cacheType: CacheType): Promise<Row[]> {
  const { config: c, decodeLength: length, hf } = golden;
  if (length === 0 || !golden.expected.greedy) return [];
  const { batch } = shapeOf(golden);
  const decode = (given: DecodeOptions) => {
    const options = { ...given, cacheType };
    return hf
      ? decodeCase(
          golden,
          engine,
          withModelRules(hf.decode, { ...options, maxNewTokens: length }, length),
          length,
        )
      : decodeCase(golden, engine, options, Math.min(length, c.maxLength));
  };
  /** Number of ids that differ; rows are padded. */
  const differences = (hypotheses: readonly Hypothesis[], name: string): number => {
    const want = expectedOf(golden, name);
    const filler = hf?.filler ?? c.padId;
    const L = want.length / batch;
    let different = 0;
    for (const [b, { ids, ended }] of hypotheses.entries()) {
      const row = present([
        hf && hf.hasStart !== false ? c.startId : undefined,
        ...ids,
        ended ? c.endId : undefined,
      ]);
      const expected = want.subarray(b * L, (b + 1) * L);
      for (let t = 0; t < Math.max(L, row.length); t++)
        if ((row[t] ?? filler) !== (expected[t] ?? filler)) different++;
    }
    return different;
  };
  const rows: Row[] = [['greedy', differences(await decode({}), 'greedy'), 0]];
  if (!hf?.beam) return rows;
  const best = await decode(hf.beam);
  const scores = best.map(({ score }) => score);
  return [
    ...rows,
    ['beam', differences(best, 'beam'), 0],
    ['beam_scores', relativeError(scores, expectedOf(golden, 'beam_scores')), scoreLimit(cacheType)],
  ];
}

/** Limit of the relative error of the scores of beams. */
export const scoreLimit = (cacheType: CacheType): number =>
  cacheType === 'f16' ? limits.f16Scores : limits.logits;
