// Training data: encoded pairs and their batches, for a new or a known model.

import { check } from '../../core/errors.ts';
import type { AugmentRates } from '../../features/corpora/augment/augment-rates.ts';
import type { MixedBatches, Stage } from '../../features/corpora/batches/mixed-batches.ts';
import type { StagedBatches } from '../../features/corpora/batches/staged-batches.ts';
import type { FrameMasks, MaskOptions } from '../../features/speech/batches/frame-masks.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { type Batches, createBatches, fillBatch } from '../../text/batches/batches.ts';
import { type BatchShape, batchShapes, chooseBuckets } from '../../text/batches/buckets.ts';
import type { EncodedCorpus, EncodeOptions, RowLinks } from '../../text/batches/encoded-corpus.ts';
import {
  describeSkipped,
  encodePairs,
  joinEncoded,
  targetLength,
} from '../../text/batches/encoded-corpus.ts';
import { chunksOf } from '../../text/corpus/packed-pairs.ts';
import { type PairList, sampleEvenly } from '../../text/corpus/pairs.ts';
import type { SamplingOptions } from '../../text/sentencepiece/piece-sampler.ts';
import { openTextPool, type TextPool } from '../../text/text-pool.ts';
import { areCopied, tokenizerData } from '../../text/text-tasks.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import type { KnownModel, NewModelOptions, TokenizerPair } from './new-model.ts';
import { newModel } from './new-model.ts';
import type { Batch } from './trainer.ts';

/** Options of the training data. */
export interface TrainingDataOptions extends NewModelOptions {
  /** Maximum number of tokens of a side; at most, and by default, that of the model. */
  readonly maxLength?: number;
  /** Whether to cut longer sides instead of leaving pairs out. [false] */
  readonly truncate?: boolean;
  /** Pairs per batch; if 0, `maxTokens` per batch, counted on the longer side. */
  readonly batchSize: number;
  readonly maxTokens: number;
  /** Maximum number of batch shapes. */
  readonly buckets: number;
  readonly seed: number;
  /** Stages with weights of the corpora that the pairs are from, and the number of pairs of each. [all alike] */
  readonly mixture?: { readonly stages: readonly Stage[]; readonly sizes: readonly number[] };
  /** Subword regularization: fresh pieces in each epoch. [none] */
  readonly sampling?: SamplingOptions;
  /** Rates of augmentations, afresh in each epoch. [none] */
  readonly augment?: AugmentRates;
  /** Opens the threads that draw pieces and augment pairs during the run. [this thread] */
  readonly openPool?: () => Promise<TextPool>;
  /** SpecAugment, if the source is frames: fresh masks in each epoch. [none] */
  readonly masks?: MaskOptions;
  /** Reads the word alignments of the rows of a corpus, for guided alignment. [none] */
  readonly readLinks?: (
    corpus: EncodedCorpus,
    pairs: PairList,
    tokenizers: TokenizerPair,
  ) => Promise<RowLinks>;
}

/** Limits of pairs with frames; the model limits the frames. */
export type FrameLimits = Pick<EncodeOptions, 'maxTarget' | 'truncate'>;

/** Encodes pairs whose sources are frames. */
export interface FrameEncoding {
  /** Tokens that each target starts with, after the start token. */
  readonly prefix: readonly number[];
  encode(pairs: PairList, c: ModelConfig, target: Tokenizer, limits: FrameLimits): Promise<EncodedCorpus>;
}

/** Pairs ready to train on. */
export interface TrainingData extends KnownModel {
  readonly corpus: EncodedCorpus;
  readonly shapes: readonly BatchShape[];
  readonly batches: Batches;
  /** The batches as stages, if the run has them. */
  readonly staged?: StagedBatches<MixedBatches>;
  /** Returns a batch for a trainer, see `batchOf`. */
  batchAt(index: number): Batch | Promise<Batch>;
  /** Starts the next stage at a batch. */
  startStage(index: number): void;
  /** Stops the threads that draw batches, if there are any. */
  close(): Promise<void>;
  /** Encodes other pairs, such as dev pairs, up to the limits of the model. */
  encode(pairs: PairList): Promise<EncodedCorpus>;
  /** Tokens that each target starts with, the start token included, if the source is frames. */
  readonly prompt?: readonly number[];
}

/**
 * Trains tokenizers on the pairs, or takes those of an existing model, then encodes the pairs and makes
 * batches; pairs that are encoded already need their model. Throws a HeddleError if no pair is left. `pool`
 * does the work on the texts.
 */
export async function prepareTrainingData(
  pairs: PairList | EncodedCorpus,
  options: TrainingDataOptions,
  known?: KnownModel,
  pool?: TextPool,
  frames?: FrameEncoding,
): Promise<TrainingData> {
  const workers = pool ?? (await openTextPool(() => undefined));
  const encoded = 'pairIndex' in pairs ? pairs : undefined;
  const { config, source, target } =
    known ?? (await newModel(pairs as PairList, options, workers, frames !== undefined));
  const limits = encodeOptionsOf(config, options);
  const plain =
    encoded ??
    (await (frames
      ? frames.encode(pairs as PairList, config, target, limits)
      : encodeList(pairs as PairList, source, target, limits, workers)));
  check(plain.count > 0, () => `train: no pair is left: ${describeSkipped(plain)}`);
  const { readLinks } = options;
  check(
    !readLinks || !(encoded || frames || drawsRows(options)),
    'train: guidedAlignment is for the tokens of texts that do not change; omit it, or frames, samplingAlpha, bpeDropout and augment',
  );
  const links = await readLinks?.(plain, pairs as PairList, { source, target });
  const corpus = links ? { ...plain, links } : plain;
  const size = options.batchSize > 0 ? { rows: options.batchSize } : { tokens: options.maxTokens };
  const shapes = batchShapes(chooseBuckets(corpus, { count: options.buckets }), size, corpus.frames);
  const staged = options.mixture && (await stagedBatches(corpus, shapes, options.mixture, options.seed));
  const batches = staged ?? createBatches(corpus, shapes, { seed: options.seed });
  check(
    !frames || !drawsRows(options),
    'train: samplingAlpha, bpeDropout and augment are for sources of text; omit them',
  );
  const drawn = drawsRows(options)
    ? await (await import('../../features/corpora/train/drawn-training.ts')).drawnTraining(
        { corpus, shapes, batches },
        { source, target },
        options,
        workers,
      )
    : undefined;
  const masks = await openMasks(corpus, options);
  const whole = { maxSource: config.maxLength, maxTarget: config.maxLength };
  return {
    prompt: frames && [config.startId, ...frames.prefix],
    encode: async (more) =>
      frames ? frames.encode(more, config, target, whole) : encodePairs([...more], source, target, whole),
    config,
    source,
    target,
    corpus,
    shapes,
    batches,
    staged,
    batchAt: (index) => {
      if (masks) return maskedBatch(batches, shapes, corpus, index, masks);
      return drawn ? drawn.batchAt(index) : batchOf(batches, corpus, index);
    },
    startStage(index) {
      staged?.start(index);
      drawn?.restart();
    },
    close: async () => drawn?.close(),
  };
}

/** Whether rows are drawn afresh in each epoch. */
const drawsRows = ({ sampling, augment }: Pick<TrainingDataOptions, 'sampling' | 'augment'>): boolean =>
  [sampling?.samplingAlpha, sampling?.bpeDropout, ...Object.values(augment ?? {})].some(
    (rate = 0) => rate > 0,
  );

/** The batches of the stages of a mixture. */
async function stagedBatches(
  corpus: EncodedCorpus,
  shapes: readonly BatchShape[],
  { stages, sizes }: NonNullable<TrainingDataOptions['mixture']>,
  seed: number,
): Promise<StagedBatches<MixedBatches>> {
  const { MixedBatches } = await import('../../features/corpora/batches/mixed-batches.ts'); // only runs with weights need it
  const { StagedBatches } = await import('../../features/corpora/batches/staged-batches.ts');
  return new StagedBatches(
    stages.map(({ weights }, stage) => {
      const batches = new MixedBatches(corpus, shapes, { sizes, weights, seed, stage });
      check(batches.perEpoch > 0, `train: no pair is left for stage ${stage + 1}`);
      return batches;
    }),
  );
}

/** The masks of frames in each epoch; undefined if there are none. */
async function openMasks(
  { frames }: EncodedCorpus,
  { masks, seed }: TrainingDataOptions,
): Promise<FrameMasks | undefined> {
  if (!frames || !masks) return undefined;
  const { createFrameMasks } = await import('../../features/speech/batches/frame-masks.ts');
  return createFrameMasks(frames, masks, seed);
}

/** Batch `index` of a corpus with the masks of its epoch. */
function maskedBatch(
  batches: Batches,
  shapes: readonly BatchShape[],
  corpus: EncodedCorpus,
  index: number,
  masks: FrameMasks,
): Batch {
  const shape = batches.shapeAt(index);
  const masked = masks(corpus, batches.rowsAt(index), Math.floor(index / batches.perEpoch));
  const rows = Uint32Array.from({ length: masked.count }, (_, row) => row);
  return {
    shape,
    tokens: rows.reduce((n, row) => n + targetLength(masked, row), 0),
    fill: (arrays) => fillBatch(arrays, shapes[shape] as BatchShape, masked, rows),
  };
}

/** Batch `index` of a corpus, from 0, for a trainer. */
export const batchOf = (batches: Batches, corpus: EncodedCorpus, index: number): Batch => ({
  shape: batches.shapeAt(index),
  tokens: batches.rowsAt(index).reduce((n, row) => n + targetLength(corpus, row), 0),
  fill: (arrays) => batches.fill(index, arrays),
});

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
    name: 'encode',
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
