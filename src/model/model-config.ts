// The configuration of an encoder-decoder transformer, validated once. Letters used in shape comments everywhere:
// B batch, S source length, T target length, D dModel, H heads, W head width, F feed-forward width, V vocabulary.

import { HeddleError } from '../core/errors.ts';

/** Dropout rates, each its own place; all off in evaluation. */
export interface DropoutRates {
  /** After token vectors and positions are added. */
  readonly embedding: number;
  /** On the attention probabilities. */
  readonly attention: number;
  /** Between the two linear layers of the feed-forward block. */
  readonly feedForward: number;
  /** On each sub-layer's output, before it is added to the residual. */
  readonly residual: number;
  /** Before the output projection (Keras's example). */
  readonly output: number;
}

/** Everything that decides the model's arithmetic. */
export interface ModelConfig {
  readonly srcVocab: number;
  readonly tgtVocab: number;
  readonly dModel: number;
  readonly heads: number;
  /** Width of one head; dModel / heads unless said otherwise. */
  readonly headWidth: number;
  /** Heads of the decoder, in its cross-attention too, and their width; those of the encoder unless said otherwise. */
  readonly decoderHeads: number;
  readonly decoderHeadWidth: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly feedForward: number;
  /** Feed-forward width of the decoder; that of the encoder unless said otherwise. */
  readonly decoderFeedForward: number;
  readonly dropout: DropoutRates;
  /** `post`: LN(x + f(x)), as in the paper; `pre`: x + f(LN(x)). */
  readonly norm: 'post' | 'pre';
  /** A norm after the last encoder and decoder layer. */
  readonly finalNorm: boolean;
  /** A norm on the embeddings of both stacks (BART). */
  readonly embeddingNorm: boolean;
  readonly activation: 'relu' | 'gelu' | 'silu';
  /** `sinusoidal`: sine and cosine in turn; `sinusoidal-halves`: sines first, then cosines (Marian); `learned`: a table. */
  readonly positions: 'sinusoidal' | 'sinusoidal-halves' | 'learned';
  /** Longest source and target, in tokens. */
  readonly maxLength: number;
  /** Rows of a learned table that stand before position 0 (BART: 2). */
  readonly positionOffset: number;
  /** `target`: the output projection is the target embedding; `all`: the source embedding too. */
  readonly tie: 'none' | 'target' | 'all';
  /** Token vectors times sqrt(dModel). */
  readonly scaleEmbedding: boolean;
  readonly layerNormEps: number;
  readonly outputBias: boolean;
  readonly labelSmoothing: number;
  readonly padId: number;
  readonly startId: number;
  readonly endId: number;
  /**
   * Whether padding that the decoder chose itself is hidden from later tokens, as nn.Transformer's target padding mask does; the models
   * of Hugging Face read it like any token. The first token always counts: MarianMT starts with padding.
   */
  readonly hidePadding: boolean;
}

/** Fields that follow from others where they are left out. */
const derived = ['headWidth', 'decoderHeads', 'decoderHeadWidth', 'decoderFeedForward'] as const;

/** The sizes of one stack of layers. */
export interface StackSizes {
  readonly heads: number;
  readonly headWidth: number;
  readonly feedForward: number;
}

/** The sizes of the encoder's layers or of the decoder's. */
export const stackSizes = (c: ModelConfig, stack: 'encoder' | 'decoder'): StackSizes =>
  stack === 'encoder'
    ? { heads: c.heads, headWidth: c.headWidth, feedForward: c.feedForward }
    : { heads: c.decoderHeads, headWidth: c.decoderHeadWidth, feedForward: c.decoderFeedForward };

/** What `modelConfig` takes: sizes must be given, the rest has defaults; `dropout` may be one rate for all places of the paper. */
export type ModelOptions = Partial<Omit<ModelConfig, 'dropout'>> &
  Pick<ModelConfig, 'srcVocab' | 'tgtVocab'> & { readonly dropout?: number | Partial<DropoutRates> };

const noDropout: DropoutRates = { embedding: 0, attention: 0, feedForward: 0, residual: 0, output: 0 };

const defaults = {
  dModel: 128,
  heads: 4,
  encoderLayers: 2,
  decoderLayers: 2,
  feedForward: 512,
  norm: 'post',
  finalNorm: true,
  embeddingNorm: false,
  activation: 'relu',
  positions: 'sinusoidal',
  maxLength: 64,
  positionOffset: 0,
  tie: 'none',
  scaleEmbedding: true,
  layerNormEps: 1e-5,
  outputBias: true,
  labelSmoothing: 0,
  padId: 0,
  startId: 1,
  endId: 2,
  hidePadding: true,
} as const;

const choices: Record<string, readonly string[]> = {
  norm: ['post', 'pre'],
  activation: ['relu', 'gelu', 'silu'],
  positions: ['sinusoidal', 'sinusoidal-halves', 'learned'],
  tie: ['none', 'target', 'all'],
};

/** Whether `x` is a number from `least` to below `end`. */
const within = (x: unknown, least: number, end: number): boolean => typeof x === 'number' && x >= least && x < end;

/** Bounds that no model which runs here comes near, so that a broken file is rejected before memory is asked for. */
const most = { layers: 1000, positions: 2 ** 20, parameters: 2 ** 31 };

/** Completes and checks a configuration. Throws a HeddleError that names the field, its value and what it may be. */
export function modelConfig(options: ModelOptions): ModelConfig {
  const known = new Set([...Object.keys(defaults), 'srcVocab', 'tgtVocab', 'dropout', ...derived]);
  for (const key of Object.keys(options))
    if (!known.has(key))
      throw new HeddleError(`config: there is no field ${key}; the fields are ${[...known].join(', ')}`);
  const given = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as ModelOptions;
  const fail = (field: string, value: unknown, wanted: string): never => {
    throw new HeddleError(`config: ${field} is ${JSON.stringify(value)}, it must be ${wanted}`);
  };
  const { dropout = 0 } = given;
  if (typeof dropout !== 'number' && (typeof dropout !== 'object' || dropout === null))
    fail('dropout', dropout, 'a rate or a rate for each place');
  const rates: DropoutRates =
    typeof dropout === 'number'
      ? { embedding: dropout, attention: dropout, feedForward: dropout, residual: dropout, output: 0 }
      : { ...noDropout, ...dropout };
  const merged = { ...defaults, ...given };
  const { dModel, heads, headWidth = dModel / heads, decoderHeads = heads } = merged;
  // Heads in another number share the model's width anew, in the same number they are as wide as the encoder's.
  const decoderHeadWidth = decoderHeads === heads ? headWidth : dModel / decoderHeads;
  const decoderFeedForward = merged.feedForward;
  const c: ModelConfig = {
    ...{ headWidth, decoderHeads, decoderHeadWidth, decoderFeedForward },
    ...merged,
    dropout: rates,
  };

  const integer = (field: keyof ModelConfig, least: number) => {
    const value = c[field] as number;
    if (!Number.isSafeInteger(value) || value < least) fail(field, value, `a whole number of at least ${least}`);
  };
  for (const field of ['dModel', 'heads', 'encoderLayers', 'decoderLayers', 'feedForward', 'maxLength'] as const)
    integer(field, 1);
  for (const field of ['decoderHeads', 'decoderFeedForward'] as const) integer(field, 1);
  for (const [many, width] of [
    ['heads', 'headWidth'],
    ['decoderHeads', 'decoderHeadWidth'],
  ] as const) {
    if (given[width] === undefined && !Number.isInteger(c[width]))
      fail(many, c[many], `a divisor of dModel ${c.dModel} where ${width} is not given`);
    integer(width, 1);
    if (c[width] > 896) fail(width, c[width], 'at most 896');
  }
  for (const field of ['srcVocab', 'tgtVocab'] as const) integer(field, 4);
  for (const field of ['padId', 'startId', 'endId', 'positionOffset'] as const) integer(field, 0);
  for (const field of ['padId', 'startId', 'endId'] as const)
    if (c[field] >= c.tgtVocab) fail(field, c[field], `below tgtVocab ${c.tgtVocab}`);
  if (c.padId >= c.srcVocab) fail('padId', c.padId, `below srcVocab ${c.srcVocab}`);
  for (const [field, allowed] of Object.entries(choices)) {
    const value = c[field as keyof ModelConfig];
    if (!allowed.includes(value as string)) fail(field, value, `one of ${allowed.join(', ')}`);
  }
  for (const field of ['finalNorm', 'embeddingNorm', 'scaleEmbedding', 'outputBias', 'hidePadding'] as const)
    if (typeof c[field] !== 'boolean') fail(field, c[field], 'true or false');
  for (const [place, rate] of Object.entries(rates)) {
    if (!Object.hasOwn(noDropout, place))
      fail(`dropout.${place}`, rate, `left out: the places are ${Object.keys(noDropout).join(', ')}`);
    if (!within(rate, 0, 1)) fail(`dropout.${place}`, rate, 'at least 0 and below 1');
  }
  for (const field of ['encoderLayers', 'decoderLayers'] as const)
    if (c[field] > most.layers) fail(field, c[field], `at most ${most.layers}`);
  if (c.maxLength + c.positionOffset > most.positions) fail('maxLength', c.maxLength, `at most ${most.positions}`);
  const inLayers =
    c.encoderLayers * (4 * c.heads * c.headWidth + 2 * c.feedForward) +
    c.decoderLayers * (8 * c.decoderHeads * c.decoderHeadWidth + 2 * c.decoderFeedForward);
  const parameters = c.dModel * (inLayers + c.srcVocab + 2 * c.tgtVocab + 2 * c.maxLength);
  if (parameters > most.parameters)
    throw new HeddleError(
      `config: the model has about ${parameters} parameters, at most ${most.parameters} are supported`,
    );
  if (!within(c.labelSmoothing, 0, 1)) fail('labelSmoothing', c.labelSmoothing, 'at least 0 and below 1');
  if (!within(c.layerNormEps, Number.MIN_VALUE, 1)) fail('layerNormEps', c.layerNormEps, 'above 0 and below 1');
  if (c.tie === 'all' && c.srcVocab !== c.tgtVocab)
    fail('tie', c.tie, `none or target where srcVocab ${c.srcVocab} and tgtVocab ${c.tgtVocab} differ`);
  return c;
}

/** Sizes fixed by name, for `--preset`; vocabularies come from the tokenizers. */
export const presets = {
  tiny: { dModel: 64, heads: 4, encoderLayers: 2, decoderLayers: 2, feedForward: 256, maxLength: 64 },
  small: { dModel: 128, heads: 4, encoderLayers: 2, decoderLayers: 2, feedForward: 512, maxLength: 64 },
  mid: { dModel: 256, heads: 8, encoderLayers: 3, decoderLayers: 3, feedForward: 1024, maxLength: 128 },
  base: { dModel: 512, heads: 8, encoderLayers: 6, decoderLayers: 6, feedForward: 2048, maxLength: 256, tie: 'all' },
  keras: {
    dModel: 256,
    heads: 8,
    headWidth: 256,
    encoderLayers: 1,
    decoderLayers: 1,
    feedForward: 2048,
    maxLength: 20,
    positions: 'learned',
    finalNorm: false,
    scaleEmbedding: false,
    layerNormEps: 1e-3,
    dropout: { output: 0.5 },
  },
} as const satisfies Record<string, Partial<ModelOptions>>;

/** Names of the presets. */
export type PresetName = keyof typeof presets;
