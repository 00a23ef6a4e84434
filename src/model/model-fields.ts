// The table of the fields of a model configuration. From it and its comments come the checks, `--set` of the
// command line, the interface in model-config-types.ts and docs/settings.md.

import { boolean, choice, custom, type FieldTable, fraction, integer, rate } from '../core/fields.ts';
import { type Activation, activationKinds } from '../engine/ops/elementwise/elementwise-ops.ts';
import type { DropoutRates } from './model-config-types.ts';

/** The places of dropout; each has a rate. Dropout is applied only in training. */
export const dropoutPlaces = {
  /** On the sum of token embeddings and positions. */
  embedding: { type: rate, default: 0 },
  /** On the attention weights. */
  attention: { type: rate, default: 0 },
  /** Between the two linear layers of the feed-forward network. */
  feedForward: { type: rate, default: 0 },
  /** On the output of each sublayer, before it is added to the residual. */
  residual: { type: rate, default: 0 },
  /** On the encoder's output, after its final norm (as in T5). */
  memory: { type: rate, default: 0 },
  /** Before the output projection (as in Keras's example and in T5). */
  output: { type: rate, default: 0 },
} as const satisfies FieldTable;

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
  /** What the encoder reads: `tokens`: token ids; `frames`: vectors, such as the spectrum of speech (Whisper). */
  source: { type: choice(['tokens', 'frames']), default: 'tokens' },
  /** Numbers in a frame; required if the source is frames. Default: 0, for tokens. */
  frameWidth: { type: integer(0, 'n', most.frameWidth), default: 0 },
  /**
   * Layers between frames and encoder: `none`: frames have the hidden size; `linear`: a linear layer (patches of
   * an image); `conv`: two convolutions of width 3 with GELU, the second with stride 2 (Whisper).
   */
  stem: { type: choice(['none', 'linear', 'conv']), default: 'none' },
  /** Size of the source vocabulary; training sets it. */
  srcVocab: { type: integer(4) },
  /** Size of the target vocabulary; training sets it. */
  tgtVocab: { type: integer(4) },
  /** Hidden size. */
  dModel: { type: integer(1), default: 128 },
  /** Number of attention heads of a layer. */
  heads: { type: integer(1), default: 4 },
  /** Width of one head. Default: dModel / heads. */
  headWidth: { type: integer(1, 'n', most.headWidth) },
  /** Heads of a decoder layer, cross-attention included. Default: those of the encoder. */
  decoderHeads: { type: integer(1) },
  /**
   * Width of a head of the decoder. Default: headWidth, or dModel / decoderHeads if the numbers of heads
   * differ.
   */
  decoderHeadWidth: { type: integer(1, 'n', most.headWidth) },
  /** Number of encoder layers. */
  encoderLayers: { type: integer(1, 'n', most.layers), default: 2 },
  /** Number of decoder layers. */
  decoderLayers: { type: integer(1, 'n', most.layers), default: 2 },
  /** Width of the feed-forward blocks. */
  feedForward: { type: integer(1), default: 512 },
  /** Feed-forward width of the decoder. Default: that of the encoder. */
  decoderFeedForward: { type: integer(1) },
  /** Number of linear layers of a feed-forward block, with the activation between them. */
  feedForwardDepth: { type: integer(1, 'n', most.depth), default: 2 },
  /** Linear layers of a feed-forward block of the decoder. Default: those of the encoder. */
  decoderFeedForwardDepth: { type: integer(1, 'n', most.depth) },
  /**
   * How a decoder layer reads the tokens before: `attention`, or `ssru`, a recurrence with one state per row
   * in place of a KV cache (Kim et al., 2019; Marian, Firefox).
   */
  decoderSelfAttention: { type: choice(['attention', 'ssru']), default: 'attention' },
  /** For each decoder layer the number, from 1, of the layer whose weights it has; empty: its own. */
  decoderTiedLayers: { type: layerNumbers, default: [] as readonly number[] },
  /** Dropout rates by place; one number sets embedding, attention, feedForward and residual. Default: 0. */
  dropout: { type: dropoutType },
  /** Norm after or before each sub-layer: `post`: LN(x + f(x)), as in the paper; `pre`: x + f(LN(x)). */
  norm: { type: choice(['post', 'pre']), default: 'post' },
  /**
   * What surrounds each sub-layer, as letters of Marian's options transformer-preprocess and -postprocess:
   * d dropout, n norm, a add the input. `:dan` is norm=post, `n:da` norm=pre; empty: that of `norm`.
   */
  sublayerSteps: { type: sublayerSteps, default: '' },
  /** Whether pre-norm self-attention normalizes only queries, not keys and values (Marian before 1.10.28). */
  normQueriesOnly: { type: boolean, default: false },
  /** `layer`: layer norm; `rms`: RMSNorm, without a mean and a bias (T5). */
  normType: { type: choice(['layer', 'rms']), default: 'layer' },
  /** A norm after the last encoder layer and the last decoder layer. */
  finalNorm: { type: boolean, default: true },
  /** A norm on the embeddings of encoder and decoder (as in BART). */
  embeddingNorm: { type: boolean, default: false },
  /**
   * Activation of the feed-forward blocks; `gelu` is exact (erf), `gelu-tanh` its tanh approximation
   * (gelu_new in transformers), `quick-gelu` x·sigmoid(1.702x) (Marian).
   */
  activation: {
    type: choice(
      (Object.keys(activationKinds) as Activation[]).filter(
        (name): name is ModelActivation => name !== 'none',
      ),
    ),
    default: 'relu',
  },
  /**
   * `plain`: W2·f(W1·x); `gated`: W2·(f(W1·x) ⊙ V1·x), where linear1 holds W1 and then V1 (Shazeer, 2020,
   * GLU).
   */
  feedForwardType: { type: choice(['plain', 'gated']), default: 'plain' },
  /** Whether linear layers of attention and feed-forward have biases. */
  biases: { type: boolean, default: true },
  /** Whether the projections of keys have biases, if `biases` is true (Whisper: false). */
  keyBias: { type: boolean, default: true },
  /** Whether attention scores are divided by sqrt(headWidth). */
  attentionScale: { type: boolean, default: true },
  /**
   * Positions: `sinusoidal`: sine and cosine alternate; `sinusoidal-halves`: sines first, then cosines
   * (MarianMT, Pegasus); `marian-sinusoidal`: the same with Marian's own wavelengths; `fairseq-sinusoidal`: the
   * sinusoids of M2M100, counted over tokens that are not padding; `learned`: embeddings; `relative`: a bias of the
   * self-attention scores for each distance and head (T5); `none`.
   */
  positions: {
    type: choice([
      'sinusoidal',
      'sinusoidal-halves',
      'marian-sinusoidal',
      'fairseq-sinusoidal',
      'learned',
      'relative',
      'none',
    ]),
    default: 'sinusoidal',
  },
  /** Number of distance buckets of relative positions. */
  relativeBuckets: { type: integer(4, 'n', most.buckets), default: 32 },
  /** Distance from which all share the last bucket of relative positions. */
  relativeMaxDistance: { type: integer(1, 'n', most.distance), default: 128 },
  /** Maximum length of source and target, in tokens. */
  maxLength: { type: integer(1, 'tokens', maxPositions), default: 64 },
  /**
   * Maximum number of positions of the encoder if the source is frames, after the stem. Default: maxLength, as
   * for tokens.
   */
  maxSource: { type: integer(1, 'positions', maxPositions) },
  /** Rows of the learned position embeddings before position 0 (BART: 2). */
  positionOffset: { type: integer(0, 'n', maxPositions), default: 0 },
  /**
   * Tied weights; `target`: output projection and target embedding; `all`: source embedding too;
   * `embeddings`: both embeddings, with an output projection of its own (T5 v1.1).
   */
  tie: { type: choice(['none', 'target', 'all', 'embeddings']), default: 'none' },
  /** Whether token embeddings are multiplied by sqrt(dModel). */
  scaleEmbedding: { type: boolean, default: true },
  /** Whether the input of the output projection is divided by sqrt(dModel) (T5 v1.0). */
  scaleOutput: { type: boolean, default: false },
  /** Constant added to the variance in norms. */
  layerNormEps: { type: fraction, default: 1e-5 },
  /** Whether the output projection has a bias. */
  outputBias: { type: boolean, default: true },
  /** Whether training changes the output bias. */
  trainOutputBias: { type: boolean, default: true },
  /** Whether training changes learned positions; never those of the encoder behind a `conv` stem (Whisper). */
  trainPositions: { type: boolean, default: true },
  /** Whether look-ups train the embedding of padding; false as with torch.nn.Embedding's padding_idx. */
  trainPadding: { type: boolean, default: true },
  /** Label smoothing of the loss. */
  labelSmoothing: { type: rate, default: 0 },
  /** Id of the padding token; -1: none, padding has a zero embedding. */
  padId: { type: integer(-1), default: 0 },
  /** Id of the token that starts the decoder's input; -1: none, it starts with a zero embedding (Marian). */
  startId: { type: integer(-1), default: 1 },
  /** Id of the end token. */
  endId: { type: integer(0), default: 2 },
  /**
   * Whether self-attention of the decoder masks padding tokens that the model generated, as the target
   * padding mask of nn.Transformer does; Hugging Face's models attend to them. The first token is never
   * masked: MarianMT starts with padding.
   */
  hidePadding: { type: boolean, default: true },
  /**
   * Head, from 0, of the last cross-attention that guided alignment trains and word alignments are read from; -1:
   * none.
   */
  alignmentHead: { type: integer(-1), default: -1 },
} as const satisfies FieldTable;

type ModelActivation = Exclude<Activation, 'none'>;
