// Training data: encoded pairs and their batches, for a new or a known model.

import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { TrainingSource } from '../../session/training-source.ts';
import { type BatchSource, shuffledBatches } from '../../text/batches/batch-source.ts';
import { batchShapes, chooseBuckets } from '../../text/batches/buckets.ts';
import type { EncodedCorpus, EncodeOptions } from '../../text/batches/encoded-corpus.ts';
import { describeSkipped, encodePairs, joinEncoded } from '../../text/batches/encoded-corpus.ts';
import { chunksOf } from '../../text/corpus/packed-pairs.ts';
import { type PairList, sampleEvenly } from '../../text/corpus/pairs.ts';
import { openTextPool, type TextPool } from '../../text/text-pool.ts';
import { areCopied, encodeTask, tokenizerData } from '../../text/text-tasks.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import { type KnownModel, type NewModelOptions, newModel, type TokenizerPair } from './new-model.ts';

/** Sizes of batches. */
export interface BatchLimits {
  /** Pairs per batch; if 0, `maxTokens` per batch, counted on the longer side. */
  readonly batchSize: number;
  readonly maxTokens: number;
  /** Maximum number of batch shapes. */
  readonly buckets: number;
  readonly seed: number;
}

/** Options of the training data. */
export interface TrainingDataOptions extends NewModelOptions, BatchLimits {
  /** Maximum number of tokens of a side; at most, and by default, that of the model. */
  readonly maxLength?: number;
  /** Whether to cut longer sides instead of leaving pairs out. [false] */
  readonly truncate?: boolean;
}

/** Does the steps of the data of a run: takes its batches and returns others. */
export type OpenSteps = (batches: BatchSource, from: StepInputs) => Promise<BatchSource>;

/** What the steps of the data read. */
export interface StepInputs extends TokenizerPair {
  /** The pairs; undefined if the corpus is encoded already. */
  readonly pairs: PairList | undefined;
  readonly pool: TextPool;
}

/** How the data are prepared. */
export interface DataInputs {
  /** Model and tokenizers that exist already. [new ones] */
  readonly known?: KnownModel;
  /** Does the work on the texts. [this thread] */
  readonly pool?: TextPool;
  /** The sources, if they are not texts. */
  readonly source?: TrainingSource;
  /** Steps of the data. [none] */
  readonly openSteps?: OpenSteps;
}

/** Encoded pairs with their model and tokenizers. */
export interface EncodedData extends KnownModel {
  readonly corpus: EncodedCorpus;
}

/** Pairs ready to train on. */
export interface TrainingData extends EncodedData {
  readonly batches: BatchSource;
  /** Encodes other pairs, such as dev pairs, up to the limits of the model. */
  encode(pairs: PairList): Promise<EncodedCorpus>;
  /** The sources, if they are not texts. */
  readonly trainingSource?: TrainingSource;
}

/**
 * Trains tokenizers on the pairs, or takes those of a known model, then encodes the pairs and makes batches; pairs that
 * are encoded already need their model. Throws a HeddleError if no pair is left.
 */
export async function prepareTrainingData(
  pairs: PairList | EncodedCorpus,
  options: TrainingDataOptions,
  { known, pool: given, source, openSteps }: DataInputs = {},
): Promise<TrainingData> {
  const pool = given ?? (await openTextPool(() => undefined));
  const encoded = 'pairIndex' in pairs ? pairs : undefined;
  const texts = encoded ? undefined : (pairs as PairList);
  const model = known ?? (await newModel(texts as PairList, options, pool, source === undefined));
  const corpus = encoded ?? (await encodeTraining(texts as PairList, options, model, pool, source));
  check(corpus.count > 0, () => msg`no pair is left: ${describeSkipped(corpus)}`, { area: 'train' });
  const plain = plainBatches(corpus, options);
  const tokenizers = { source: model.source, target: model.target };
  const batches = (await openSteps?.(plain, { ...tokenizers, pairs: texts, pool })) ?? plain;
  const { config } = model;
  const whole = { maxSource: config.maxLength, maxTarget: config.maxLength };
  return {
    ...model,
    corpus,
    batches,
    trainingSource: source,
    encode: async (more) =>
      source
        ? source.encode(more, config, model.target, whole)
        : encodePairs([...more], model.source, model.target, whole),
  };
}

/** The batches of a corpus in as many shapes as the limits say, without further steps. */
export function plainBatches(corpus: EncodedCorpus, limits: BatchLimits): BatchSource {
  const { batchSize, maxTokens, buckets, seed } = limits;
  const size = batchSize > 0 ? { rows: batchSize } : { tokens: maxTokens };
  const shapes = batchShapes(chooseBuckets(corpus, { count: buckets }), size, corpus.sourceRows);
  return shuffledBatches(corpus, shapes, seed);
}

/** Encodes the training pairs for a model. */
function encodeTraining(
  pairs: PairList,
  options: TrainingDataOptions,
  { config, source, target }: KnownModel,
  pool: TextPool,
  sources: TrainingSource | undefined,
): Promise<EncodedCorpus> {
  const limits = encodeOptionsOf(config, options);
  return sources?.encode(pairs, config, target, limits) ?? encodeList(pairs, source, target, limits, pool);
}

/** Options for encoding the pairs of a training run. */
export function encodeOptionsOf(
  config: ModelConfig,
  { maxLength, truncate = false }: Pick<TrainingDataOptions, 'maxLength' | 'truncate'>,
): EncodeOptions {
  const length = Math.min(config.maxLength, maxLength ?? config.maxLength);
  return { maxSource: length, maxTarget: length, truncate };
}

/**
 * Encodes pairs in the threads of a pool, or in this thread if copies of the tokenizers would give other ids.
 */
async function encodeList(
  pairs: PairList,
  source: Tokenizer,
  target: Tokenizer,
  options: EncodeOptions,
  pool: TextPool,
): Promise<EncodedCorpus> {
  const parallel = pool.parallel && (await areCopied(source, target, sampleEvenly(pairs, 50)));
  const data = parallel ? tokenizerData(source) : source;
  const parts: EncodedCorpus[] = [];
  let done = 0;
  await pool.run({
    task: encodeTask,
    args: {
      source: data,
      target: target === source ? data : parallel ? tokenizerData(target) : target,
      options,
    },
    chunks: chunksOf(pairs),
    progress: () => ({ task: 'encode', done, total: pairs.length }),
    onPart(part, index, { length }) {
      parts[index] = part;
      done += length;
    },
    threads: parallel ? undefined : 0,
  });
  return joinEncoded(parts);
}

/**
 * Returns the number of updates in `epochs` epochs of `perEpoch` batches, rounded up; the last update may use
 * batches of the next epoch.
 */
export const updatesIn = (epochs: number, perEpoch: number, accumulate: number): number =>
  Math.ceil((epochs * perEpoch) / accumulate);
