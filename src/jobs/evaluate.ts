// heddle eval: how well a model folder does on pairs: loss and token accuracy where it is told the target so far, and exact matches
// of what it translates on its own.

import { createTranslator } from '../decode/translator.ts';
import type { Engine } from '../engine.ts';
import { check } from '../errors.ts';
import { loadModelFolder, type SavedModel } from '../formats/model-folder.ts';
import { modelConfig } from '../model/config.ts';
import { parameterList } from '../model/parameters.ts';
import { createStepWriter } from '../ops/step.ts';
import { type BatchArrays, createBatches } from '../text/batches.ts';
import { batchShapes, chooseBuckets } from '../text/buckets.ts';
import { describeLeftOut, type EncodedCorpus, encodePairs, sourceLength, targetLength } from '../text/encoded.ts';
import type { Pair } from '../text/pairs.ts';
import { evaluationGraph } from '../train/graphs.ts';
import { writePositions } from '../train/weights.ts';
import { readPairs } from './corpus.ts';
import type { Job, JobContext } from './job.ts';

/** What to evaluate; plain JSON. */
export interface EvaluateArguments {
  readonly folder: string;
  /** TSV file of pairs. */
  readonly pairs: string;
  /** Sentences a batch, at most. */
  readonly batch: number;
}

/** How well a model does; plain JSON. */
export interface Evaluation {
  /** Pairs that were judged, and those left out since a side is longer than the model takes, or empty. */
  readonly pairs: number;
  readonly leftOut: number;
  /** Mean cross-entropy of a target token, ends included, without label smoothing; in nats. */
  readonly loss: number;
  /** exp(loss). */
  readonly perplexity: number;
  /** Share of target tokens, ends included and padding not, that are the most probable one. */
  readonly tokenAccuracy: number;
  /** Share of pairs whose translation is the target's normal form, letter by letter. */
  readonly exactMatch: number;
}

/** Most bytes of scores [rows, target, vocabulary] at once. */
const scoreBytes = 64 * 2 ** 20;

/** Evaluates greedily. Throws a HeddleError where no pair fits the model. */
export const evaluate: Job<EvaluateArguments, Evaluation> = async ({ folder, pairs: path, batch }, context) => {
  const model = await loadModelFolder(context.files, folder);
  const { maxLength } = model.config;
  const pairs = await readPairs(path, context);
  const corpus = encodePairs(pairs, model.source, model.target, { maxSource: maxLength, maxTarget: maxLength });
  const leftOut = describeLeftOut(corpus);
  check(corpus.count > 0, `${path}: no pair fits the model: ${leftOut}`);
  if (leftOut) context.emit({ type: 'log', text: `${path}: ${leftOut}` });
  const engine = await context.engine();
  try {
    const sums = await teacherForced(engine, model, corpus, batch, context);
    const exact = await exactMatches(engine, model, corpus, pairs, batch, context);
    const loss = sums.loss / sums.tokens;
    return {
      pairs: corpus.count,
      leftOut: corpus.tooLong + corpus.empty,
      loss,
      perplexity: Math.exp(loss),
      tokenAccuracy: sums.hits / sums.tokens,
      exactMatch: exact / corpus.count,
    };
  } finally {
    engine.destroy();
  }
};

/** Sums over the corpus of losses, target tokens, and tokens guessed right, with the target so far given. */
async function teacherForced(
  engine: Engine,
  { config: saved, weights }: SavedModel,
  corpus: EncodedCorpus,
  rows: number,
  { emit, signal }: JobContext,
): Promise<{ loss: number; tokens: number; hits: number }> {
  const config = modelConfig({ ...saved, labelSmoothing: 0 });
  const buckets = chooseBuckets(corpus, { multiple: 1 });
  const longest = Math.max(...buckets.map((b) => Math.max(b.source, b.target)));
  const most = Math.max(longest, Math.floor(scoreBytes / 4 / config.tgtVocab));
  const shapes = batchShapes(buckets, { tokens: Math.min(most, rows * longest) }).map((shape) => ({
    ...shape,
    batch: Math.min(shape.batch, rows),
  }));
  const programs = await engine.prepare(shapes.map((s) => evaluationGraph(config, parameterList(config), s)));
  engine.write('weights', weights);
  writePositions(engine, config);
  for (const { inputs } of programs)
    createStepWriter(inputs.step as Uint32Array)({
      learningRate: 0,
      tokenWeight: 0,
      seed: 0,
      step: 0,
      keep: 0,
      position: 0,
    });
  const batches = createBatches(corpus, shapes, { shuffle: false });
  const sums = { loss: 0, tokens: 0, hits: 0 };
  for (let i = 0; i < batches.perEpoch; i++) {
    signal.throwIfAborted();
    const program = programs[batches.shapeAt(i)];
    if (!program) throw new Error(`evaluate: batch ${i} has no program`);
    batches.fill(i, program.inputs as unknown as BatchArrays);
    const { stats } = await program.run();
    sums.loss += stats?.[0] ?? Number.NaN;
    sums.tokens += stats?.[1] ?? Number.NaN;
    sums.hits += stats?.[2] ?? Number.NaN;
    emit({ type: 'progress', task: 'loss', done: i + 1, of: batches.perEpoch, text: 'batches' });
  }
  return sums;
}

/** Number of rows of the corpus that are translated to their target's normal form. */
async function exactMatches(
  engine: Engine,
  model: SavedModel,
  corpus: EncodedCorpus,
  pairs: readonly Pair[],
  batch: number,
  { emit, signal }: JobContext,
): Promise<number> {
  const rows = Array.from(corpus.origin, (pair, row) => ({ pair: pairs[pair] as Pair, row }));
  const lengths = rows.map(({ row }) => [sourceLength(corpus, row), targetLength(corpus, row)] as const);
  // A translation longer than the longest target is wrong already.
  const translator = await createTranslator(engine, model, {
    batch: Math.min(batch, rows.length),
    maxSource: lengths.reduce((most, [s]) => Math.max(most, s), 1),
    maxTarget: Math.min(model.config.maxLength, 1 + lengths.reduce((most, [, t]) => Math.max(most, t), 1)),
  });
  rows.sort((a, b) => sourceLength(corpus, a.row) - sourceLength(corpus, b.row));
  const part = batch * Math.max(1, Math.ceil(rows.length / 20 / batch));
  let exact = 0;
  for (let at = 0; at < rows.length; at += part) {
    const some = rows.slice(at, at + part);
    const found = await translator.translate(
      some.map(({ pair }) => pair.source),
      { signal },
    );
    for (const [i, { pair }] of some.entries()) if (found[i] === model.target.normalize(pair.target)) exact++;
    emit({ type: 'progress', task: 'translate', done: at + some.length, of: rows.length, text: 'sentences' });
  }
  return exact;
}
