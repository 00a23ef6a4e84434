// The table of the fields of a model configuration. From it come the checks, `--set` of the command line, the
// interface in model-config-types.ts and the documentation in docs/settings.md.

import { HeddleError } from '../core/errors.ts';
import {
  boolean,
  choice,
  custom,
  type FieldTable,
  fraction,
  integer,
  parseField,
  rate,
} from '../core/fields.ts';
import { type Activation, activationKinds } from '../engine/ops/elementwise/elementwise-ops.ts';
import type { DropoutRates } from './model-config-types.ts';

/** The places of dropout; each has a rate. Dropout is applied only in training. */
export const dropoutPlaces = {
  embedding: { type: rate, help: 'on the sum of token embeddings and positions', default: 0 },
  attention: { type: rate, help: 'on the attention weights', default: 0 },
  feedForward: {
    type: rate,
    help: 'between the two linear layers of the feed-forward network',
    default: 0,
  },
  residual: {
    type: rate,
    help: 'on the output of each sublayer, before it is added to the residual',
    default: 0,
  },
  memory: { type: rate, help: "on the encoder's output, after its final norm (as in T5)", default: 0 },
  output: {
    type: rate,
    help: "before the output projection (as in Keras's example and in T5)",
    default: 0,
  },
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
  parse: parseDropout,
});

/** Reads a rate for all places, `0.1`, or rates of places, `attention=0.2,output=0.1`; or both combined. */
function parseDropout(
  text: string,
  before: number | Partial<DropoutRates> | undefined,
): number | Partial<DropoutRates> {
  let rates = before ?? {};
  for (const part of text.split(',')) {
    const [name = '', value] = part.split('=', 2).map((x) => x.trim());
    if (value === undefined) {
      rates = parseField(rate, name) as number;
      continue;
    }
    if (!Object.hasOwn(dropoutPlaces, name))
      throw new HeddleError(
        `It must be a rate, or rates of ${Object.keys(dropoutPlaces).join(', ')}, for example attention=0.2.`,
      );
    const all = typeof rates === 'number' ? usualDropout(rates) : rates;
    rates = { ...all, [name]: parseField(rate, value) };
  }
  return rates;
}

/** Bounds far above any model that runs here: a corrupt file is rejected before memory is allocated. */
const most = { headWidth: 896, layers: 1000, buckets: 128, distance: 65535 };

/** Maximum number of positions of a model. */
export const maxPositions = 2 ** 20;

/** The fields. Training sets the sizes of the vocabularies. */
export const modelFields = {
  srcVocab: { type: integer(4), help: 'size of the source vocabulary; training sets it' },
  tgtVocab: { type: integer(4), help: 'size of the target vocabulary; training sets it' },
  dModel: { type: integer(1), help: 'hidden size', default: 128 },
  heads: { type: integer(1), help: 'number of attention heads of a layer', default: 4 },
  headWidth: {
    type: integer(1, 'n', most.headWidth),
    help: 'width of one head',
    defaultText: 'dModel / heads',
  },
  decoderHeads: {
    type: integer(1),
    help: 'heads of a decoder layer, cross-attention included',
    defaultText: 'those of the encoder',
  },
  decoderHeadWidth: {
    type: integer(1, 'n', most.headWidth),
    help: 'width of a head of the decoder',
    defaultText: 'headWidth, or dModel / decoderHeads if the numbers of heads differ',
  },
  encoderLayers: { type: integer(1, 'n', most.layers), help: 'number of encoder layers', default: 2 },
  decoderLayers: { type: integer(1, 'n', most.layers), help: 'number of decoder layers', default: 2 },
  feedForward: { type: integer(1), help: 'width of the feed-forward blocks', default: 512 },
  decoderFeedForward: {
    type: integer(1),
    help: 'feed-forward width of the decoder',
    defaultText: 'that of the encoder',
  },
  dropout: {
    type: dropoutType,
    help: 'dropout rates by place; one number sets embedding, attention, feedForward and residual',
    defaultText: '0',
  },
  norm: {
    type: choice(['post', 'pre']),
    help: 'norm after or before each sub-layer: `post`: LN(x + f(x)), as in the paper; `pre`: x + f(LN(x))',
    default: 'post',
  },
  normType: {
    type: choice(['layer', 'rms']),
    help: '`layer`: layer norm; `rms`: RMSNorm, without a mean and a bias (T5)',
    default: 'layer',
  },
  finalNorm: {
    type: boolean,
    help: 'a norm after the last encoder layer and the last decoder layer',
    default: true,
  },
  embeddingNorm: {
    type: boolean,
    help: 'a norm on the embeddings of encoder and decoder (as in BART)',
    default: false,
  },
  activation: {
    type: choice(
      (Object.keys(activationKinds) as Activation[]).filter(
        (name): name is ModelActivation => name !== 'none',
      ),
    ),
    help: 'activation of the feed-forward blocks; `gelu` is exact (erf), `gelu-tanh` its tanh approximation (gelu_new in transformers)',
    default: 'relu',
  },
  feedForwardType: {
    type: choice(['plain', 'gated']),
    help: '`plain`: W2·f(W1·x); `gated`: W2·(f(W1·x) ⊙ V1·x), where linear1 holds W1 and then V1 (Shazeer, 2020, GLU)',
    default: 'plain',
  },
  biases: {
    type: boolean,
    help: 'whether linear layers of attention and feed-forward have biases',
    default: true,
  },
  attentionScale: {
    type: boolean,
    help: 'whether attention scores are divided by sqrt(headWidth)',
    default: true,
  },
  positions: {
    type: choice(['sinusoidal', 'sinusoidal-halves', 'fairseq-sinusoidal', 'learned', 'relative', 'none']),
    help:
      'positions: `sinusoidal`: sine and cosine alternate; `sinusoidal-halves`: sines first, then cosines ' +
      '(Marian, Pegasus); `fairseq-sinusoidal`: the sinusoids of M2M100, counted over tokens that are not ' +
      'padding; `learned`: embeddings; `relative`: a bias of the self-attention scores for each distance and ' +
      'head (T5); `none`',
    default: 'sinusoidal',
  },
  relativeBuckets: {
    type: integer(4, 'n', most.buckets),
    help: 'number of distance buckets of relative positions',
    default: 32,
  },
  relativeMaxDistance: {
    type: integer(1, 'n', most.distance),
    help: 'distance from which all share the last bucket of relative positions',
    default: 128,
  },
  maxLength: {
    type: integer(1, 'tokens', maxPositions),
    help: 'maximum length of source and target, in tokens',
    default: 64,
  },
  positionOffset: {
    type: integer(0, 'n', maxPositions),
    help: 'rows of the learned position embeddings before position 0 (BART: 2)',
    default: 0,
  },
  tie: {
    type: choice(['none', 'target', 'all', 'embeddings']),
    help:
      'tied weights; `target`: output projection and target embedding; `all`: source embedding too; ' +
      '`embeddings`: both embeddings, with an output projection of its own (T5 v1.1)',
    default: 'none',
  },
  scaleEmbedding: {
    type: boolean,
    help: 'whether token embeddings are multiplied by sqrt(dModel)',
    default: true,
  },
  scaleOutput: {
    type: boolean,
    help: 'whether the input of the output projection is divided by sqrt(dModel) (T5 v1.0)',
    default: false,
  },
  layerNormEps: { type: fraction, help: 'constant added to the variance in norms', default: 1e-5 },
  outputBias: { type: boolean, help: 'whether the output projection has a bias', default: true },
  trainOutputBias: { type: boolean, help: 'whether training changes the output bias', default: true },
  trainPositions: { type: boolean, help: 'whether training changes learned positions', default: true },
  trainPadding: {
    type: boolean,
    help: "whether look-ups train the embedding of padding; false as with torch.nn.Embedding's padding_idx",
    default: true,
  },
  labelSmoothing: { type: rate, help: 'label smoothing of the loss', default: 0 },
  padId: { type: integer(0), help: 'id of the padding token', default: 0 },
  startId: { type: integer(0), help: "id of the token that starts the decoder's input", default: 1 },
  endId: { type: integer(0), help: 'id of the end token', default: 2 },
  hidePadding: {
    type: boolean,
    help:
      'whether self-attention of the decoder masks padding tokens that the model generated, as the target ' +
      "padding mask of nn.Transformer does; Hugging Face's models attend to them. The first token is never " +
      'masked: MarianMT starts with padding',
    default: true,
  },
} as const satisfies FieldTable;

type ModelActivation = Exclude<Activation, 'none'>;
