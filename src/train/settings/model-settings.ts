// Rows of the table of settings: the model, and fine-tuning of one.

import { choice, custom, integer, list, positive, rate, text } from '../../core/fields.ts';
import { inGroup } from '../../core/setting.ts';
import type { ModelOptions } from '../../model/model-config.ts';
import { dropoutType, modelFields } from '../../model/model-fields.ts';
import { type PresetName, presets } from '../../model/presets.ts';
import { weightFormats } from '../../model/quantized-parameters.ts';

/** Fields of the model configuration: field=value on the command line; the flag may be repeated. */
const modelType = custom<Partial<ModelOptions>>({
  unit: 'field=value',
  words: 'fields of the model configuration',
  typescript: 'Partial<ModelOptions>',
  accepts: (value): value is Partial<ModelOptions> =>
    typeof value === 'object' && value !== null && !Array.isArray(value),
});

/** Settings of the model. */
export const modelSettings = inGroup('Model', {
  preset: {
    type: choice(Object.keys(presets) as PresetName[], 'name'),
    help: 'model size',
    label: 'Preset',
  },
  model: {
    type: modelType,
    flag: 'set',
    help: 'change a field of the model configuration, e.g. --set heads=4; may be repeated',
    default: {},
  },
  norm: {
    type: { ...modelFields.norm.type, unit: 'position' },
    help: 'layer norm before (pre) or after (post) each sub-layer',
    defaultText: 'post; preset t5-tiny: pre',
    label: 'Layer norm',
    advanced: true,
  },
  dropout: {
    type: dropoutType,
    help: 'dropout rate, or rates by place: embedding, attention, feedForward, residual, memory (encoder output), output (before the output projection), e.g. attention=0.2,output=0.1',
    defaultText: 'that of the preset: keras output=0.5, others 0',
    label: 'Dropout',
  },
  labelSmoothing: {
    type: modelFields.labelSmoothing.type,
    help: 'label smoothing of the loss',
    defaultText: '0',
    label: 'Label smoothing',
  },
  init: {
    type: text('scheme|dir'),
    help: 'initialize the weights with a scheme (xavier, truncated-normal), or fine-tune the model in this folder (heddle or Hugging Face) with its tokenizers',
    default: 'xavier',
  },
});

/** Settings of fine-tuning. */
export const fineTuningSettings = inGroup('Fine-tuning', {
  sourceLang: {
    type: text('code'),
    help: 'source language, if the model in --init has languages (M2M100, NLLB, mBART): en, eng_Latn, en_XX',
    defaultText: 'the language of the model',
  },
  targetLang: {
    type: text('code'),
    help: 'target language, if the model in --init has languages',
    defaultText: 'the language of the model',
  },
  freeze: {
    type: list('patterns'),
    help: 'freeze parameters whose full name, or its part after any dot, matches one of these globs, e.g. encoder.*,*.bias; may be repeated',
    defaultText: 'none',
  },
  'lora.rank': {
    type: integer(1, 'n'),
    help: 'rank of a LoRA adapter to train; all other weights are frozen, and train saves the adapter in the format of PEFT',
    defaultText: 'train all weights',
    aliases: ['lora'],
  },
  'lora.alpha': {
    type: positive('n'),
    help: 'alpha of LoRA: the update is multiplied by alpha / rank',
    defaultText: 'twice the rank',
  },
  'lora.targetModules': {
    type: list('patterns'),
    help: 'globs of linear layers that get a LoRA adapter, e.g. *.q_proj,*.fc1; layers: q_proj, k_proj, v_proj, out_proj, fc1, fc2 (in T5 q, k, v, o, wi, wo); the ending _proj may be omitted',
    defaultText: '*.q,*.v',
  },
  'lora.dropout': { type: rate, help: 'dropout rate of the input of the LoRA adapter', defaultText: '0' },
  weights: {
    type: choice(weightFormats, 'format'),
    help:
      'format of the frozen weights under a LoRA adapter: f16, int8 (one scale per row) or int4 (one per block of 32) saves memory, ' +
      'and changes the default batch to --max-tokens 512 --gradient-accumulation-steps 2',
    defaultText: 'f32',
  },
  weightsExclude: {
    type: list('patterns'),
    help: 'globs of layers that stay int8 with weights int4, and f32 with others, e.g. *.fc1; auto: the sensitive layers',
    defaultText: 'auto',
  },
});
