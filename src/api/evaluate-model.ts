// Evaluation of a model on pairs: loss, perplexity and token accuracy with the target given (teacher
// forcing), and BLEU, chrF and exact match of its own translations.

import { check } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';
import { msg } from '../core/message.ts';
import type { DecodeOptions } from '../decode/decode-options.ts';
import { nextTurn } from '../decode/source-texts.ts';
import type { LanguageOptions, TranslateOptions } from '../decode/text-options.ts';
import type { Program } from '../engine/engine.ts';
import { writeStep } from '../engine/ops/step-scalars.ts';
import { withLanguages } from '../formats/hf/languages.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import { type ModelConfig, modelConfig } from '../model/model-config.ts';
import type { Session } from '../session/session.ts';
import { type Batches, createBatches } from '../text/batches/batches.ts';
import { batchShapes, chooseBuckets } from '../text/batches/buckets.ts';
import {
  describeSkipped,
  type EncodedCorpus,
  encodePairs,
  joinEncoded,
} from '../text/batches/encoded-corpus.ts';
import { checkPairs, type Pair } from '../text/corpus/pairs.ts';
import {
  type TokenMetrics,
  type TranslationMetrics,
  translationMetrics,
} from '../text/metrics/translation-metrics.ts';
import { evaluateLoss } from '../train/run/evaluation.ts';
import { runEvaluation } from '../train/update/run-evaluation.ts';
import { evaluationGraph, inputArrays } from '../train/update/training-graphs.ts';
import type { ModelEngine } from './model-engine.ts';

/** Options of an evaluation. */
export interface EvaluateOptions extends DecodeOptions, LanguageOptions, Pick<TranslateOptions, 'badWords'> {
  /** Maximum number of sentences in a batch. [64] */
  readonly batchSize?: number;
  /** Name of the pairs in messages, such as their file. ['evaluate'] */
  readonly name?: string;
  /** Whether the result has the translations. [false] */
  readonly translations?: boolean;
}

/** Results of an evaluation; plain JSON. */
export interface Evaluation extends TokenMetrics, TranslationMetrics {
  /** Number of pairs that were evaluated. */
  readonly pairs: number;
  /** Number of omitted pairs: a side is empty or too long. */
  readonly skipped: number;
  /** With `translations`: the translation of each pair, null for an omitted one. */
  readonly translations?: readonly (string | null)[];
}

/** Maximum bytes of the logits [rows, T, V] of a batch. */
const maxLogitBytes = 64 * 2 ** 20;

/**
 * Evaluates a model, within its turn. Throws a HeddleError if no pair fits the model, and the signal's reason if it is
 * aborted.
 */
export async function evaluateModel(
  engine: ModelEngine,
  pairs: readonly Pair[],
  { batchSize = 64, name = 'evaluate', translations: keep = false, ...decode }: EvaluateOptions,
): Promise<Evaluation> {
  const { emit } = engine.session;
  const model = withLanguages(engine.saved, decode);
  const corpus = await encodeFitting(model, pairs, name, emit, decode.signal);
  const tokens = await teacherForced(engine, model.config, corpus, batchSize, decode.signal);
  const fitting = Array.from(corpus.pairIndex, (i) => pairs[i] as Pair);
  const generations = await engine.generate(
    fitting.map((pair) => pair.source),
    {
      ...decode,
      batchSize,
      onProgress(done, total) {
        emit({ type: 'progress', task: 'translate', done, total, text: 'sentences' });
        return decode.onProgress?.(done, total);
      },
    },
  );
  const translations = generations.map(([best]) => best?.text ?? '');
  const references = fitting.map(({ target: reference, others = [] }) => [reference, ...others]);
  const translation = translationMetrics(translations, references, (text) => model.target.normalize(text));
  const counts = { pairs: corpus.count, skipped: corpus.tooLong + corpus.empty };
  if (!keep) return { ...counts, ...tokens, ...translation };
  const all: (string | null)[] = pairs.map(() => null);
  for (const [row, text] of translations.entries()) all[corpus.pairIndex[row] as number] = text;
  return { ...counts, ...tokens, ...translation, translations: all };
}

/** Number of pairs that are encoded between two turns of the event loop. */
const pairsPerTurn = 1000;

/** Encodes the pairs that fit a model and reports the others; `name`: of the pairs, in messages. */
async function encodeFitting(
  { config: { maxLength, source: kind }, source, target }: SavedModel,
  pairs: readonly Pair[],
  name: string,
  emit: Session['emit'],
  signal: AbortSignal | undefined,
): Promise<EncodedCorpus> {
  check(kind === 'tokens', 'this model reads no text', { area: name });
  checkPairs(pairs, `${name}: pairs`);
  const parts: EncodedCorpus[] = [];
  let at = 0;
  do {
    if (at > 0) await nextTurn(signal);
    const some = pairs.slice(at, at + pairsPerTurn);
    parts.push(encodePairs(some, source, target, { maxSource: maxLength, maxTarget: maxLength }));
    at += pairsPerTurn;
  } while (at < pairs.length);
  const corpus = joinEncoded(parts);
  const skipped = describeSkipped(corpus);
  check(corpus.count > 0, () => msg`no pair fits the model: ${skipped ?? 'there are no pairs'}`, {
    area: name,
  });
  if (skipped) emit({ type: 'message', text: msg`${name}: ${skipped}` });
  return corpus;
}

/** Loss, perplexity and token accuracy with the target given. */
async function teacherForced(
  engine: ModelEngine,
  config: ModelConfig,
  corpus: EncodedCorpus,
  rows: number,
  signal: AbortSignal | undefined,
): Promise<TokenMetrics> {
  const { emit } = engine.session;
  const { batches, programAt } = await prepareBatches(engine, config, corpus, rows);
  const evaluateBatch = (i: number) =>
    runEvaluation(programAt(i), (arrays) => batches.fill(i, arrays), corpus.targetSpecial);
  return evaluateLoss(batches, evaluateBatch, {
    signal,
    onBatch: (done, total) => emit({ type: 'progress', task: 'loss', done, total, text: 'batches' }),
  });
}

/** Batches of at most `rows` pairs, shape by shape, and the program of each batch. */
async function prepareBatches(
  model: ModelEngine,
  config: ModelConfig,
  corpus: EncodedCorpus,
  rows: number,
  tokenLosses = false,
): Promise<{ readonly batches: Batches; readonly programAt: (i: number) => Program }> {
  const buckets = chooseBuckets(corpus, { multiple: 1 });
  const longest = Math.max(...buckets.map((b) => Math.max(b.source, b.target)));
  const tokens = Math.max(longest, Math.floor(maxLogitBytes / 4 / config.tgtVocab));
  const shapes = batchShapes(buckets, { tokens: Math.min(tokens, rows * longest) }).map((shape) => ({
    ...shape,
    batch: Math.min(shape.batch, rows),
  }));
  const plain = modelConfig({ ...config, labelSmoothing: 0 });
  const engine = await model.engine();
  const programs = await engine.prepare(
    shapes.map((shape) => evaluationGraph(plain, model.parameters, shape, { tokenLosses })),
  );
  await model.write(Math.max(...programs.map(({ plan }) => plan?.bytes.peak ?? 0)));
  const batches = createBatches(corpus, shapes, { shuffle: false });
  return {
    batches,
    programAt(i) {
      const program = programs[batches.shapeAt(i)];
      if (!program) throw new Error(`evaluate: batch ${i} has no program`);
      return program;
    },
  };
}

/** The log-probability of a target given its source; plain JSON. */
export interface PairScore {
  /** Sum of the natural log-probabilities of the target tokens, with the end token. */
  readonly logProb: number;
  readonly tokens: readonly { readonly id: number; readonly token: string; readonly logProb: number }[];
}

/**
 * Scores pairs, in order, within the turn of the model; undefined for a pair that is too long or has an empty side.
 * Throws a HeddleError if no pair fits the model, and the signal's reason if it is aborted.
 */
export async function scorePairs(
  engine: ModelEngine,
  pairs: readonly Pair[],
  {
    batchSize = 64,
    signal,
    ...languages
  }: Pick<EvaluateOptions, 'batchSize' | 'signal' | keyof LanguageOptions>,
): Promise<(PairScore | undefined)[]> {
  const names = ['sourceLang', 'targetLang', 'batchSize', 'signal'];
  checkNames({ area: 'score' }, names, Object.keys(languages));
  const { emit } = engine.session;
  const model = withLanguages(engine.saved, languages);
  const corpus = await encodeFitting(model, pairs, 'score', emit, signal);
  const { batches, programAt } = await prepareBatches(engine, model.config, corpus, batchSize, true);
  const scores: (PairScore | undefined)[] = pairs.map(() => undefined);
  for (let i = 0; i < batches.perEpoch; i++) {
    signal?.throwIfAborted();
    const arrays = inputArrays(programAt(i));
    batches.fill(i, arrays);
    writeStep(arrays.step);
    const { nll = [] } = await programAt(i).run();
    const length = arrays.tgtOut.length / arrays.tgtLens.length;
    for (const [b, row] of [...batches.rowsAt(i)].entries()) {
      const tokens = Array.from({ length: arrays.tgtLens[b] as number }, (_, t) => {
        const id = arrays.tgtOut[b * length + t] as number;
        return { id, token: model.target.token(id), logProb: -(nll[b * length + t] as number) };
      });
      const logProb = tokens.reduce((sum, token) => sum + token.logProb, 0);
      scores[corpus.pairIndex[row] as number] = { logProb, tokens };
    }
    emit({ type: 'progress', task: 'score', done: i + 1, total: batches.perEpoch, text: 'batches' });
  }
  return scores;
}
