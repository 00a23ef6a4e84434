// The table of the fields of a model configuration. From it come the checks, `--set` of the
// command line, the interface in model-config-types.ts and docs/settings.md.

import { boolean, choice, custom, fraction, integer, type OptionTable, rate } from '../core/fields.ts';
import { type Activation, activationKinds } from '../engine/ops/elementwise/elementwise-ops.ts';
import { feedForwardTypes } from './feed-forward.ts';
import type { DropoutRates } from './model-config-types.ts';
import { type PositionName, positionKinds } from './positions.ts';

/** Names and meanings of the rows of a table. */
const helpOfRows = (rows: Readonly<Record<string, { readonly help?: string }>>): string =>
  Object.entries(rows)
    .map(([name, { help }]) => (help ? `\`${name}\`: ${help}` : `\`${name}\``))
    .join('; ');

/** The places of dropout; each has a rate. Dropout is applied only in training. */
export const dropoutPlaces = {
  embedding: {
    help: 'on the sum of token embeddings and positions',
    type: rate,
    default: 0,
  },
  attention: {
    help: 'on the attention weights',
    type: rate,
    default: 0,
  },
  feedForward: {
    help: 'between the two linear layers of the feed-forward network',
    type: rate,
    default: 0,
  },
  residual: {
    help: 'on the output of each sublayer, before it is added to the residual',
    type: rate,
    default: 0,
  },
  memory: {
    help: "on the encoder's output, after its final norm (as in T5)",
    type: rate,
    default: 0,
  },
  output: {
    help: "before the output projection (as in Keras's example and in T5)",
    type: rate,
    default: 0,
  },
} as const satisfies OptionTable;

/** One rate for all places in which PyTorch's nn.Transformer has dropout, and for the embeddings. */
export const usualDropout = (rate: number) => ({
  embedding: rate,
  attention: rate,
  feedForward: rate,
  residual: rate,
});

/** One dropout rate, or rates by place: 0.1 or attention=0.2,output=0.1. */
export const dropoutType = custom<number | Partial<DropoutRates>>({
  unit: 'rates',
  words: 'a rate or a rate for each place',
  typescript: 'number | Partial<DropoutRates>',
  accepts: (value) => typeof value === 'number' || (typeof value === 'object' && value !== null),
});

const layerNumbers = custom<readonly number[]>({
  unit: 'numbers',
  words: 'numbers of layers',
  typescript: 'readonly number[]',
  accepts: (value): value is readonly number[] =>
    Array.isArray(value) && value.every((n) => n >= 1 && n % 1 === 0),
});

const sublayerSteps = custom<string>({
  unit: 'letters',
  words: 'letters such as n:da',
  typescript: 'string',
  accepts: (value): value is string => typeof value === 'string' && /^([dn]*:[dan]*)?$/.test(value),
});

/** Bounds far above any model that runs here: a corrupt file is rejected before memory is allocated. */
const most = { headWidth: 896, layers: 1000, depth: 100, buckets: 128, distance: 65535, frameWidth: 65536 };

/** Maximum number of positions of a model. */
export const maxPositions = 2 ** 20;

/** The fields. Training sets the sizes of the vocabularies. */
export const modelFields = {
  source: {
    help: 'what the encoder reads: `tokens`: token ids; `frames`: vectors, such as the spectrum of speech (Whisper)',
    type: choice(['tokens', 'frames']),
    default: 'tokens',
  },
  frameWidth: {
    help: 'numbers in a frame; required if the source is frames',
    defaultText: '0, for tokens',
    type: integer(0, 'n', most.frameWidth),
    default: 0,
  },
  stem: {
    help: 'layers between frames and encoder: `none`: frames have the hidden size; `linear`: a linear layer (patches of an image); `conv`: two convolutions of width 3 with GELU, the second with stride 2 (Whisper)',
    type: choice(['none', 'linear', 'conv']),
    default: 'none',
  },
  srcVocab: {
    help: 'size of the source vocabulary; training sets it',
    type: integer(4),
  },
  tgtVocab: {
    help: 'size of the target vocabulary; training sets it',
    type: integer(4),
  },
  dModel: {
    help: 'hidden size',
    type: integer(1),
    default: 128,
  },
  heads: {
    help: 'number of attention heads of a layer',
    type: integer(1),
    default: 4,
  },
  headWidth: {
    help: 'width of one head',
    defaultText: 'dModel / heads',
    type: integer(1, 'n', most.headWidth),
  },
  decoderHeads: {
    help: 'heads of a decoder layer, cross-attention included',
    defaultText: 'those of the encoder',
    type: integer(1),
  },
  decoderHeadWidth: {
    help: 'width of a head of the decoder',
    defaultText: 'headWidth, or dModel / decoderHeads if the numbers of heads differ',
    type: integer(1, 'n', most.headWidth),
  },
  encoderLayers: {
    help: 'number of encoder layers',
    type: integer(1, 'n', most.layers),
    default: 2,
  },
  decoderLayers: {
    help: 'number of decoder layers',
    type: integer(1, 'n', most.layers),
    default: 2,
  },
  feedForward: {
    help: 'width of the feed-forward blocks',
    type: integer(1),
    default: 512,
  },
  decoderFeedForward: {
    help: 'feed-forward width of the decoder',
    defaultText: 'that of the encoder',
    type: integer(1),
  },
  feedForwardDepth: {
    help: 'number of linear layers of a feed-forward block, with the activation between them',
    type: integer(1, 'n', most.depth),
    default: 2,
  },
  decoderFeedForwardDepth: {
    help: 'linear layers of a feed-forward block of the decoder',
    defaultText: 'those of the encoder',
    type: integer(1, 'n', most.depth),
  },
  decoderSelfAttention: {
    help: 'how a decoder layer reads the tokens before: `attention`, or `ssru`, a recurrence with one state per row in place of a KV cache (Kim et al., 2019; Marian, Firefox)',
    type: choice(['attention', 'ssru']),
    default: 'attention',
  },
  decoderTiedLayers: {
    help: 'for each decoder layer the number, from 1, of the layer whose weights it has; empty: its own',
    type: layerNumbers,
    default: [] as readonly number[],
  },
  dropout: {
    help: 'dropout rates by place; one number sets embedding, attention, feedForward and residual',
    defaultText: '0',
    type: dropoutType,
  },
  norm: {
    help: 'norm after or before each sub-layer: `post`: LN(x + f(x)), as in the paper; `pre`: x + f(LN(x))',
    type: choice(['post', 'pre']),
    default: 'post',
  },
  sublayerSteps: {
    help: "what surrounds each sub-layer, as letters of Marian's options transformer-preprocess and -postprocess: d dropout, n norm, a add the input. `:dan` is norm=post, `n:da` norm=pre; empty: that of `norm`",
    type: sublayerSteps,
    default: '',
  },
  normQueriesOnly: {
    help: 'whether pre-norm self-attention normalizes only queries, not keys and values (Marian before 1.10.28)',
    type: boolean,
    default: false,
  },
  normType: {
    help: '`layer`: layer norm; `rms`: RMSNorm, without a mean and a bias (T5)',
    type: choice(['layer', 'rms']),
    default: 'layer',
  },
  finalNorm: {
    help: 'a norm after the last encoder layer and the last decoder layer',
    type: boolean,
    default: true,
  },
  embeddingNorm: {
    help: 'a norm on the embeddings of encoder and decoder (as in BART)',
    type: boolean,
    default: false,
  },
  activation: {
    help: 'activation of the feed-forward blocks; `gelu` is exact (erf), `gelu-tanh` its tanh approximation (gelu_new in transformers), `quick-gelu` x·sigmoid(1.702x) (Marian)',

    type: choice(
      (Object.keys(activationKinds) as Activation[]).filter(
        (name): name is ModelActivation => name !== 'none',
      ),
    ),
    default: 'relu',
  },
  feedForwardType: {
    help: helpOfRows(feedForwardTypes),
    type: choice(Object.keys(feedForwardTypes) as (keyof typeof feedForwardTypes)[]),
    default: 'plain',
  },
  biases: {
    help: 'whether linear layers of attention and feed-forward have biases',
    type: boolean,
    default: true,
  },
  keyBias: {
    help: 'whether the projections of keys have biases, if `biases` is true (Whisper: false)',
    type: boolean,
    default: true,
  },
  attentionScale: {
    help: 'whether attention scores are divided by sqrt(headWidth)',
    type: boolean,
    default: true,
  },
  positions: {
    help: `positions: ${helpOfRows(positionKinds)}`,
    type: choice(Object.keys(positionKinds) as PositionName[]),
    default: 'sinusoidal',
  },
  relativeBuckets: {
    help: 'number of distance buckets of relative positions',
    type: integer(4, 'n', most.buckets),
    default: 32,
  },
  relativeMaxDistance: {
    help: 'distance from which all share the last bucket of relative positions',
    type: integer(1, 'n', most.distance),
    default: 128,
  },
  maxLength: {
    help: 'maximum length of source and target, in tokens',
    type: integer(1, 'tokens', maxPositions),
    default: 64,
  },
  maxSource: {
    help: 'maximum number of positions of the encoder if the source is frames, after the stem',
    defaultText: 'maxLength, as for tokens',
    type: integer(1, 'positions', maxPositions),
  },
  positionOffset: {
    help: 'rows of the learned position embeddings before position 0 (BART: 2)',
    type: integer(0, 'n', maxPositions),
    default: 0,
  },
  tie: {
    help: 'tied weights; `target`: output projection and target embedding; `all`: source embedding too; `embeddings`: both embeddings, with an output projection of its own (T5 v1.1)',
    type: choice(['none', 'target', 'all', 'embeddings']),
    default: 'none',
  },
  scaleEmbedding: {
    help: 'whether token embeddings are multiplied by sqrt(dModel)',
    type: boolean,
    default: true,
  },
  scaleOutput: {
    help: 'whether the input of the output projection is divided by sqrt(dModel) (T5 v1.0)',
    type: boolean,
    default: false,
  },
  layerNormEps: {
    help: 'constant added to the variance in norms',
    type: fraction,
    default: 1e-5,
  },
  outputBias: {
    help: 'whether the output projection has a bias',
    type: boolean,
    default: true,
  },
  trainOutputBias: {
    help: 'whether training changes the output bias',
    type: boolean,
    default: true,
  },
  trainPositions: {
    help: 'whether training changes learned positions; never those of the encoder behind a `conv` stem (Whisper)',
    type: boolean,
    default: true,
  },
  trainPadding: {
    help: "whether look-ups train the embedding of padding; false as with torch.nn.Embedding's padding_idx",
    type: boolean,
    default: true,
  },
  labelSmoothing: {
    help: 'label smoothing of the loss',
    type: rate,
    default: 0,
  },
  padId: {
    help: 'id of the padding token; -1: none, padding has a zero embedding',
    type: integer(-1),
    default: 0,
  },
  startId: {
    help: "id of the token that starts the decoder's input; -1: none, it starts with a zero embedding (Marian)",
    type: integer(-1),
    default: 1,
  },
  endId: {
    help: 'id of the end token',
    type: integer(0),
    default: 2,
  },
  hidePadding: {
    help: "whether self-attention of the decoder masks padding tokens that the model generated, as the target padding mask of nn.Transformer does; Hugging Face's models attend to them. The first token is never masked: MarianMT starts with padding",
    type: boolean,
    default: true,
  },
  alignmentHead: {
    help: 'head, from 0, of the last cross-attention that guided alignment trains and word alignments are read from; -1: none',
    type: integer(-1),
    default: -1,
  },
} as const satisfies OptionTable;

type ModelActivation = Exclude<Activation, 'none'>;
