// Training data: encoded pairs and their batches, for a new or a known model.

import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { TrainingSource } from '../../session/training-source.ts';
import { type BatchSource, shuffledBatches } from '../../text/batches/batch-source.ts';
import { batchShapes, chooseBuckets } from '../../text/batches/buckets.ts';
import type { EncodedCorpus, EncodeOptions } from '../../text/batches/encoded-corpus.ts';
import { describeSkipped } from '../../text/batches/encoded-corpus.ts';
import type { PairList } from '../../text/corpus/pairs.ts';
import { openTextPool, type TextPool } from '../../text/text-pool.ts';
import { type KnownModel, type NewModelOptions, newModel, type TokenizerPair } from './new-model.ts';
import { textSource } from './text-source.ts';

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
  /** The sources. [texts] */
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
  /** The kind of their sources. */
  readonly trainingSource: TrainingSource;
}

/**
 * Trains tokenizers on the pairs, or takes those of a known model, then encodes the pairs and makes batches; pairs that
 * are encoded already need their model. Throws a HeddleError if no pair is left.
 */
export async function prepareTrainingData(
  pairs: PairList | EncodedCorpus,
  options: TrainingDataOptions,
  { known, pool: given, source = textSource, openSteps }: DataInputs = {},
): Promise<TrainingData> {
  const pool = given ?? (await openTextPool(() => undefined));
  const encoded = 'pairIndex' in pairs ? pairs : undefined;
  const texts = encoded ? undefined : (pairs as PairList);
  const model = known ?? (await newModel(texts as PairList, options, pool, source.isText));
  const { config } = model;
  const corpus =
    encoded ?? (await source.encode(texts as PairList, model, encodeOptionsOf(config, options), pool));
  check(corpus.count > 0, () => msg`no pair is left: ${describeSkipped(corpus)}`, { area: 'train' });
  const plain = plainBatches(corpus, options);
  const tokenizers = { source: model.source, target: model.target };
  const batches = (await openSteps?.(plain, { ...tokenizers, pairs: texts, pool })) ?? plain;
  const whole = { maxSource: config.maxLength, maxTarget: config.maxLength };
  return {
    ...model,
    corpus,
    batches,
    trainingSource: source,
    encode: (more) => source.encode(more, model, whole),
  };
}

/** The batches of a corpus in as many shapes as the limits say, without further steps. */
export function plainBatches(corpus: EncodedCorpus, limits: BatchLimits): BatchSource {
  const { batchSize, maxTokens, buckets, seed } = limits;
  const size = batchSize > 0 ? { rows: batchSize } : { tokens: maxTokens };
  const shapes = batchShapes(chooseBuckets(corpus, { count: buckets }), size, corpus.sourceRows);
  return shuffledBatches(corpus, shapes, seed);
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
 * Returns the number of updates in `epochs` epochs of `perEpoch` batches, rounded up; the last update may use
 * batches of the next epoch.
 */
export const updatesIn = (epochs: number, perEpoch: number, accumulate: number): number =>
  Math.ceil((epochs * perEpoch) / accumulate);
