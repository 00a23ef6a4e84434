// Small models with random batches, for tests that run whole graphs on an engine.

import { random } from '../../src/core/random.ts';
import type { Engine, Program } from '../../src/engine/engine.ts';
import { type StepScalars, writeStep } from '../../src/engine/ops/step-scalars.ts';
import { initializeWeights } from '../../src/model/initialize-weights.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../../src/model/model-config.ts';
import type { ParameterList } from '../../src/model/parameter-layout.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { writePositions } from '../../src/model/positions.ts';
import type { BatchShape } from '../../src/text/batches/buckets.ts';
import { fillTokenIndex } from '../../src/text/batches/token-index.ts';

/** A model small enough for the float64 references. */
export function smallModel(options: Partial<ModelOptions> = {}): { c: ModelConfig; p: ParameterList } {
  const c = modelConfig({
    srcVocab: 19,
    tgtVocab: 23,
    dModel: 12,
    heads: 2,
    feedForward: 20,
    encoderLayers: 1,
    decoderLayers: 1,
    maxLength: 16,
    ...options,
  });
  return { c, p: parameterList(c) };
}

/** Options of a small model as T5. */
export const smallT5 = {
  norm: 'pre',
  normType: 'rms',
  feedForwardType: 'gated',
  positions: 'relative',
  biases: false,
  tie: 'all',
  headWidth: 5,
  dModel: 10,
  feedForward: 14,
  srcVocab: 23,
  tgtVocab: 23,
} as const satisfies Partial<ModelOptions>;

/** Options of a model with learned positions, a norm of the embeddings and no final norm. */
export const learnedPositions = {
  positions: 'learned',
  positionOffset: 2,
  embeddingNorm: true,
  finalNorm: false,
  tie: 'target',
  activation: 'silu',
  scaleEmbedding: false,
  outputBias: false,
} as const satisfies Partial<ModelOptions>;

/** Ids and true lengths of a batch. */
export interface Ids {
  readonly src: Int32Array; // [B, S]
  readonly tgtIn: Int32Array; // [B, T]
  readonly tgtOut: Int32Array; // [B, T]
  readonly srcLens: Uint32Array; // [B]
  readonly tgtLens: Uint32Array; // [B]
}

/**
 * Random ids without special tokens except start and end; row b is b tokens shorter than the first, with at
 * least one token.
 */
export function randomIds(c: ModelConfig, { batch: B, source: S, target: T }: BatchShape, seed = 1): Ids {
  const r = random(seed);
  const special = [c.padId, c.startId, c.endId];
  const token = (vocab: number) => {
    for (;;) {
      const id = r.int(vocab);
      if (!special.includes(id)) return id;
    }
  };
  const ids = {
    src: new Int32Array(B * S).fill(c.padId),
    tgtIn: new Int32Array(B * T).fill(c.padId),
    tgtOut: new Int32Array(B * T).fill(c.padId),
    srcLens: new Uint32Array(B),
    tgtLens: new Uint32Array(B),
  };
  for (let b = 0; b < B; b++) {
    const s = Math.max(1, S - b);
    const t = Math.max(1, T - b);
    for (let i = 0; i < s; i++) ids.src[b * S + i] = token(c.srcVocab);
    ids.tgtIn[b * T] = c.startId;
    for (let i = 1; i < t; i++) ids.tgtOut[b * T + i - 1] = ids.tgtIn[b * T + i] = token(c.tgtVocab);
    ids.tgtOut[b * T + t - 1] = c.endId;
    ids.srcLens[b] = s;
    ids.tgtLens[b] = t;
  }
  return ids;
}

/** Copies a batch into a program's inputs, with the indices of its tokens if the program needs them. */
export function loadIds(program: Program, ids: Ids): void {
  const { inputs } = program;
  for (const [name, data] of Object.entries(ids)) inputs[name]?.set(data);
  const { srcRowStart, srcOccurrences, tgtRowStart, tgtOccurrences } = inputs;
  if (srcRowStart && srcOccurrences) fillTokenIndex(srcRowStart, srcOccurrences as Uint32Array, ids.src);
  if (tgtRowStart && tgtOccurrences) fillTokenIndex(tgtRowStart, tgtOccurrences as Uint32Array, ids.tgtIn);
}

/** Writes the step scalars of a program; by default a learning rate of 1e-2 and every token at its mean. */
export function setStep(program: Program, ids: Ids, scalars: Partial<StepScalars> = {}): void {
  const tokens = ids.tgtLens.reduce((a, b) => a + b, 0);
  writeStep(program.inputs.step as Uint32Array, {
    learningRate: 1e-2,
    tokenWeight: 1 / tokens,
    seed: 5,
    step: 0,
    keep: 0,
    position: 0,
    ...scalars,
  });
}

/** Initial weights, with noise on norms and biases, since values of 1 and 0 hide errors. */
export function startWeights(c: ModelConfig, p: ParameterList, seed = 3): Float32Array {
  const weights = initializeWeights(c, p, seed);
  const r = random(seed, 99);
  for (const { offset, shape } of p.all)
    if (shape.length === 1) for (let i = 0; i < shape[0]!; i++) weights[offset + i]! += 0.1 * r.normal();
  return weights;
}

/** Writes initial weights and positions. */
export function startModel(engine: Engine, c: ModelConfig, p: ParameterList, seed = 3): Float32Array {
  const weights = startWeights(c, p, seed);
  engine.write('weights', weights);
  writePositions(engine, c);
  return weights;
}

/** Prepares a graph on a new model. */
export async function startProgram(
  engine: Engine,
  { c, p }: { c: ModelConfig; p: ParameterList },
  graph: Parameters<Engine['prepare']>[0][number],
  seed?: number,
): Promise<Program> {
  const [program] = await engine.prepare([graph]);
  if (!program) throw new Error('no program');
  startModel(engine, c, p, seed);
  return program;
}
