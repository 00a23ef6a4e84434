// Checks that compare logits: of a model on the backend with the float64 reference, and of f16 or int8
// weights with f32.

import { renderMessage } from '../../../core/message.ts';
import { random } from '../../../core/random.ts';
import { relativeError } from '../../../core/relative-error.ts';
import { cpuEngine } from '../../../engine/cpu-engine.ts';
import { isInt4 } from '../../../engine/ops/matmul/packed-weights.ts';
import { writeStep } from '../../../engine/ops/step-scalars.ts';
import { describeWeights } from '../../../model/describe-weights.ts';
import type { ModelConfig } from '../../../model/model-config.ts';
import { writeWeights } from '../../../model/model-states.ts';
import { type Quantization, weightBytes } from '../../../model/parameter-layout.ts';
import { parameterList } from '../../../model/parameters.ts';
import {
  storedParameters,
  type WeightFormat,
  type WeightStorage,
} from '../../../model/quantized-parameters.ts';
import { type SourceKind, sourceKindOf, tokens } from '../../../model/source-kind.ts';
import { weightsFromTensors } from '../../../model/weights-from-tensors.ts';
import { openModel } from '../../../session/open-model.ts';
import type { Session } from '../../../session/session.ts';
import { evaluationGraph, inputArrays } from '../../../train/update/training-graphs.ts';
import { hasExpected, readExpected } from './expected-outputs.ts';
import type { GoldenCase } from './golden-case.ts';
import { limits, type Row, sourcesOf } from './golden-checks.ts';

/** Result of a check. */
interface LogitCheck {
  readonly rows: readonly Row[];
  /** Note for the user. */
  readonly fact: string;
}

/**
 * Compares a model without expected results with the float64 reference, on random token ids. It shows that
 * the backend computes what config.json describes, not that config.json is right. Throws a HeddleError if the
 * folder cannot be read.
 */
export async function checkReference(
  folder: string,
  session: Session,
  readCase: () => Promise<GoldenCase>,
): Promise<LogitCheck> {
  // Few tokens, since the reference is slow; the second row has padding.
  const input = await readInput(folder, session, readCase, [4, 2]);
  const { logits } = await logitsOf(input, {}, session);
  const reference = await logitsOf(input, {}, { engine: async () => cpuEngine() });
  const { error, different, positions } = compareLogits(logits, reference.logits, input.config.tgtVocab);
  return {
    rows: [['logits of float64', error, limits.logits]],
    fact: `no expected.json; on random ids the most likely token differs at ${different} of ${positions} positions`,
  };
}

/**
 * Tolerance of the logits, max|x - f32| / max|f32|. Trained models reach about 5e-4 in f16, 2e-2 in int8 and 5e-2
 * in int4.
 */
const weightLimit = (format: Exclude<WeightFormat, 'f32'>): number =>
  format === 'f16' ? 5e-3 : isInt4(format) ? 2e-1 : 1e-1;

/**
 * Compares a model, or the model of a golden case, in a smaller weight format with itself in f32. `readCase` reads the
 * case. Throws a HeddleError if it cannot be read.
 */
export async function checkWeights(
  folder: string,
  format: Exclude<WeightFormat, 'f32'>,
  session: Session,
  readCase: () => Promise<GoldenCase>,
  weightsExclude?: readonly string[],
): Promise<LogitCheck> {
  const input = await readInput(folder, session, readCase, [16, 16, 16, 16]);
  const full = await logitsOf(input, {}, session);
  const packed = await logitsOf(input, { weights: format, weightsExclude }, session);
  const { error, different, positions } = compareLogits(packed.logits, full.logits, input.config.tgtVocab);
  const memory =
    packed.quantization && renderMessage(describeWeights(packed.quantization, packed.size, packed.bytes));
  return {
    rows: [[`logits as ${format} of f32`, error, weightLimit(format)]],
    fact: `${memory}; the most likely token differs at ${different} of ${positions} positions`,
  };
}

/** A model and the token ids of its source and target, row by row. */
interface ModelInput {
  readonly config: ModelConfig;
  readonly sourceKind: SourceKind;
  readonly weights: Float32Array;
  readonly rows: readonly { readonly source: readonly number[]; readonly target: readonly number[] }[];
}

/**
 * The model of a folder, with the ids of its golden case or expected.json, or else random rows of these
 * `lengths`.
 */
async function readInput(
  folder: string,
  session: Session,
  readCase: () => Promise<GoldenCase>,
  lengths: readonly number[],
): Promise<ModelInput> {
  const { files } = session;
  if (await files.exists(`${folder}/batch.safetensors`)) {
    const golden = await readCase();
    const sourceKind = await sourceKindOf(golden.config, session.features.sourceKinds);
    const weights = weightsFromTensors(parameterList(golden.config, sourceKind), golden.weights);
    return { config: golden.config, sourceKind, weights, rows: rowsOf(golden) };
  }
  const { config: c, sourceKind = tokens, weights } = await openModel(folder, session);
  if (await hasExpected(session, folder)) {
    const shorten = (ids: readonly number[]) => ids.slice(0, c.maxLength);
    const rows = (await readExpected(folder, session)).map(({ src_ids, tgt_ids }) => ({
      source: shorten(src_ids),
      target: shorten([c.startId, ...tgt_ids.filter((id) => id !== c.startId && id !== c.endId)]),
    }));
    return { config: c, sourceKind, weights, rows };
  }
  const r = random(1);
  const special = [c.padId, c.startId, c.endId];
  const randomIds = (n: number, vocab: number) =>
    Array.from({ length: n }, () => r.int(vocab)).filter((id) => !special.includes(id));
  const rows = lengths.map((length) => {
    const n = Math.min(length, c.maxLength) - 1;
    return {
      source: c.source === 'frames' ? randomFrames(c, r) : [...randomIds(n, c.srcVocab), c.endId],
      target: [c.startId, ...randomIds(n, c.tgtVocab)],
    };
  });
  return { config: c, sourceKind, weights, rows };
}

/** Few random frames, as numbers one after the other. */
const randomFrames = (c: ModelConfig, r: ReturnType<typeof random>): number[] =>
  Array.from({ length: 9 * c.frameWidth }, () => r.normal());

/** The rows of a case without padding. */
function rowsOf(golden: GoldenCase): ModelInput['rows'] {
  const { config, targetIn } = golden;
  const [, length = 0] = targetIn.shape;
  return sourcesOf(golden).map((source, b) => {
    const target = Array.from(targetIn.data.subarray(b * length, (b + 1) * length));
    while (target.length > 1 && target.at(-1) === config.padId) target.pop();
    return { source, target };
  });
}

/**
 * Computes the logits [positions, V] after each target token on a new engine; also returns its bytes of GPU
 * memory.
 */
async function logitsOf(
  { config: c, sourceKind, weights, rows }: ModelInput,
  storage: WeightStorage,
  session: Pick<Session, 'engine'>,
): Promise<{
  logits: Float32Array;
  quantization?: Quantization;
  size: number;
  bytes: { weights: number; peak: number };
}> {
  const p = storedParameters(c, storage, sourceKind);
  const shape = {
    batch: rows.length,
    source: Math.max(...rows.map(({ source }) => sourceKind.lengthOf(c, source))),
    target: Math.max(...rows.map(({ target }) => target.length)),
  };
  const engine = await session.engine();
  try {
    const [program] = await engine.prepare([evaluationGraph(c, p, shape, { logits: true })]);
    if (!program) throw new Error('verify: no program');
    writeWeights(engine, c, p, weights);
    const { tgtIn, tgtLens, tgtOut, step } = inputArrays(program);
    for (const [b, { target }] of rows.entries())
      tgtIn.fill(c.padId, b * shape.target, (b + 1) * shape.target).set(target, b * shape.target);
    tgtOut.fill(c.padId);
    sourceKind.fill(
      c,
      program.inputs,
      rows.map(({ source }) => source),
    );
    tgtLens.set(rows.map(({ target }) => target.length));
    writeStep(step);
    const { logits } = await program.run();
    const V = c.tgtVocab;
    const unpadded = new Float32Array(V * rows.reduce((n, { target }) => n + target.length, 0));
    let end = 0;
    for (const [b, { target }] of rows.entries()) {
      const start = b * shape.target * V;
      unpadded.set((logits as Float32Array).subarray(start, start + target.length * V), end);
      end += target.length * V;
    }
    const bytes = { weights: weightBytes(p), peak: program.plan?.bytes.peak ?? 0 };
    return { logits: unpadded, quantization: p.quantization, size: p.size, bytes };
  } finally {
    engine.destroy();
  }
}

/**
 * Error max|x - ref| / max|ref| of logits [positions, V], infinite if one is NaN, and the number of positions
 * at which the most likely token differs.
 */
function compareLogits(got: Float32Array, want: Float32Array, vocab: number) {
  const positions = want.length / vocab;
  const argmax = (x: Float32Array) => x.reduce((best, y, id) => (y > (x[best] as number) ? id : best), 0);
  let different = 0;
  for (let i = 0; i < positions; i++) {
    const [a, b] = [want, got].map((x) => argmax(x.subarray(i * vocab, (i + 1) * vocab)));
    if (a !== b) different++;
  }
  return { error: relativeError(got, want), different, positions };
}
