// The fields of config.json that are supported without a default, ignored, or must have a value.

import type { HfFamily } from './hf-families.ts';

/** Supported fields without a default. */
const supported = [
  'model_type',
  'architectures',
  'bos_token_id',
  'decoder_start_token_id',
  'unk_token_id',
  'decoder_vocab_size',
  'forced_eos_token_id',
  'forced_bos_token_id',
  'force_bos_token_to_be_generated',
  'bad_words_ids',
  'min_length',
  'min_new_tokens',
  'suppress_tokens',
  'begin_suppress_tokens',
  'repetition_penalty',
  'no_repeat_ngram_size',
  'num_hidden_layers',
  'num_attention_heads',
  'hidden_size',
  'grapheme_chars',
  'phoneme_chars',
];

/** Supported fields of T5 without a default. */
const t5Supported = ['num_decoder_layers', 'dense_act_fn', 'is_gated_act', 'scale_decoder_outputs'];

/**
 * Ignored fields: names, generation options that the caller chooses (num_beams), options of classification
 * heads and of the Python library, and layerdrop, which acts only in training (`train --init` rejects it).
 */
const ignored = [
  'id2label',
  'label2id',
  'num_labels',
  'problem_type',
  'finetuning_task',
  'task_specific_params',
  'prefix',
  'torch_dtype',
  'dtype',
  'transformers_version',
  'tokenizer_class',
  'name_or_path',
  'model_name',
  'language',
  'use_cache',
  'output_attentions',
  'output_hidden_states',
  'output_past',
  'output_scores',
  'return_dict',
  'return_dict_in_generate',
  'torchscript',
  'use_bfloat16',
  'tf_legacy_loss',
  'gradient_checkpointing',
  'init_std',
  'classifier_dropout',
  'classif_dropout',
  'encoder_layerdrop',
  'decoder_layerdrop',
  'save_step',
  'num_beams',
  'early_stopping',
  'length_penalty',
  'max_length',
  'max_new_tokens',
  'do_sample',
  'temperature',
  'top_k',
  'top_p',
  'num_return_sequences',
  'sep_token_id',
  'renormalize_logits',
  'trust_remote_code',
  'attn_implementation',
  'use_safetensors',
  'max_source_length',
  'initializer_factor',
  'initializer_range',
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
  ...requireAll([0], ['epsilon_cutoff', 'eta_cutoff']),
  ...requireAll([1], ['encoder_repetition_penalty', 'num_beam_groups', 'typical_p']),
  guidance_scale: [1],
  pruned_heads: [{}, []],
  forced_decoder_ids: [[]],
  layer_norm_eps: [1e-5],
};

/** Decoding rules of texts, which the families of guests do not have unless they say so. */
const rulesOfTexts: typeof requiredValues = {
  ...requireAll([0], ['min_length', 'min_new_tokens', 'no_repeat_ngram_size']),
  ...requireAll([], ['forced_bos_token_id', 'forced_eos_token_id']),
  ...requireAll([[]], ['bad_words_ids', 'suppress_tokens', 'begin_suppress_tokens']),
  repetition_penalty: [1],
};

/** `requiredValues` of a family, without the fields that it supports. */
export const requiredValuesOf = ({ own }: HfFamily): typeof requiredValues =>
  own
    ? Object.fromEntries(
        Object.entries({ ...requiredValues, ...rulesOfTexts }).filter(
          ([field]) => !own.supported.includes(field),
        ),
      )
    : requiredValues;

/** Required values of further fields in families like BART. */
export const bartValues: typeof requiredValues = { layer_norm_epsilon: [1e-5], is_gated_act: [false] };

/** Whether a family has a field: one in the tables above, or of its own. */
export const isKnownField = (field: string, { defaults, like, own }: HfFamily): boolean =>
  field.startsWith('_') ||
  Object.hasOwn(defaults, field) ||
  Object.hasOwn(requiredValues, field) ||
  supported.includes(field) ||
  ignored.includes(field) ||
  (own
    ? own.supported.includes(field) || own.ignored.includes(field)
    : like === 't5'
      ? t5Supported.includes(field)
      : Object.hasOwn(bartValues, field));
