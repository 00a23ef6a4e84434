// Training data: tokenizers, the complete model configuration and batches, made from sentence pairs.

import { check } from '../core/errors.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../model/model-config.ts';
import { type Batches, createBatches } from '../text/batches/batches.ts';
import { type BatchShape, batchShapes, chooseBuckets } from '../text/batches/buckets.ts';
import { describeLeftOut, type EncodedCorpus, encodePairs, targetLength } from '../text/batches/encoded-corpus.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import { trainBpe } from '../text/tokenizers/bpe-training.ts';
import type { Tokenizer, TokenizerKind } from '../text/tokenizers/tokenizer.ts';
import { trainCharacters, trainWords } from '../text/tokenizers/vocabulary-training.ts';
import type { Batch } from './trainer.ts';

/** Options of the training data. */
export interface TrainingDataOptions {
  /** Model options without those that the tokenizers decide: vocabulary sizes and special ids. */
  readonly model: Partial<ModelOptions>;
  /**
   * `lowercase`: by default true for words, false for characters and byte pairs. `fill`: pad a vocabulary of words to
   * its full size.
   */
  readonly tokenizer: {
    readonly kind: TokenizerKind;
    readonly size: number;
    readonly lowercase?: boolean;
    readonly fill?: boolean;
  };
  /** Pairs per batch; if 0, `maxTokens` per batch, counted on the longer side. */
  readonly batchSize: number;
  readonly maxTokens: number;
  /** Maximum number of batch shapes. */
  readonly buckets: number;
  readonly seed: number;
}

/** Pairs ready to train on. */
export interface TrainingData {
  readonly config: ModelConfig;
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  readonly corpus: EncodedCorpus;
  readonly shapes: readonly BatchShape[];
  readonly batches: Batches;
  /** Returns batch `turn`, from 0, for a trainer. */
  batchAt(turn: number): Batch;
}

/** Configuration and tokenizers of an existing model. */
export type KnownModel = Pick<TrainingData, 'config' | 'source' | 'target'>;

/**
 * Trains tokenizers on the pairs, or takes those of an existing model, then encodes the pairs and makes batches. Throws
 * a HeddleError if no pair is left.
 */
export function prepareTrainingData(
  pairs: readonly Pair[],
  options: TrainingDataOptions,
  known?: KnownModel,
): TrainingData {
  const { config, source, target } = known ?? createConfig(pairs, options);
  const corpus = encodePairs(pairs, source, target, { maxSource: config.maxLength, maxTarget: config.maxLength });
  check(corpus.count > 0, () => `train: no pair is left: ${describeLeftOut(corpus)}`);
  const size = options.batchSize > 0 ? { rows: options.batchSize } : { tokens: options.maxTokens };
  const shapes = batchShapes(chooseBuckets(corpus, { count: options.buckets }), size);
  const batches = createBatches(corpus, shapes, { seed: options.seed });
  return {
    config,
    source,
    target,
    corpus,
    shapes,
    batches,
    batchAt: (turn) => ({
      shape: batches.shapeAt(turn),
      tokens: batches.rowsAt(turn).reduce((n, row) => n + targetLength(corpus, row), 0),
      fill: (arrays) => batches.fill(turn, arrays),
    }),
  };
}

/**
 * Returns the number of updates in `epochs` epochs of `perEpoch` batches, rounded up; the last update may use batches
 * of the next epoch.
 */
export const updatesIn = (epochs: number, perEpoch: number, accumulate: number): number =>
  Math.ceil((epochs * perEpoch) / accumulate);

/** Returns a configuration with tokenizers that are trained on the pairs. */
function createConfig(pairs: readonly Pair[], { model, tokenizer }: TrainingDataOptions): KnownModel {
  const { source, target } = trainTokenizers(pairs, tokenizer, model.tie === 'all');
  const config = modelConfig({
    ...model,
    srcVocab: source.size,
    tgtVocab: target.size,
    padId: target.special.pad,
    startId: target.special.start,
    endId: target.special.end,
  });
  return { config, source, target };
}

/** Trains the tokenizers of the two sides; one for both if embeddings are shared. */
function trainTokenizers(
  pairs: readonly Pair[],
  { kind, ...options }: TrainingDataOptions['tokenizer'],
  shared: boolean,
): { source: Tokenizer; target: Tokenizer } {
  const trainTokenizer = { word: trainWords, char: trainCharacters, bpe: trainBpe }[kind];
  const [sources, targets] = [pairs.map((p) => p.source), pairs.map((p) => p.target)];
  if (!shared) return { source: trainTokenizer(sources, options), target: trainTokenizer(targets, options) };
  const both = trainTokenizer([...sources, ...targets], options);
  return { source: both, target: both };
}
