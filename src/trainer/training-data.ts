// Training data: tokenizers, the complete model configuration and batches, made from sentence pairs.

import { check } from '../core/errors.ts';
import { type Pace, runPaced } from '../core/steps.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../model/model-config.ts';
import { type Batches, createBatches } from '../text/batches/batches.ts';
import { type BatchShape, batchShapes, chooseBuckets } from '../text/batches/buckets.ts';
import { describeLeftOut, type EncodedCorpus, encodeSteps, targetLength } from '../text/batches/encoded-corpus.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import { bpeSteps } from '../text/tokenizers/bpe-training.ts';
import type { Tokenizer, TokenizerKind } from '../text/tokenizers/tokenizer.ts';
import { characterSteps, wordSteps } from '../text/tokenizers/vocabulary-training.ts';
import type { Batch } from './trainer.ts';

/** Options of the training data. */
export interface TrainingDataOptions {
  /** Model options without those that the tokenizers decide: vocabulary sizes and special ids. */
  readonly model: Partial<ModelOptions>;
  /** `fill`: pad a vocabulary of words to its full size. */
  readonly tokenizer: {
    readonly kind: TokenizerKind;
    readonly size: number;
    readonly lowercase?: boolean;
    readonly fill?: boolean;
  };
  /** Tokenizers that were trained before. */
  readonly tokenizers?: { readonly source?: Tokenizer | undefined; readonly target?: Tokenizer | undefined };
  /** Maximum number of tokens of a side; at most, and by default, that of the model. */
  readonly maxLength?: number | undefined;
  /** Whether to cut longer sides instead of leaving pairs out. [false] */
  readonly truncate?: boolean;
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
 * a HeddleError if no pair is left. `pace` is called between steps of the work.
 */
export async function prepareTrainingData(
  pairs: readonly Pair[],
  options: TrainingDataOptions,
  known?: KnownModel,
  pace?: Pace,
): Promise<TrainingData> {
  const { config, source, target } = known ?? (await createConfig(pairs, options, pace));
  const maxLength = Math.min(config.maxLength, options.maxLength ?? config.maxLength);
  const { truncate = false } = options;
  const limits = { maxSource: maxLength, maxTarget: maxLength, truncate };
  const corpus = await runPaced(encodeSteps(pairs, source, target, limits), pace);
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
async function createConfig(
  pairs: readonly Pair[],
  { model, tokenizer, tokenizers = {} }: TrainingDataOptions,
  pace: Pace | undefined,
): Promise<KnownModel> {
  const shared = model.tie === 'all';
  check(
    !shared || tokenizers.source === tokenizers.target,
    'train: tie=all shares the embeddings of both sides, so they need one tokenizer: use --tokenizer-file',
  );
  const trained =
    tokenizers.source && tokenizers.target
      ? undefined
      : await trainTokenizers(pairs, tokenizer, shared, tokenizers, pace);
  const { source = trained?.source, target = trained?.target } = tokenizers;
  if (!source || !target) throw new Error('train: a side has no tokenizer');
  for (const role of ['pad', 'start', 'end'] as const)
    check(
      source.special[role] === target.special[role],
      `train: the ${role} token is ${source.special[role]} in the source tokenizer and ${target.special[role]} in the ` +
        'target tokenizer; they must be the same: use one file (tokenizerFile, --tokenizer-file), or two of one tool',
    );
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

/** Trains the tokenizers of the sides that have none; one for both if embeddings are shared. */
async function trainTokenizers(
  pairs: readonly Pair[],
  { kind, ...options }: TrainingDataOptions['tokenizer'],
  shared: boolean,
  given: NonNullable<TrainingDataOptions['tokenizers']>,
  pace: Pace | undefined,
): Promise<{ source?: Tokenizer | undefined; target?: Tokenizer | undefined }> {
  const steps = { word: wordSteps, char: characterSteps, bpe: bpeSteps }[kind];
  const train = (texts: Iterable<string>) => runPaced(steps(texts, options), pace);
  const texts = (side: 'source' | 'target') => pairs.map((pair) => pair[side]);
  if (!shared)
    return {
      source: given.source ? undefined : await train(texts('source')),
      target: given.target ? undefined : await train(texts('target')),
    };
  const both = await train(texts('source').concat(texts('target')));
  return { source: both, target: both };
}
