// The configuration of an encoder-decoder transformer: its fields and their validation.

import { HeddleError } from '../core/errors.ts';
import { withoutUndefined } from '../files/json-files.ts';

/** Dropout rates of a model, each at least 0 and below 1. Dropout is applied only in training. */
export interface DropoutRates {
  /** On the sum of token embeddings and positions. */
  readonly embedding: number;
  /** On the attention weights. */
  readonly attention: number;
  /** Between the two linear layers of the feed-forward network. */
  readonly feedForward: number;
  /** On the output of each sublayer, before it is added to the residual. */
  readonly residual: number;
  /** On the encoder's output, after its final norm (as in T5). */
  readonly memory: number;
  /** Before the output projection (as in Keras's example and in T5). */
  readonly output: number;
}

/** Configuration of a model: everything that determines what it computes. */
export interface ModelConfig {
  /** Size of the source vocabulary; training sets it. */
  readonly srcVocab: number;
  /** Size of the target vocabulary; training sets it. */
  readonly tgtVocab: number;
  /** Hidden size. */
  readonly dModel: number;
  /** Number of attention heads of a layer. */
  readonly heads: number;
  /** Width of one head. Default dModel / heads. */
  readonly headWidth: number;
  /** Heads of a decoder layer, cross-attention included. Default those of the encoder. */
  readonly decoderHeads: number;
  /**
   * Width of a head of the decoder. Default headWidth, or dModel / decoderHeads if the numbers of heads
   * differ.
   */
  readonly decoderHeadWidth: number;
  /** Number of encoder layers. */
  readonly encoderLayers: number;
  /** Number of decoder layers. */
  readonly decoderLayers: number;
  /** Width of the feed-forward blocks. */
  readonly feedForward: number;
  /** Feed-forward width of the decoder. Default that of the encoder. */
  readonly decoderFeedForward: number;
  /** Dropout rates by place; one number sets embedding, attention, feedForward and residual. */
  readonly dropout: DropoutRates;
  /** Norm after or before each sub-layer: `post`: LN(x + f(x)), as in the paper; `pre`: x + f(LN(x)). */
  readonly norm: 'post' | 'pre';
  /** `layer`: layer norm; `rms`: RMSNorm, without a mean and a bias (T5). */
  readonly normType: 'layer' | 'rms';
  /** A norm after the last encoder layer and the last decoder layer. */
  readonly finalNorm: boolean;
  /** A norm on the embeddings of encoder and decoder (as in BART). */
  readonly embeddingNorm: boolean;
  /** `gelu` is exact (erf), `gelu-tanh` its tanh approximation (transformers' gelu_new). */
  readonly activation: 'relu' | 'gelu' | 'gelu-tanh' | 'silu';
  /**
   * `plain`: W2·f(W1·x); `gated`: W2·(f(W1·x) ⊙ V1·x), where linear1 holds W1 and then V1 (Shazeer, 2020,
   * GLU).
   */
  readonly feedForwardType: 'plain' | 'gated';
  /** Whether linear layers of attention and feed-forward have biases. */
  readonly biases: boolean;
  /** Whether attention scores are divided by sqrt(headWidth). */
  readonly attentionScale: boolean;
  /**
   * Positions. `sinusoidal`: sine and cosine alternate; `sinusoidal-halves`: sines first, then cosines
   * (Marian, Pegasus); `fairseq-sinusoidal`: the sinusoids of M2M100, counted over tokens that are not
   * padding; `learned`: embeddings; `relative`: a bias of the self-attention scores for each distance and
   * head (T5); `none`.
   */
  readonly positions:
    | 'sinusoidal'
    | 'sinusoidal-halves'
    | 'fairseq-sinusoidal'
    | 'learned'
    | 'relative'
    | 'none';
  /** Number of distance buckets of relative positions. */
  readonly relativeBuckets: number;
  /** Distance from which all share the last bucket of relative positions. */
  readonly relativeMaxDistance: number;
  /** Maximum length of source and target, in tokens. */
  readonly maxLength: number;
  /** Rows of the learned position embeddings before position 0 (BART: 2). */
  readonly positionOffset: number;
  /**
   * Tied weights. `target`: output projection and target embedding; `all`: source embedding too;
   * `embeddings`: both embeddings, with an output projection of its own (T5 v1.1).
   */
  readonly tie: 'none' | 'target' | 'all' | 'embeddings';
  /** Whether token embeddings are multiplied by sqrt(dModel). */
  readonly scaleEmbedding: boolean;
  /** Whether the input of the output projection is divided by sqrt(dModel) (T5 v1.0). */
  readonly scaleOutput: boolean;
  /** Constant added to the variance in norms. */
  readonly layerNormEps: number;
  /** Whether the output projection has a bias. */
  readonly outputBias: boolean;
  /** Whether training changes the output bias. */
  readonly trainOutputBias: boolean;
  /** Whether training changes learned positions. */
  readonly trainPositions: boolean;
  /** Whether look-ups train the embedding of padding; false as with torch.nn.Embedding's padding_idx. */
  readonly trainPadding: boolean;
  /** Label smoothing of the loss. */
  readonly labelSmoothing: number;
  /** Id of the padding token. */
  readonly padId: number;
  /** Id of the token that starts the decoder's input. */
  readonly startId: number;
  /** Id of the end token. */
  readonly endId: number;
  /**
   * Whether self-attention of the decoder masks padding tokens that the model generated, as nn.Transformer's
   * target padding mask does. Hugging Face's models attend to them. The first token is never masked: MarianMT
   * starts with padding.
   */
  readonly hidePadding: boolean;
}

/** Whether source and target share one embedding. */
export const sharesEmbeddings = ({ tie }: Pick<ModelConfig, 'tie'>): boolean =>
  tie === 'all' || tie === 'embeddings';

/** The encoder or the decoder. */
export type Stack = 'encoder' | 'decoder';

/** Sizes of the layers of a stack. */
export type StackSizes = ReturnType<typeof stackSizes>;

/** Returns the sizes of the layers of a stack. */
export const stackSizes = (c: ModelConfig, stack: Stack) =>
  stack === 'encoder'
    ? { heads: c.heads, headWidth: c.headWidth, feedForward: c.feedForward }
    : { heads: c.decoderHeads, headWidth: c.decoderHeadWidth, feedForward: c.decoderFeedForward };

/**
 * Options of `modelConfig`: the vocabulary sizes are required; `dropout` may be one rate, see `usualDropout`.
 */
export type ModelOptions = Partial<Omit<ModelConfig, 'dropout'>> &
  Pick<ModelConfig, 'srcVocab' | 'tgtVocab'> & { readonly dropout?: number | Partial<DropoutRates> };

/** One rate for all places in which PyTorch's nn.Transformer has dropout, and for the embeddings. */
export const usualDropout = (rate: number) => ({
  embedding: rate,
  attention: rate,
  feedForward: rate,
  residual: rate,
});

const noDropout: DropoutRates = {
  embedding: 0,
  attention: 0,
  feedForward: 0,
  residual: 0,
  memory: 0,
  output: 0,
};

const defaults = {
  dModel: 128,
  heads: 4,
  encoderLayers: 2,
  decoderLayers: 2,
  feedForward: 512,
  norm: 'post',
  normType: 'layer',
  finalNorm: true,
  embeddingNorm: false,
  activation: 'relu',
  feedForwardType: 'plain',
  biases: true,
  attentionScale: true,
  positions: 'sinusoidal',
  relativeBuckets: 32,
  relativeMaxDistance: 128,
  maxLength: 64,
  positionOffset: 0,
  tie: 'none',
  scaleEmbedding: true,
  scaleOutput: false,
  layerNormEps: 1e-5,
  outputBias: true,
  trainOutputBias: true,
  trainPositions: true,
  trainPadding: true,
  labelSmoothing: 0,
  padId: 0,
  startId: 1,
  endId: 2,
  hidePadding: true,
} as const;

/** Names of the fields of `modelConfig`. */
export const modelFields: readonly string[] = [
  ...Object.keys(defaults),
  ...['srcVocab', 'tgtVocab', 'dropout'],
  // Their defaults depend on other fields.
  ...['headWidth', 'decoderHeads', 'decoderHeadWidth', 'decoderFeedForward'],
];

const choices: Record<string, readonly string[]> = {
  norm: ['post', 'pre'],
  normType: ['layer', 'rms'],
  activation: ['relu', 'gelu', 'gelu-tanh', 'silu'],
  feedForwardType: ['plain', 'gated'],
  positions: ['sinusoidal', 'sinusoidal-halves', 'fairseq-sinusoidal', 'learned', 'relative', 'none'],
  tie: ['none', 'target', 'all', 'embeddings'],
};

/** Fields that are true or false. */
const flags = [
  ...(['finalNorm', 'embeddingNorm', 'biases', 'attentionScale', 'scaleEmbedding', 'scaleOutput'] as const),
  ...(['outputBias', 'trainOutputBias', 'trainPositions', 'trainPadding', 'hidePadding'] as const),
];

/** Returns whether `x` is a number of at least `min` and below `end`. */
const inRange = (x: unknown, min: number, end: number): boolean =>
  typeof x === 'number' && x >= min && x < end;

/** Bounds far above any model that runs here: a corrupt file is rejected before memory is allocated. */
const max = {
  headWidth: 896,
  layers: 1000,
  positions: 2 ** 20,
  buckets: 128,
  distance: 65535,
  parameters: 2 ** 31,
};

/**
 * Fills in defaults and validates a configuration. Throws a HeddleError that names the field, its value and
 * the allowed values.
 */
export function modelConfig(options: ModelOptions): ModelConfig {
  for (const key of Object.keys(options))
    if (!modelFields.includes(key))
      throw new HeddleError(`config: there is no field ${key}; the fields are ${modelFields.join(', ')}`);
  const given = withoutUndefined<unknown>({ ...options }) as ModelOptions;
  const fail = (field: string, value: unknown, wanted: string): never => {
    throw new HeddleError(`config: ${field} is ${JSON.stringify(value)}, it must be ${wanted}`);
  };
  const { dropout = 0 } = given;
  if (typeof dropout !== 'number' && (typeof dropout !== 'object' || dropout === null))
    fail('dropout', dropout, 'a rate or a rate for each place');
  const rates = { ...noDropout, ...(typeof dropout === 'number' ? usualDropout(dropout) : dropout) };
  const merged = { ...defaults, ...given };
  const { dModel, heads, headWidth = dModel / heads, decoderHeads = heads } = merged;
  // A different number of heads divides dModel again; the same number has the encoder's width.
  const decoderHeadWidth = decoderHeads === heads ? headWidth : dModel / decoderHeads;
  const decoderFeedForward = merged.feedForward;
  const c: ModelConfig = {
    ...{ headWidth, decoderHeads, decoderHeadWidth, decoderFeedForward },
    ...merged,
    dropout: rates,
  };

  const integers = (min: number, ...fields: (keyof ModelConfig)[]) => {
    for (const field of fields)
      if (!Number.isSafeInteger(c[field]) || (c[field] as number) < min)
        fail(field, c[field], `a whole number of at least ${min}`);
  };
  const atMost = (limit: number, ...fields: (keyof ModelConfig)[]) => {
    for (const field of fields) if ((c[field] as number) > limit) fail(field, c[field], `at most ${limit}`);
  };
  integers(1, 'dModel', 'heads', 'encoderLayers', 'decoderLayers', 'feedForward', 'maxLength');
  integers(1, 'decoderHeads', 'decoderFeedForward');
  integers(4, 'relativeBuckets');
  atMost(max.buckets, 'relativeBuckets');
  integers(Math.floor(c.relativeBuckets / 2) + 1, 'relativeMaxDistance');
  atMost(max.distance, 'relativeMaxDistance');
  for (const [countField, width] of [
    ['heads', 'headWidth'],
    ['decoderHeads', 'decoderHeadWidth'],
  ] as const) {
    if (given[width] === undefined && !Number.isInteger(c[width]))
      fail(countField, c[countField], `a divisor of dModel ${c.dModel} if ${width} is not given`);
    integers(1, width);
    atMost(max.headWidth, width);
  }
  integers(4, 'srcVocab', 'tgtVocab');
  integers(0, 'padId', 'startId', 'endId', 'positionOffset');
  for (const field of ['padId', 'startId', 'endId'] as const)
    if (c[field] >= c.tgtVocab) fail(field, c[field], `below tgtVocab ${c.tgtVocab}`);
  if (c.padId >= c.srcVocab) fail('padId', c.padId, `below srcVocab ${c.srcVocab}`);
  for (const [field, allowed] of Object.entries(choices)) {
    const value = c[field as keyof ModelConfig];
    if (!allowed.includes(value as string)) fail(field, value, `one of ${allowed.join(', ')}`);
  }
  for (const field of flags) if (typeof c[field] !== 'boolean') fail(field, c[field], 'true or false');
  for (const [place, rate] of Object.entries(rates)) {
    if (!Object.hasOwn(noDropout, place))
      fail(`dropout.${place}`, rate, `left out: the places are ${Object.keys(noDropout).join(', ')}`);
    if (!inRange(rate, 0, 1)) fail(`dropout.${place}`, rate, 'at least 0 and below 1');
  }
  atMost(max.layers, 'encoderLayers', 'decoderLayers');
  if (c.maxLength + c.positionOffset > max.positions)
    fail('maxLength', c.maxLength, `at most ${max.positions}`);
  const matrices = c.feedForwardType === 'gated' ? 3 : 2;
  const inLayers =
    c.encoderLayers * (4 * c.heads * c.headWidth + matrices * c.feedForward) +
    c.decoderLayers * (8 * c.decoderHeads * c.decoderHeadWidth + matrices * c.decoderFeedForward);
  const parameters = c.dModel * (inLayers + c.srcVocab + 2 * c.tgtVocab + 2 * c.maxLength);
  if (parameters > max.parameters)
    throw new HeddleError(
      `config: the model has about ${parameters} parameters, at most ${max.parameters} are supported; use a smaller vocabulary, width or number of layers`,
    );
  if (!inRange(c.labelSmoothing, 0, 1)) fail('labelSmoothing', c.labelSmoothing, 'at least 0 and below 1');
  if (!inRange(c.layerNormEps, Number.MIN_VALUE, 1))
    fail('layerNormEps', c.layerNormEps, 'above 0 and below 1');
  if (sharesEmbeddings(c) && c.srcVocab !== c.tgtVocab)
    fail('tie', c.tie, `none or target if srcVocab ${c.srcVocab} and tgtVocab ${c.tgtVocab} differ`);
  return c;
}
