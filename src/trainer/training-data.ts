// From sentence pairs to everything a trainer needs: tokenizers, the completed configuration, batches in a few shapes.

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

/** What decides a task beside its pairs. */
export interface TrainingDataOptions {
  /** The model without what the tokenizers decide: vocabularies and special ids. */
  readonly model: Partial<ModelOptions>;
  /**
   * `lowercase`: whether case is dropped; by default words do, characters and byte pairs do not. `fill`: whether a vocabulary of words has
   * its full size where there are fewer.
   */
  readonly tokenizer: {
    readonly kind: TokenizerKind;
    readonly size: number;
    readonly lowercase?: boolean;
    readonly fill?: boolean;
  };
  /** Sentences a batch; or, where 0, positions of the longer side a batch. */
  readonly batchSize: number;
  readonly maxTokens: number;
  /** Shapes that batches are padded to, at most. */
  readonly buckets: number;
  readonly seed: number;
}

/** A task: pairs ready to train on. */
export interface TrainingData {
  readonly config: ModelConfig;
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  readonly corpus: EncodedCorpus;
  readonly shapes: readonly BatchShape[];
  readonly batches: Batches;
  /** The batch of a turn, from 0, as a trainer takes it. */
  batchAt(turn: number): Batch;
}

/** A model that exists already: its configuration and tokenizers. */
export type KnownModel = Pick<TrainingData, 'config' | 'source' | 'target'>;

/**
 * Learns tokenizers from the pairs, or takes those of a model that exists, encodes the pairs and cuts batches. Throws a HeddleError where
 * no pair is left.
 */
export function prepareTrainingData(
  pairs: readonly Pair[],
  options: TrainingDataOptions,
  known?: KnownModel,
): TrainingData {
  const { config, source, target } = known ?? newModel(pairs, options);
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

/** Updates of `accumulate` batches in so many epochs of `perEpoch`; where they do not come out even, the last takes some of the next epoch. */
export const updatesIn = (epochs: number, perEpoch: number, accumulate: number): number =>
  Math.ceil((epochs * perEpoch) / accumulate);

/** A configuration around tokenizers that are learnt from the pairs. */
function newModel(pairs: readonly Pair[], { model, tokenizer }: TrainingDataOptions): KnownModel {
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

/** Tokenizers of the two sides, learnt from the pairs; one for both where embeddings are shared. */
function trainTokenizers(
  pairs: readonly Pair[],
  { kind, ...options }: TrainingDataOptions['tokenizer'],
  shared: boolean,
): { source: Tokenizer; target: Tokenizer } {
  const learn = { word: trainWords, char: trainCharacters, bpe: trainBpe }[kind];
  const [sources, targets] = [pairs.map((p) => p.source), pairs.map((p) => p.target)];
  if (!shared) return { source: learn(sources, options), target: learn(targets, options) };
  const both = learn([...sources, ...targets], options);
  return { source: both, target: both };
}
