// The model families of Hugging Face, and tables of config.json fields: supported with the defaults of
// transformers, ignored, or with required values.

import type { Json } from '../../files/json-files.ts';
import type { ModelConfig, ModelOptions } from '../../model/model-config.ts';
import type { HfType } from '../shared/model-formats.ts';
import type { TokenizerClassName } from '../tokenizers/tokenizer-classes.ts';

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

/** A model family: a `model_type` of config.json. */
export interface HfFamily {
  /** Name for messages. */
  readonly title: string;
  /** The family whose field and tensor names it uses. */
  readonly like: 'bart' | 't5' | 'whisper';
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
    title: 'BART',
    like: 'bart',
    mergesRules: true,
    forcesEnd: true,
    architectures: ['BartForConditionalGeneration', 'BartModel'],
    defaults: { ...shared, ...learned, bos_token_id: 0, decoder_start_token_id: 2 },
  },
  marian: {
    title: 'MarianMT',
    like: 'bart',
    mergesRules: true,
    forcesEnd: true,
    architectures: ['MarianMTModel', 'MarianModel'],
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
  whisper: {
    title: 'Whisper',
    like: 'whisper',
    architectures: ['WhisperForConditionalGeneration', 'WhisperModel'],
    defaults: {
      vocab_size: 51865,
      num_mel_bins: 80,
      encoder_layers: 4,
      encoder_attention_heads: 6,
      decoder_layers: 4,
      decoder_attention_heads: 6,
      decoder_ffn_dim: 1536,
      encoder_ffn_dim: 1536,
      decoder_start_token_id: 50257,
      activation_function: 'gelu',
      d_model: 384,
      dropout: 0,
      attention_dropout: 0,
      activation_dropout: 0,
      max_source_positions: 1500,
      max_target_positions: 448,
      pad_token_id: 50256,
      bos_token_id: 50256,
      eos_token_id: 50256,
      tie_word_embeddings: true,
    },
  },
} as const satisfies Record<HfType, HfFamily>;

/** Supported fields without a default. */
const supported = [
  ...[
    'model_type',
    'architectures',
    'bos_token_id',
    'decoder_start_token_id',
    'unk_token_id',
    'decoder_vocab_size',
  ],
  ...[
    'forced_eos_token_id',
    'forced_bos_token_id',
    'force_bos_token_to_be_generated',
    'bad_words_ids',
    'min_length',
  ],
  ...['suppress_tokens', 'no_repeat_ngram_size', 'num_hidden_layers', 'num_attention_heads', 'hidden_size'],
  ...['grapheme_chars', 'phoneme_chars'],
];

/** Supported fields of T5 without a default. */
const t5Supported = ['num_decoder_layers', 'dense_act_fn', 'is_gated_act', 'scale_decoder_outputs'];

/** Supported fields of Whisper without a default, in config.json and generation_config.json. */
const whisperSupported = [
  ...['begin_suppress_tokens', 'forced_decoder_ids', 'is_multilingual', 'lang_to_id', 'task_to_id'],
  ...['max_initial_timestamp_index', 'no_timestamps_token_id', 'prev_sot_token_id', 'return_timestamps'],
];

/** Ignored fields of Whisper: of training, classification, word times, and thresholds that a caller chooses. */
const whisperIgnored = [
  ...['scale_embedding', 'apply_spec_augment', 'mask_time_prob', 'mask_time_length', 'mask_time_min_masks'],
  ...['mask_feature_prob', 'mask_feature_length', 'mask_feature_min_masks', 'median_filter_width'],
  ...['use_weighted_layer_sum', 'classifier_proj_size', 'alignment_heads', 'no_speech_threshold'],
  ...['compression_ratio_threshold', 'logprob_threshold', 'condition_on_prev_tokens', 'task', 'language'],
  ...['num_frames', 'prompt_condition_type', 'return_token_timestamps', 'return_segments', 'max_length'],
];

/**
 * Ignored fields: names, generation options that the caller chooses (num_beams), options of classification
 * heads and of the Python library, and layerdrop, which acts only in training (`train --init` rejects it).
 */
const ignored = [
  ...[
    'id2label',
    'label2id',
    'num_labels',
    'problem_type',
    'finetuning_task',
    'task_specific_params',
    'prefix',
  ],
  ...[
    'torch_dtype',
    'dtype',
    'transformers_version',
    'tokenizer_class',
    'name_or_path',
    'model_name',
    'language',
  ],
  ...[
    'use_cache',
    'output_attentions',
    'output_hidden_states',
    'output_past',
    'output_scores',
    'return_dict',
  ],
  ...['return_dict_in_generate', 'torchscript', 'use_bfloat16', 'tf_legacy_loss', 'gradient_checkpointing'],
  ...[
    'init_std',
    'classifier_dropout',
    'classif_dropout',
    'encoder_layerdrop',
    'decoder_layerdrop',
    'save_step',
  ],
  ...[
    'num_beams',
    'early_stopping',
    'length_penalty',
    'max_length',
    'max_new_tokens',
    'do_sample',
    'temperature',
  ],
  ...['top_k', 'top_p', 'num_return_sequences', 'sep_token_id', 'renormalize_logits', 'trust_remote_code'],
  ...[
    'attn_implementation',
    'use_safetensors',
    'max_source_length',
    'initializer_factor',
    'initializer_range',
  ],
];

const requireAll = (values: readonly unknown[], fields: readonly string[]) =>
  Object.fromEntries(fields.map((field) => [field, values]));

/**
 * Fields with their required values; any other value is an error. An empty list: the field must be absent or
 * null.
 */
export const requiredValues: Readonly<Record<string, readonly unknown[]>> = {
  ...requireAll(
    [],
    ['cross_attention_hidden_size', 'exponential_decay_length_penalty', 'quantization_config'],
  ),
  ...requireAll([true], ['is_encoder_decoder', 'attention_bias']),
  ...requireAll(
    [false],
    ['is_decoder', 'add_cross_attention', 'tie_encoder_decoder', 'remove_invalid_values'],
  ),
  ...requireAll([false], ['do_blenderbot_90_layernorm', 'add_bias_logits']),
  ...requireAll(
    [0],
    ['chunk_size_feed_forward', 'encoder_no_repeat_ngram_size', 'diversity_penalty', 'penalty_alpha'],
  ),
  ...requireAll([0], ['epsilon_cutoff', 'eta_cutoff', 'min_new_tokens']),
  ...requireAll([1], ['repetition_penalty', 'encoder_repetition_penalty', 'num_beam_groups', 'typical_p']),
  guidance_scale: [1],
  pruned_heads: [{}, []],
  begin_suppress_tokens: [[]],
  forced_decoder_ids: [[]],
  layer_norm_eps: [1e-5],
};

/** `requiredValues` of a family: Whisper supports further fields. */
export const requiredValuesOf = ({ like }: HfFamily): typeof requiredValues =>
  like === 'whisper'
    ? Object.fromEntries(
        Object.entries(requiredValues).filter(([field]) => !whisperSupported.includes(field)),
      )
    : requiredValues;

/** Required values of further fields in families like BART. */
export const bartValues: typeof requiredValues = { layer_norm_epsilon: [1e-5], is_gated_act: [false] };

/**
 * Activation functions by their names in transformers; of several names the first one is written. `gelu` is
 * exact (erf).
 */
export const activations: ReadonlyMap<string, ModelConfig['activation']> = new Map([
  ['relu', 'relu'],
  ['gelu', 'gelu'],
  ['gelu_python', 'gelu'],
  ['gelu_new', 'gelu-tanh'],
  ['gelu_pytorch_tanh', 'gelu-tanh'],
  ['gelu_fast', 'gelu-tanh'],
  ['silu', 'silu'],
  ['swish', 'silu'],
]);

/** The name of an activation in transformers; undefined if transformers does not have it. */
export const activationName = (kind: ModelConfig['activation']): string | undefined =>
  [...activations].find(([, own]) => own === kind)?.[0];

/** Whether a field is absent or null. */
export const isNothing = (value: unknown): value is null | undefined => value === null || value === undefined;

/** Sizes of a model: their names in config.json by field of ModelConfig. */
export const sizeNames = {
  bart: {
    dModel: 'd_model',
    heads: 'encoder_attention_heads',
    decoderHeads: 'decoder_attention_heads',
    encoderLayers: 'encoder_layers',
    decoderLayers: 'decoder_layers',
    maxLength: 'max_position_embeddings',
    feedForward: 'encoder_ffn_dim',
    decoderFeedForward: 'decoder_ffn_dim',
  },
  t5: {
    dModel: 'd_model',
    heads: 'num_heads',
    headWidth: 'd_kv',
    feedForward: 'd_ff',
    encoderLayers: 'num_layers',
    decoderLayers: 'num_decoder_layers',
    maxLength: 'n_positions',
    relativeBuckets: 'relative_attention_num_buckets',
    relativeMaxDistance: 'relative_attention_max_distance',
  },
  whisper: {
    dModel: 'd_model',
    heads: 'encoder_attention_heads',
    decoderHeads: 'decoder_attention_heads',
    encoderLayers: 'encoder_layers',
    decoderLayers: 'decoder_layers',
    maxLength: 'max_target_positions',
    maxSource: 'max_source_positions',
    frameWidth: 'num_mel_bins',
    feedForward: 'encoder_ffn_dim',
    decoderFeedForward: 'decoder_ffn_dim',
  },
} as const;

/** The sizes of a model as fields of config.json. */
export const sizesJson = (c: ModelConfig, like: HfFamily['like']): Json =>
  Object.fromEntries(
    Object.entries(sizeNames[like]).map(([field, name]) => [name, c[field as keyof ModelConfig]]),
  );

const idNames = { padId: 'pad_token_id', endId: 'eos_token_id', startId: 'decoder_start_token_id' };

/** For error messages: the fields of config.json by the fields of ModelConfig. */
export const namesInJson: Readonly<Record<HfFamily['like'], Readonly<Record<string, string>>>> = {
  bart: {
    ...sizeNames.bart,
    ...idNames,
    srcVocab: 'vocab_size',
    tgtVocab: 'vocab_size',
    dropout: 'dropout',
    headWidth: 'd_model / encoder_attention_heads',
    decoderHeadWidth: 'd_model / decoder_attention_heads',
    'dropout.attention': 'attention_dropout',
    'dropout.feedForward': 'activation_dropout',
    positionOffset: 'extra_pos_embeddings',
  },
  t5: {
    ...sizeNames.t5,
    ...idNames,
    srcVocab: 'vocab_size',
    tgtVocab: 'vocab_size',
    dropout: 'dropout_rate',
    layerNormEps: 'layer_norm_epsilon',
  },
  whisper: {
    ...sizeNames.whisper,
    ...idNames,
    srcVocab: 'vocab_size',
    tgtVocab: 'vocab_size',
    dropout: 'dropout',
    headWidth: 'd_model / encoder_attention_heads',
    decoderHeadWidth: 'd_model / decoder_attention_heads',
    'dropout.attention': 'attention_dropout',
    'dropout.feedForward': 'activation_dropout',
  },
};

/** Whether a field is in one of the tables above. */
export const isKnownField = (field: string, type: HfType): boolean =>
  field.startsWith('_') ||
  Object.hasOwn(hfFamilies[type].defaults, field) ||
  Object.hasOwn(requiredValues, field) ||
  supported.includes(field) ||
  ignored.includes(field) ||
  (hfFamilies[type].like === 't5' && t5Supported.includes(field)) ||
  (hfFamilies[type].like === 'whisper' && [...whisperSupported, ...whisperIgnored].includes(field)) ||
  (hfFamilies[type].like === 'bart' && Object.hasOwn(bartValues, field));

/** Throws a HeddleError that names a field and its value. */
export type Reject = (field: string, reason: string) => never;

/**
 * Reads the fields of a config.json, with the defaults of its family. Each read throws a HeddleError for an
 * invalid value.
 */
export interface HfFields {
  readonly raw: Json;
  readonly family: HfFamily;
  /** Returns whether the weights have a tensor. */
  has(name: string): boolean;
  /** The value of a field, or its default. */
  get(field: string): unknown;
  number(field: string): number;
  /** A whole number of at least 0. */
  whole(field: string): number;
  /** The whole numbers of several fields, as in `sizeNames`. */
  sizes<F extends string>(names: Readonly<Record<F, string>>): Record<F, number>;
  /** true or false. An absent field is true if its default is, or if the weights have the tensor `tensor`. */
  flag(field: string, tensor?: string): boolean;
  readonly reject: Reject;
}

/** Rejects numbers of heads that do not divide d_model. */
export function checkHeads(
  { dModel, heads, decoderHeads }: Readonly<Record<'dModel' | 'heads' | 'decoderHeads', number>>,
  reject: Reject,
): void {
  for (const [field, count] of Object.entries({
    encoder_attention_heads: heads,
    decoder_attention_heads: decoderHeads,
  }))
    if (count === 0 || dModel % count !== 0)
      reject(field, `not a divisor of d_model ${JSON.stringify(dModel)}`);
}
