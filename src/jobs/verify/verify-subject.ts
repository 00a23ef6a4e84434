// What a model shall read where its logits are compared: the batch of a golden case, the texts of an expected.json, or ids at random; and
// its logits on an engine.

import { random } from '../../core/random.ts';
import { writeWeights } from '../../engine/model-states.ts';
import { readJson } from '../../files/json-files.ts';
import { type GoldenCase, readGolden } from '../../formats/golden-case.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { parameterList, weightsFromTensors } from '../../model/parameters.ts';
import { quantizedParameters, type WeightFormat, weightBytes } from '../../model/quantized-parameters.ts';
import { writeStep } from '../../ops/step-scalars.ts';
import type { JobContext } from '../../runtime/job.ts';
import { openModel } from '../../runtime/open-model.ts';
import { fillLengths } from '../../text/batches/batch-inputs.ts';
import { inputArrays } from '../../trainer/program-inputs.ts';
import { evaluationGraph } from '../../trainer/training-graphs.ts';
import { hasExpected } from './verify-expected.ts';

/** A model and what it shall read: ids of the source and of the target so far, a row each. */
export interface Subject {
  readonly config: ModelConfig;
  readonly weights: Float32Array;
  readonly rows: readonly { readonly source: readonly number[]; readonly target: readonly number[] }[];
}

/**
 * The model of a folder, and ids for it: those of its golden case or of its expected.json, else `lengths` of them at random, a row each.
 * Throws a HeddleError where it cannot be read.
 */
export async function readSubject(folder: string, context: JobContext, lengths: readonly number[]): Promise<Subject> {
  const { files } = context;
  if (await files.exists(`${folder}/batch.safetensors`)) {
    const golden = await readGolden(files, folder);
    const weights = weightsFromTensors(parameterList(golden.config), golden.weights);
    return { config: golden.config, weights, rows: rowsOf(golden) };
  }
  const { config: c, weights } = await openModel(folder, context);
  if (await hasExpected(context, folder)) {
    const { cases } = (await readJson(files, `${folder}/expected.json`)) as {
      cases: { src_ids: number[]; tgt_ids: number[] }[];
    };
    const most = (ids: number[]) => ids.slice(0, c.maxLength);
    const rows = cases.map(({ src_ids, tgt_ids }) => ({
      source: most(src_ids),
      target: most([c.startId, ...tgt_ids.filter((id) => id !== c.startId && id !== c.endId)]),
    }));
    return { config: c, weights, rows };
  }
  const r = random(1);
  const special = [c.padId, c.startId, c.endId];
  const some = (n: number, vocab: number) =>
    Array.from({ length: n }, () => r.int(vocab)).filter((id) => !special.includes(id));
  const rows = lengths.map((length) => {
    const n = Math.min(length, c.maxLength) - 1;
    return { source: [...some(n, c.srcVocab), c.endId], target: [c.startId, ...some(n, c.tgtVocab)] };
  });
  return { config: c, weights, rows };
}

function rowsOf({ config: c, source, targetIn }: GoldenCase): Subject['rows'] {
  const ids = ({ data, shape: [, length = 0] }: GoldenCase['source'], b: number) => {
    const row = Array.from(data.subarray(b * length, (b + 1) * length));
    while (row.length > 1 && row.at(-1) === c.padId) row.pop();
    return row;
  };
  return Array.from({ length: source.shape[0] ?? 0 }, (_, b) => ({ source: ids(source, b), target: ids(targetIn, b) }));
}

/** Logits [places, V] after each token of the targets, and bytes, on an engine of its own. */
export async function logitsOf(
  { config: c, weights, rows }: Subject,
  format: WeightFormat,
  context: Pick<JobContext, 'engine'>,
): Promise<{ logits: Float32Array; bytes: { weights: number; peak: number } }> {
  const p = quantizedParameters(parameterList(c), format);
  const shape = {
    batch: rows.length,
    source: Math.max(...rows.map(({ source }) => source.length)),
    target: Math.max(...rows.map(({ target }) => target.length)),
  };
  const engine = await context.engine();
  try {
    const [program] = await engine.prepare([evaluationGraph(c, p, shape, { logits: true })]);
    if (!program) throw new Error('verify: no program');
    writeWeights(engine, c, p, weights);
    const { src, tgtIn, srcLens, tgtLens, tgtOut, step } = inputArrays(program);
    for (const [b, { source, target }] of rows.entries()) {
      src.fill(c.padId, b * shape.source, (b + 1) * shape.source).set(source, b * shape.source);
      tgtIn.fill(c.padId, b * shape.target, (b + 1) * shape.target).set(target, b * shape.target);
    }
    tgtOut.fill(c.padId);
    fillLengths(srcLens, src, shape.source, c.padId, c.srcVocab, 'source');
    const started = c.startId === c.padId;
    fillLengths(tgtLens, tgtIn, shape.target, c.padId, c.tgtVocab, 'target', started);
    writeStep(step);
    const { logits } = await program.run();
    const parts = rows.map(({ target }, b) => {
      const at = b * shape.target * c.tgtVocab;
      return (logits as Float32Array).subarray(at, at + target.length * c.tgtVocab);
    });
    const found = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
    parts.reduce((at, part) => {
      found.set(part, at);
      return at + part.length;
    }, 0);
    return { logits: found, bytes: { weights: weightBytes(p), peak: program.plan?.bytes.peak ?? 0 } };
  } finally {
    engine.destroy();
  }
}

/** max|x - ref| / max|ref| of logits [places, V], and the places whose likeliest token is another; infinite where one is no number. */
export function compareLogits(got: Float32Array, want: Float32Array, vocab: number) {
  const places = want.length / vocab;
  let [error, largest, different] = [0, 0, 0];
  for (let i = 0; i < places; i++) {
    const [a, b] = [want, got].map((x) => x.subarray(i * vocab, (i + 1) * vocab)) as [Float32Array, Float32Array];
    const best = (x: Float32Array) => x.reduce((top, y, id) => (y > (x[top] as number) ? id : top), 0);
    if (best(a) !== best(b)) different++;
    for (const [k, x] of a.entries()) {
      const off = Math.abs(x - (b[k] as number));
      error = off >= 0 ? Math.max(error, off) : Number.POSITIVE_INFINITY;
      largest = Math.max(largest, Math.abs(x));
    }
  }
  return { error: error / Math.max(largest, Number.MIN_VALUE), different, places };
}
