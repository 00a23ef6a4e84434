// The types of a model configuration. Generated from src/model/model-fields.ts by `npx vitest run -u
// tests/model/model-config.test.ts`: change the table, not this file.

/** Dropout rates of a model. Dropout is applied only in training. */
export interface DropoutRates {
  /** On the sum of token embeddings and positions. A number of at least 0 and below 1. Default: 0. */
  readonly embedding: number;
  /** On the attention weights. A number of at least 0 and below 1. Default: 0. */
  readonly attention: number;
  /**
   * Between the two linear layers of the feed-forward network. A number of at least 0 and below 1. Default:
   * 0.
   */
  readonly feedForward: number;
  /**
   * On the output of each sublayer, before it is added to the residual. A number of at least 0 and below 1.
   * Default: 0.
   */
  readonly residual: number;
  /**
   * On the encoder's output, after its final norm (as in T5). A number of at least 0 and below 1. Default: 0.
   */
  readonly memory: number;
  /**
   * Before the output projection (as in Keras's example and in T5). A number of at least 0 and below 1.
   * Default: 0.
   */
  readonly output: number;
}

/** Configuration of a model: everything that determines what it computes. */
export interface ModelConfig {
  /**
   * What the encoder reads: `tokens`: token ids; `frames`: vectors, such as the spectrum of speech (Whisper).
   * Default: tokens.
   */
  readonly source: 'tokens' | 'frames';
  /**
   * Numbers in a frame; required if the source is frames. A whole number from 0 to 65536. Default: 0, for
   * tokens.
   */
  readonly frameWidth: number;
  /**
   * Layers between frames and encoder: `none`: frames have the hidden size; `linear`: a linear layer (patches
   * of an image); `conv`: two convolutions of width 3 with GELU, the second with stride 2 (Whisper). Default:
   * none.
   */
  readonly stem: 'none' | 'linear' | 'conv';
  /** Size of the source vocabulary; training sets it. A whole number of at least 4. */
  readonly srcVocab: number;
  /** Size of the target vocabulary; training sets it. A whole number of at least 4. */
  readonly tgtVocab: number;
  /** Hidden size. A whole number of at least 1. Default: 128. */
  readonly dModel: number;
  /** Number of attention heads of a layer. A whole number of at least 1. Default: 4. */
  readonly heads: number;
  /** Width of one head. A whole number from 1 to 896. Default: dModel / heads. */
  readonly headWidth: number;
  /**
   * Heads of a decoder layer, cross-attention included. A whole number of at least 1. Default: those of the
   * encoder.
   */
  readonly decoderHeads: number;
  /**
   * Width of a head of the decoder. A whole number from 1 to 896. Default: headWidth, or dModel /
   * decoderHeads if the numbers of heads differ.
   */
  readonly decoderHeadWidth: number;
  /** Number of encoder layers. A whole number from 1 to 1000. Default: 2. */
  readonly encoderLayers: number;
  /** Number of decoder layers. A whole number from 1 to 1000. Default: 2. */
  readonly decoderLayers: number;
  /** Width of the feed-forward blocks. A whole number of at least 1. Default: 512. */
  readonly feedForward: number;
  /** Feed-forward width of the decoder. A whole number of at least 1. Default: that of the encoder. */
  readonly decoderFeedForward: number;
  /**
   * Number of linear layers of a feed-forward block, with the activation between them. A whole number from 1
   * to 100. Default: 2.
   */
  readonly feedForwardDepth: number;
  /**
   * Linear layers of a feed-forward block of the decoder. A whole number from 1 to 100. Default: those of the
   * encoder.
   */
  readonly decoderFeedForwardDepth: number;
  /**
   * How a decoder layer reads the tokens before: `attention`, or `ssru`, a recurrence with one state per row
   * in place of a KV cache (Kim et al., 2019; Marian, Firefox). Default: attention.
   */
  readonly decoderSelfAttention: 'attention' | 'ssru';
  /**
   * For each decoder layer the number, from 1, of the layer whose weights it has; empty: its own. Default:
   * empty.
   */
  readonly decoderTiedLayers: readonly number[];
  /** Dropout rates by place; one number sets embedding, attention, feedForward and residual. Default: 0. */
  readonly dropout: DropoutRates;
  /**
   * Norm after or before each sub-layer: `post`: LN(x + f(x)), as in the paper; `pre`: x + f(LN(x)). Default:
   * post.
   */
  readonly norm: 'post' | 'pre';
  /**
   * What surrounds each sub-layer, as letters of Marian's options transformer-preprocess and -postprocess: d
   * dropout, n norm, a add the input. `:dan` is norm=post, `n:da` norm=pre; empty: that of `norm`. Default:
   * empty.
   */
  readonly sublayerSteps: string;
  /**
   * Whether pre-norm self-attention normalizes only queries, not keys and values (Marian before 1.10.28).
   * Default: false.
   */
  readonly normQueriesOnly: boolean;
  /** `layer`: layer norm; `rms`: RMSNorm, without a mean and a bias (T5). Default: layer. */
  readonly normType: 'layer' | 'rms';
  /** A norm after the last encoder layer and the last decoder layer. Default: true. */
  readonly finalNorm: boolean;
  /** A norm on the embeddings of encoder and decoder (as in BART). Default: false. */
  readonly embeddingNorm: boolean;
  /**
   * Activation of the feed-forward blocks; `gelu` is exact (erf), `gelu-tanh` its tanh approximation
   * (gelu_new in transformers), `quick-gelu` x·sigmoid(1.702x) (Marian). Default: relu.
   */
  readonly activation: 'relu' | 'gelu' | 'silu' | 'gelu-tanh' | 'quick-gelu';
  /**
   * `plain`: W2·f(W1·x); `gated`: W2·(f(W1·x) ⊙ V1·x), where linear1 holds W1 and then V1 (Shazeer, 2020,
   * GLU). Default: plain.
   */
  readonly feedForwardType: 'plain' | 'gated';
  /** Whether linear layers of attention and feed-forward have biases. Default: true. */
  readonly biases: boolean;
  /** Whether the projections of keys have biases, if `biases` is true (Whisper: false). Default: true. */
  readonly keyBias: boolean;
  /** Whether attention scores are divided by sqrt(headWidth). Default: true. */
  readonly attentionScale: boolean;
  /**
   * Positions: `sinusoidal`: sine and cosine alternate; `sinusoidal-halves`: sines first, then cosines
   * (MarianMT, Pegasus); `marian-sinusoidal`: the same with Marian's own wavelengths; `fairseq-sinusoidal`:
   * the sinusoids of M2M100, counted over tokens that are not padding; `learned`: embeddings; `relative`: a
   * bias of the self-attention scores for each distance and head (T5); `none`. Default: sinusoidal.
   */
  readonly positions:
    | 'sinusoidal'
    | 'sinusoidal-halves'
    | 'marian-sinusoidal'
    | 'fairseq-sinusoidal'
    | 'learned'
    | 'relative'
    | 'none';
  /** Number of distance buckets of relative positions. A whole number from 4 to 128. Default: 32. */
  readonly relativeBuckets: number;
  /**
   * Distance from which all share the last bucket of relative positions. A whole number from 1 to 65535.
   * Default: 128.
   */
  readonly relativeMaxDistance: number;
  /**
   * Maximum length of source and target, in tokens. A whole number from 1 to 1048576 (tokens). Default: 64.
   */
  readonly maxLength: number;
  /**
   * Maximum number of positions of the encoder if the source is frames, after the stem. A whole number from 1
   * to 1048576 (positions). Default: maxLength, as for tokens.
   */
  readonly maxSource: number;
  /**
   * Rows of the learned position embeddings before position 0 (BART: 2). A whole number from 0 to 1048576.
   * Default: 0.
   */
  readonly positionOffset: number;
  /**
   * Tied weights; `target`: output projection and target embedding; `all`: source embedding too;
   * `embeddings`: both embeddings, with an output projection of its own (T5 v1.1). Default: none.
   */
  readonly tie: 'none' | 'target' | 'all' | 'embeddings';
  /** Whether token embeddings are multiplied by sqrt(dModel). Default: true. */
  readonly scaleEmbedding: boolean;
  /** Whether the input of the output projection is divided by sqrt(dModel) (T5 v1.0). Default: false. */
  readonly scaleOutput: boolean;
  /** Constant added to the variance in norms. A number above 0 and below 1. Default: 0.00001. */
  readonly layerNormEps: number;
  /** Whether the output projection has a bias. Default: true. */
  readonly outputBias: boolean;
  /** Whether training changes the output bias. Default: true. */
  readonly trainOutputBias: boolean;
  /**
   * Whether training changes learned positions; never those of the encoder behind a `conv` stem (Whisper).
   * Default: true.
   */
  readonly trainPositions: boolean;
  /**
   * Whether look-ups train the embedding of padding; false as with torch.nn.Embedding's padding_idx. Default:
   * true.
   */
  readonly trainPadding: boolean;
  /** Label smoothing of the loss. A number of at least 0 and below 1. Default: 0. */
  readonly labelSmoothing: number;
  /**
   * Id of the padding token; -1: none, padding has a zero embedding. A whole number of at least -1. Default:
   * 0.
   */
  readonly padId: number;
  /**
   * Id of the token that starts the decoder's input; -1: none, it starts with a zero embedding (Marian). A
   * whole number of at least -1. Default: 1.
   */
  readonly startId: number;
  /** Id of the end token. A whole number of at least 0. Default: 2. */
  readonly endId: number;
  /**
   * Whether self-attention of the decoder masks padding tokens that the model generated, as the target
   * padding mask of nn.Transformer does; Hugging Face's models attend to them. The first token is never
   * masked: MarianMT starts with padding. Default: true.
   */
  readonly hidePadding: boolean;
  /**
   * Head, from 0, of the last cross-attention that guided alignment trains and word alignments are read from;
   * -1: none. A whole number of at least -1. Default: -1.
   */
  readonly alignmentHead: number;
}
