// The model families of Hugging Face, by the model_type of config.json, with the defaults of transformers.

import type { Json } from '../../files/json-files.ts';
import type { ModelConfig, ModelOptions } from '../../model/model-config.ts';
import type { SourceFacts } from '../../model/source-kind.ts';
import { type HfType, hfTypes } from '../shared/hf-types.ts';
import type { FieldRequirement } from '../shared/requirements.ts';
import type { TokenizerClassName } from '../tokenizers/tokenizer-classes.ts';
import type { HfFields } from './hf-fields.ts';

/** Defaults that the families like BART share; each family may have others. */
const shared = {
  vocab_size: 50265,
  pad_token_id: 1,
  eos_token_id: 2,
  normalize_embedding: false,
  static_position_embeddings: true,
  extra_pos_embeddings: 2,
  max_position_embeddings: 1024,
  d_model: 1024,
  encoder_layers: 12,
  decoder_layers: 12,
  encoder_ffn_dim: 4096,
  decoder_ffn_dim: 4096,
  encoder_attention_heads: 16,
  decoder_attention_heads: 16,
  activation_function: 'gelu',
  dropout: 0.1,
  attention_dropout: 0,
  activation_dropout: 0,
  scale_embedding: false,
  tie_word_embeddings: true,
  normalize_before: false,
  add_final_layer_norm: false,
  share_encoder_decoder_embeddings: true,
};

/** Layer norms before sublayers and after the last layer, as in mBART, M2M100 and Pegasus. */
const preNorm = { normalize_before: true, add_final_layer_norm: true };

/** Defaults that T5Config and MT5Config share. */
const t5Shared = {
  d_model: 512,
  d_kv: 64,
  relative_attention_num_buckets: 32,
  relative_attention_max_distance: 128,
  dropout_rate: 0.1,
  layer_norm_epsilon: 1e-6,
  n_positions: 512, // relative positions have no limit; this is heddle's default
  pad_token_id: 0,
  eos_token_id: 1,
  decoder_start_token_id: 0,
};

/** Learned positions and a norm on the embeddings, as in BART and mBART. */
const learned = { normalize_embedding: true, static_position_embeddings: false };

/** A family of a guest: how it reads and writes what families like BART do not have. */
export interface OwnFamily {
  /** Names in config.json of the fields of a configuration, for errors. */
  readonly names: Readonly<Record<string, string>>;
  /** Supported fields of config.json and generation_config.json without a default, also if other families need a value. */
  readonly supported: readonly string[];
  /** Ignored fields of both. */
  readonly ignored: readonly string[];
  /** Files of a folder beside weights, configuration and tokenizer. */
  readonly files: readonly string[];
  /** Name of the output projection if it is tied to the embedding of the target. */
  readonly head: string;
  /** The model options in config.json. */
  readFields(fields: HfFields): ModelOptions;
  /** What the files say for the kind of source. Throws a HeddleError that names the file and the field. */
  readFacts(
    raw: Json,
    generation: Json | undefined,
    files: Readonly<Record<string, Uint8Array>>,
    c: ModelConfig,
    folder: string,
  ): SourceFacts;
  /** Requirements of the export. */
  requirements(c: ModelConfig): FieldRequirement[];
  /** The fields of the family in config.json. */
  json(c: ModelConfig): Json;
}

/** A model family: a `model_type` of config.json. */
export interface HfFamily {
  /** `model_type` of config.json. */
  readonly type: string;
  /** Name for messages. */
  readonly title: string;
  /** The family whose field and tensor names it uses. */
  readonly like: 'bart' | 't5';
  /** What the family of a guest has of its own, in place of the fields of BART. */
  readonly own?: OwnFamily;
  /** Values of missing fields: the defaults of the configuration class in transformers. */
  readonly defaults: Json;
  /** Supported values of `architectures`. */
  readonly architectures: readonly string[];
  /** Whether source and target may have separate embeddings. */
  readonly separateEmbeddings?: boolean;
  /** The tokenizer class, if the folder does not name one. */
  readonly tokenizer?: TokenizerClassName;
  /** Model options that no field of config.json states. */
  readonly model?: Partial<ModelOptions>;
  /** Fields of old files that must have the values in `defaults`. */
  readonly fixed?: readonly string[];
  /**
   * Whether generation_config.json overrides single decoding rules of config.json; otherwise it replaces all
   * of them.
   */
  readonly mergesRules?: boolean;
  /** Whether transformers 4 forces the end token at the maximum length by default. */
  readonly forcesEnd?: boolean;
}

/** The supported families by `model_type`. */
export const hfFamilies = {
  bart: {
    type: 'bart',
    title: 'BART',
    like: 'bart',
    mergesRules: true,
    forcesEnd: true,
    model: { trainPadding: false, trainOutputBias: false },
    architectures: ['BartForConditionalGeneration', 'BartModel'],
    defaults: { ...shared, ...learned, bos_token_id: 0, decoder_start_token_id: 2 },
  },
  marian: {
    type: 'marian',
    title: 'MarianMT',
    like: 'bart',
    mergesRules: true,
    forcesEnd: true,
    architectures: ['MarianMTModel', 'MarianModel'],
    model: { trainPadding: false, trainOutputBias: false },
    separateEmbeddings: true,
    defaults: {
      ...shared,
      vocab_size: 58101,
      pad_token_id: 58100,
      eos_token_id: 0,
      decoder_start_token_id: 58100,
    },
  },
  mbart: {
    type: 'mbart',
    title: 'mBART',
    like: 'bart',
    forcesEnd: true,
    architectures: ['MBartForConditionalGeneration', 'MBartModel'],
    tokenizer: 'MBart50Tokenizer',
    model: { trainPadding: false, trainOutputBias: false },
    fixed: [...Object.keys(preNorm), ...Object.keys(learned), 'extra_pos_embeddings'],
    defaults: { ...shared, ...preNorm, ...learned, bos_token_id: 0 },
  },
  m2m_100: {
    type: 'm2m_100',
    title: 'M2M100 and NLLB',
    like: 'bart',
    architectures: ['M2M100ForConditionalGeneration', 'M2M100Model'],
    tokenizer: 'M2M100Tokenizer',
    model: { trainPadding: false, positions: 'fairseq-sinusoidal', outputBias: false },
    fixed: [...Object.keys(preNorm), ...Object.keys(learned)],
    defaults: {
      ...shared,
      ...preNorm,
      vocab_size: 128112,
      activation_function: 'relu',
      attention_dropout: 0.1,
      scale_embedding: true,
      bos_token_id: 0,
      decoder_start_token_id: 2,
    },
  },
  pegasus: {
    type: 'pegasus',
    title: 'Pegasus',
    like: 'bart',
    forcesEnd: true,
    architectures: ['PegasusForConditionalGeneration', 'PegasusModel'],
    tokenizer: 'PegasusTokenizer',
    model: { trainPadding: false, trainOutputBias: false },
    fixed: [...Object.keys(preNorm), ...Object.keys(learned)],
    defaults: {
      ...shared,
      ...preNorm,
      pad_token_id: 0,
      eos_token_id: 1,
      decoder_start_token_id: 0,
      extra_pos_embeddings: 1,
    },
  },
  t5: {
    type: 't5',
    title: 'T5',
    like: 't5',
    architectures: ['T5ForConditionalGeneration', 'T5WithLMHeadModel', 'T5Model'],
    tokenizer: 'T5Tokenizer',
    defaults: {
      ...t5Shared,
      vocab_size: 32128,
      d_ff: 2048,
      num_layers: 6,
      num_heads: 8,
      feed_forward_proj: 'relu',
      tie_word_embeddings: true,
    },
  },
  mt5: {
    type: 'mt5',
    title: 'mT5',
    like: 't5',
    architectures: ['MT5ForConditionalGeneration', 'MT5Model'],
    tokenizer: 'T5Tokenizer',
    defaults: {
      ...t5Shared,
      vocab_size: 250112,
      d_ff: 1024,
      num_layers: 8,
      num_heads: 6,
      feed_forward_proj: 'gated-gelu',
      tie_word_embeddings: false,
    },
  },
} as const satisfies Record<HfType, HfFamily>;

/** The family of a `model_type`; undefined if heddle has none. */
export const familyOf = (type: unknown): HfFamily | undefined =>
  hfTypes.includes(type as HfType) ? hfFamilies[type as HfType] : undefined;
