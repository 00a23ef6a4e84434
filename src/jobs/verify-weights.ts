// How far a model whose weights are kept in fewer bits is from itself in f32, on the same backend: logits, and which token is the most
// likely, on the batch of a golden case, the texts of an expected.json, or ids at random.

import { type GoldenCase, readGolden } from '../formats/golden.ts';
import { readJson } from '../formats/json.ts';
import type { ModelConfig } from '../model/config.ts';
import { packedParameters, type WeightFormat, weightBytes } from '../model/packed.ts';
import { bankOf, parameterList } from '../model/parameters.ts';
import { writeStep } from '../ops/step.ts';
import { random } from '../random.ts';
import { evaluationGraph } from '../train/graphs.ts';
import { fillLengths } from '../train/lengths.ts';
import { writeWeights } from '../train/weights.ts';
import type { JobContext } from './job.ts';
import { openModel } from './open-model.ts';
import type { Compared } from './verify.ts';
import { hasExpected } from './verify-expected.ts';
import { describeWeights } from './weights.ts';

/** Largest max|x - f32| / max|f32| of logits: some times what models have that are sound, about 5e-4 as f16 and 2e-2 as int8. */
const limits: Readonly<Record<Exclude<WeightFormat, 'f32'>, number>> = { f16: 5e-3, int8: 1e-1 };

/** A model and what it shall read: ids of the source and of the target so far, a row each. */
interface Subject {
  readonly config: ModelConfig;
  readonly weights: Float32Array;
  readonly rows: readonly { readonly source: readonly number[]; readonly target: readonly number[] }[];
}

/** Compares one folder; `fact` says what the weights take. Throws a HeddleError where it cannot be read. */
export async function verifyWeights(
  folder: string,
  format: Exclude<WeightFormat, 'f32'>,
  context: JobContext,
): Promise<{ compared: Compared[]; fact: string }> {
  const subject = await read(folder, context);
  const [whole, kept] = [await logitsOf(subject, 'f32', context), await logitsOf(subject, format, context)];
  const vocab = subject.config.tgtVocab;
  const places = whole.logits.length / vocab;
  let [error, largest, different] = [0, 0, 0];
  for (let i = 0; i < places; i++) {
    const [a, b] = [whole, kept].map(({ logits }) => logits.subarray(i * vocab, (i + 1) * vocab)) as [
      Float32Array,
      Float32Array,
    ];
    const best = (x: Float32Array) => x.reduce((top, y, id) => (y > (x[top] as number) ? id : top), 0);
    if (best(a) !== best(b)) different++;
    for (const [k, x] of a.entries()) {
      const off = Math.abs(x - (b[k] as number));
      error = off >= 0 ? Math.max(error, off) : Number.POSITIVE_INFINITY;
      largest = Math.max(largest, Math.abs(x));
    }
  }
  const relative = error / Math.max(largest, Number.MIN_VALUE);
  const limit = limits[format];
  const memory = describeWeights(subject.config, format, kept.bytes);
  return {
    compared: [{ quantity: `logits as ${format} of f32`, error: relative, limit, passed: relative <= limit }],
    fact: `${memory}; another token is the likeliest at ${different} of ${places} places`,
  };
}

/** The model of a folder, and ids for it. */
async function read(folder: string, context: JobContext): Promise<Subject> {
  const { files } = context;
  if (await files.exists(`${folder}/batch.safetensors`)) {
    const golden = await readGolden(files, folder);
    const weights = bankOf(parameterList(golden.config), golden.weights);
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
  const length = Math.min(16, c.maxLength);
  const special = [c.padId, c.startId, c.endId];
  const some = (n: number, vocab: number) =>
    Array.from({ length: n }, () => r.int(vocab)).filter((id) => !special.includes(id));
  const rows = Array.from({ length: 4 }, () => ({
    source: [...some(length - 1, c.srcVocab), c.endId],
    target: [c.startId, ...some(length - 1, c.tgtVocab)],
  }));
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

/** Logits [places, V] after each token of the targets, and bytes. */
async function logitsOf({ config: c, weights, rows }: Subject, format: WeightFormat, context: JobContext) {
  const p = packedParameters(parameterList(c), format);
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
    const { src, tgtIn, srcLens, tgtLens, tgtOut, step } = program.inputs as Record<string, Int32Array>;
    for (const [b, { source, target }] of rows.entries()) {
      src?.fill(c.padId, b * shape.source, (b + 1) * shape.source).set(source, b * shape.source);
      tgtIn?.fill(c.padId, b * shape.target, (b + 1) * shape.target).set(target, b * shape.target);
    }
    tgtOut?.fill(c.padId);
    fillLengths(srcLens as Int32Array, src as Int32Array, shape.source, c.padId, c.srcVocab, 'source');
    const started = c.startId === c.padId;
    fillLengths(tgtLens as Int32Array, tgtIn as Int32Array, shape.target, c.padId, c.tgtVocab, 'target', started);
    writeStep(step as unknown as Uint32Array);
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
