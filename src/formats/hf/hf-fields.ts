// The fields of config.json that are known: those that are honoured, with transformers' own defaults, those that change nothing here,
// and those that must have certain values.

import type { Json } from '../../core/records.ts';
import type { ModelConfig } from '../../model/model-config.ts';

/** The kinds of models that are read and written. */
export const hfTypes = ['bart', 'marian'] as const;
/** `model_type` of config.json. */
export type HfType = (typeof hfTypes)[number];

/** Values where the field is left out, those of BartConfig and MarianConfig. */
const shared = {
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
/** By type. */
export const defaults: Readonly<Record<HfType, Json>> = {
  bart: {
    ...shared,
    vocab_size: 50265,
    pad_token_id: 1,
    bos_token_id: 0,
    eos_token_id: 2,
    decoder_start_token_id: 2,
    normalize_embedding: true,
    static_position_embeddings: false,
    extra_pos_embeddings: 2,
  },
  marian: {
    ...shared,
    vocab_size: 58101,
    pad_token_id: 58100,
    eos_token_id: 0,
    decoder_start_token_id: 58100,
    normalize_embedding: false,
    static_position_embeddings: true,
    extra_pos_embeddings: 2,
  },
};

/** Fields that are honoured here, beside those with a default. */
const honoured = [
  'model_type',
  'architectures',
  'bos_token_id',
  'unk_token_id',
  'decoder_vocab_size',
  'forced_eos_token_id',
  'forced_bos_token_id',
  'force_bos_token_to_be_generated',
  'bad_words_ids',
  'suppress_tokens',
  'min_length',
  'no_repeat_ngram_size',
  'num_hidden_layers',
  'num_attention_heads',
  'hidden_size',
  'grapheme_chars',
  'phoneme_chars',
];

/**
 * Fields that change nothing of what is computed here: names, settings of searches that a caller chooses anew (`--beam`), of other
 * heads and of Python's side, and what acts in training alone there (layerdrop, which `train --init` refuses).
 */
const harmless = [
  ...['id2label', 'label2id', 'num_labels', 'problem_type', 'finetuning_task', 'task_specific_params', 'prefix'],
  ...['torch_dtype', 'dtype', 'transformers_version', 'tokenizer_class', 'name_or_path', 'model_name', 'language'],
  ...['use_cache', 'output_attentions', 'output_hidden_states', 'output_past', 'output_scores', 'return_dict'],
  ...['return_dict_in_generate', 'torchscript', 'use_bfloat16', 'tf_legacy_loss', 'gradient_checkpointing'],
  ...['init_std', 'classifier_dropout', 'classif_dropout', 'encoder_layerdrop', 'decoder_layerdrop', 'save_step'],
  ...['num_beams', 'early_stopping', 'length_penalty', 'max_length', 'max_new_tokens', 'do_sample', 'temperature'],
  ...['top_k', 'top_p', 'num_return_sequences', 'sep_token_id', 'renormalize_logits', 'trust_remote_code'],
  ...['attn_implementation', 'use_safetensors', 'max_source_length'],
];

/** Fields with the values that change nothing; any other is refused. */
export const requiredValues: Readonly<Record<string, readonly unknown[]>> = {
  is_encoder_decoder: [true],
  is_decoder: [false],
  add_cross_attention: [false],
  cross_attention_hidden_size: [],
  tie_encoder_decoder: [false],
  pruned_heads: [{}, []],
  chunk_size_feed_forward: [0],
  repetition_penalty: [1],
  encoder_repetition_penalty: [1],
  encoder_no_repeat_ngram_size: [0],
  diversity_penalty: [0],
  num_beam_groups: [1],
  typical_p: [1],
  epsilon_cutoff: [0],
  eta_cutoff: [0],
  penalty_alpha: [0],
  min_new_tokens: [0],
  begin_suppress_tokens: [[]],
  forced_decoder_ids: [[]],
  exponential_decay_length_penalty: [],
  remove_invalid_values: [false],
  guidance_scale: [1],
  quantization_config: [],
  layer_norm_eps: [1e-5],
  layer_norm_epsilon: [1e-5],
  do_blenderbot_90_layernorm: [false],
  add_bias_logits: [false],
  is_gated_act: [false],
  attention_bias: [true],
};

/** Functions by transformers' names. `gelu` is the exact one, by the normal distribution's integral. */
export const activations: Readonly<Record<string, ModelConfig['activation']>> = {
  relu: 'relu',
  gelu: 'gelu',
  gelu_python: 'gelu',
  silu: 'silu',
  swish: 'silu',
};

/** Classes of transformers, by type. */
export const architectures: Readonly<Record<HfType, readonly string[]>> = {
  bart: ['BartForConditionalGeneration', 'BartModel'],
  marian: ['MarianMTModel', 'MarianModel'],
};

/** Whether a field is one of all these. */
export const isKnownField = (field: string, type: HfType): boolean =>
  field.startsWith('_') ||
  Object.hasOwn(defaults[type], field) ||
  Object.hasOwn(requiredValues, field) ||
  honoured.includes(field) ||
  harmless.includes(field);
