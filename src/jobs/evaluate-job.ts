// heddle eval: how well a model folder does on pairs: loss, perplexity and token accuracy where it is told the target so far; BLEU,
// chrF and exact match of what it translates on its own.

import { check } from '../core/errors.ts';
import type { DecodeOptions } from '../decode/decode-options.ts';
import type { Engine } from '../engine/engine.ts';
import { writeWeights } from '../engine/model-states.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import {
  addSums,
  type TokenMetrics,
  type TokenSums,
  type TranslationMetrics,
  tokenMetrics,
} from '../metrics/translation-metrics.ts';
import { modelConfig } from '../model/model-config.ts';
import { parameterList } from '../model/parameters.ts';
import { quantizedParameters, type WeightFormat, weightBytes } from '../model/quantized-parameters.ts';
import { writeStep } from '../ops/step-scalars.ts';
import type { Job, JobContext } from '../runtime/job.ts';
import { readPairs } from '../runtime/load-corpus.ts';
import { openModel } from '../runtime/open-model.ts';
import { describeWeights } from '../runtime/weight-format.ts';
import { createBatches } from '../text/batches/batches.ts';
import { batchShapes, chooseBuckets } from '../text/batches/buckets.ts';
import type { EncodedCorpus } from '../text/batches/encoded-corpus.ts';
import { createTranslationEvaluator, fittingPairs } from '../train/translation-evaluator.ts';
import { inputArrays } from '../trainer/program-inputs.ts';
import { evaluationGraph } from '../trainer/training-graphs.ts';

/** What to evaluate; plain JSON. */
export interface EvaluateArguments {
  readonly folder: string;
  /** TSV file of pairs. */
  readonly pairs: string;
  /** Columns of the file after the source that are references of the translation; 1 unless given. The first that is filled is the target of the loss. */
  readonly references?: number;
  /** How to decode; greedily where it is left out. */
  readonly decode?: Omit<DecodeOptions, 'maxLength' | 'progress' | 'signal'>;
  /** Sentences a batch, at most. */
  readonly batch: number;
  /** Folder of an adapter that is merged into the model. */
  readonly adapter?: string;
  /** How the weights are kept on the engine; f32 unless given. */
  readonly weights?: WeightFormat;
}

/** How well a model does; plain JSON. */
export interface Evaluation extends TokenMetrics, TranslationMetrics {
  /** Pairs that were judged, and those left out since a side is longer than the model takes, or empty. */
  readonly pairs: number;
  readonly leftOut: number;
}

/** Most bytes of scores [rows, target, vocabulary] at once. */
const scoreBytes = 64 * 2 ** 20;

/** Evaluates. Throws a HeddleError where no pair fits the model. */
export const evaluate: Job<EvaluateArguments, Evaluation> = async (args, context) => {
  const { folder, pairs: path, references = 1, batch, adapter, weights: format = 'f32', decode = {} } = args;
  const model = await openModel(folder, context, adapter);
  const fitting = fittingPairs(model, await readPairs(path, context, references));
  const { corpus, leftOut } = fitting;
  check(corpus.count > 0, `${path}: no pair fits the model: ${leftOut}`);
  if (leftOut) context.emit({ type: 'log', text: `${path}: ${leftOut}` });
  const engine = await context.engine();
  try {
    const sums = await teacherForced(engine, model, corpus, { rows: batch, format }, context);
    const judge = await createTranslationEvaluator(engine, model, fitting, { batch, weights: format, decode });
    const { metrics } = await judge.evaluate(context.signal, (done, of) =>
      context.emit({ type: 'progress', task: 'translate', done, of, text: 'sentences' }),
    );
    return { pairs: corpus.count, leftOut: corpus.tooLong + corpus.empty, ...tokenMetrics(sums), ...metrics };
  } finally {
    engine.destroy();
  }
};

/** Sums over the corpus of losses, target tokens, and tokens guessed right, with the target so far given. */
async function teacherForced(
  engine: Engine,
  { config: saved, weights }: SavedModel,
  corpus: EncodedCorpus,
  { rows, format }: { readonly rows: number; readonly format: WeightFormat },
  { emit, signal }: JobContext,
): Promise<TokenSums> {
  const config = modelConfig({ ...saved, labelSmoothing: 0 });
  const buckets = chooseBuckets(corpus, { multiple: 1 });
  const longest = Math.max(...buckets.map((b) => Math.max(b.source, b.target)));
  const most = Math.max(longest, Math.floor(scoreBytes / 4 / config.tgtVocab));
  const shapes = batchShapes(buckets, { tokens: Math.min(most, rows * longest) }).map((shape) => ({
    ...shape,
    batch: Math.min(shape.batch, rows),
  }));
  const parameters = quantizedParameters(parameterList(config), format);
  const programs = await engine.prepare(shapes.map((s) => evaluationGraph(config, parameters, s)));
  writeWeights(engine, config, parameters, weights);
  if (format !== 'f32') {
    const peak = Math.max(...programs.map(({ plan }) => plan?.bytes.peak ?? 0));
    emit({ type: 'log', text: describeWeights(config, format, { weights: weightBytes(parameters), peak }) });
  }
  for (const program of programs) writeStep(inputArrays(program).step);
  const batches = createBatches(corpus, shapes, { shuffle: false });
  const parts: TokenSums[] = [];
  for (let i = 0; i < batches.perEpoch; i++) {
    signal.throwIfAborted();
    const program = programs[batches.shapeAt(i)];
    if (!program) throw new Error(`evaluate: batch ${i} has no program`);
    batches.fill(i, inputArrays(program));
    const { stats } = await program.run();
    const [loss = Number.NaN, tokens = Number.NaN, hits = Number.NaN] = stats ?? [];
    parts.push({ loss, tokens, hits });
    emit({ type: 'progress', task: 'loss', done: i + 1, of: batches.perEpoch, text: 'batches' });
  }
  return addSums(parts);
}
