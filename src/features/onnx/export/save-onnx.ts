// Exports a model for transformers.js: config.json, generation_config.json, the tokenizer, and encoder and
// decoder as ONNX files in the folder `onnx`.

import { check } from '../../../core/errors.ts';
import { listed, type Message, msg } from '../../../core/message.ts';
import { type Json, jsonBytes, withoutUndefined } from '../../../files/json-files.ts';
import { generationJson } from '../../../formats/hf/to-hf-config.ts';
import { ordinaryFields, requireFields } from '../../../formats/shared/requirements.ts';
import type { SavedModel } from '../../../formats/shared/saved-model.ts';
import { exportTokenizer } from '../../../formats/tokenizers/exported-tokenizer.ts';
import type { ModelConfig } from '../../../model/model-config.ts';
import type { OnnxGraph } from '../engine/onnx-graph.ts';
import type { OnnxDtype } from '../onnx-format.ts';
import type { OnnxSource } from './onnx-builder.ts';
import { onnxDecoder, onnxEncoder } from './onnx-transformer.ts';

/** The model types of transformers.js with their classes. Other types run as BART. */
const architectures: Readonly<Record<string, string>> = {
  bart: 'BartForConditionalGeneration',
  marian: 'MarianMTModel',
  mbart: 'MBartForConditionalGeneration',
  m2m_100: 'M2M100ForConditionalGeneration',
  t5: 'T5ForConditionalGeneration',
  mt5: 'MT5ForConditionalGeneration',
};

/** Ends of the file names by dtype. */
const suffixes: Readonly<Record<OnnxDtype, string>> = {
  fp32: '',
  fp16: '_fp16',
  q8: '_quantized',
  q4: '_q4',
  q4f16: '_q4f16',
};

/** Options of `onnxFiles`. */
export interface OnnxOptions {
  /** dtype of the weights. Default fp32. */
  readonly dtype?: OnnxDtype;
  /**
   * Maximum size of a file in bytes; tensors that do not fit are stored in files beside it. Default 2 GB, the
   * limit of protobuf.
   */
  readonly maxBytes?: number;
  /** Called with the differences in how transformers.js treats some texts, if there are any. */
  readonly onWarning?: (warning: Message) => void;
}

/** Exports a model for transformers.js: the files of the folder by path. */
export function onnxFiles(model: SavedModel, options: OnnxOptions = {}): Record<string, Uint8Array> {
  const { config, source, target } = model;
  if (config.source === 'frames') return speechFiles(model, options);
  requireFields('onnx', ordinaryFields(config));
  const { json, special, sourceIds, differences } = exportTokenizer(source, target);
  if (differences.length > 0)
    options.onWarning?.(
      msg`transformers.js treats some texts differently from heddle: ${listed(differences, '; ')}`,
    );
  return {
    'tokenizer.json': jsonBytes(json),
    'tokenizer_config.json': jsonBytes({
      tokenizer_class: 'PreTrainedTokenizer',
      model_max_length: config.maxLength,
      clean_up_tokenization_spaces: false,
      pad_token: special.pad,
      bos_token: special.start,
      eos_token: special.end,
      unk_token: special.unknown,
    }),
    ...onnxModelFiles(model, options, sourceIds),
  };
}

/**
 * The files of a model of texts without a tokenizer: config.json, generation_config.json and the graphs.
 * `sourceIds`: see `OnnxSource`.
 */
export function onnxModelFiles(
  model: Pick<SavedModel, 'config' | 'weights' | 'decode' | 'sourceCheckpoint'>,
  options: OnnxOptions = {},
  sourceIds?: readonly number[],
): Record<string, Uint8Array> {
  const { config, weights, decode } = model;
  const { dtype = 'fp32' } = options;
  const endPosition = decode?.forceEos ? config.maxLength - 1 : config.maxLength;
  const noRepeat = (decode?.noRepeatNgramSize ?? 0) > 0;
  const from = { config, weights, dtype, endPosition, noRepeat, sourceIds };
  const { files, hints } = graphFiles(from, options);
  return {
    'config.json': jsonBytes({ ...configOf(model), 'transformers.js_config': hints }),
    'generation_config.json': jsonBytes(generationJson(config, decode)),
    ...files,
  };
}

/** The graphs of a model as files, and what config.json says of them. */
function graphFiles(
  from: OnnxSource,
  { dtype = 'fp32', maxBytes }: OnnxOptions,
): { readonly files: Record<string, Uint8Array>; readonly hints: Json } {
  const files: Record<string, Uint8Array> = {};
  const external: Record<string, number> = {};
  const add = (name: string, graph: OnnxGraph) => {
    const file = `${name}${suffixes[dtype]}.onnx`;
    const { model: bytes, data } = graph.files(`${file}_data`, maxBytes);
    files[`onnx/${file}`] = bytes;
    for (const [i, part] of data.entries()) files[`onnx/${file}_data${i > 0 ? `_${i}` : ''}`] = part;
    if (data.length > 0) external[file] = data.length;
  };
  add('encoder_model', onnxEncoder(from));
  add('decoder_model_merged', onnxDecoder(from));
  return {
    files,
    hints: { dtype, use_external_data_format: Object.keys(external).length > 0 ? external : undefined },
  };
}

/** Exports a Whisper model for transformers.js, with the files of its folder. */
function speechFiles(
  { config, weights, sourceKind, sourceCheckpoint: checkpoint, sourceFacts }: SavedModel,
  options: OnnxOptions,
): Record<string, Uint8Array> {
  const needed = ['tokenizer.json', 'tokenizer_config.json', 'preprocessor_config.json'];
  check(
    checkpoint?.config.model_type === 'whisper',
    'of the models of frames only Whisper can be exported, from a folder in the layout of Hugging Face',
    { area: 'onnx' },
  );
  const missing = needed.filter((name) => !checkpoint.files[name]);
  check(
    missing.length === 0,
    msg`transformers.js needs ${listed(missing, ' and ')}, which the folder of the model lacks`,
    { area: 'onnx' },
  );
  const from = {
    config,
    weights,
    sourceKind,
    dtype: options.dtype ?? 'fp32',
    endPosition: config.maxLength,
    noRepeat: false,
  };
  const { files, hints } = graphFiles(from, options);
  // transformers.js reads no forced_decoder_ids: what they say of language and task is stated, too.
  const { generation: given } = checkpoint;
  const generation = given && {
    ...given,
    ...Object.fromEntries(
      Object.entries(sourceFacts?.stated ?? {}).filter(([name]) => (given[name] ?? null) === null),
    ),
  };
  return withoutUndefined({
    ...checkpoint.files,
    'config.json': jsonBytes({ ...checkpoint.config, 'transformers.js_config': hints }),
    'generation_config.json': generation && jsonBytes(withoutUndefined(generation)),
    ...files,
  });
}

/**
 * Fields of config.json that are not exported: transformers.js would apply them to a translation, but heddle
 * and transformers do not. They are prefixes of texts, and options of `generate` that generation_config.json
 * lacks.
 */
const omittedFields = [
  'prefix',
  'task_specific_params',
  'max_length',
  'max_new_tokens',
  'min_length',
  'min_new_tokens',
  'do_sample',
  'temperature',
  'num_beams',
  'num_return_sequences',
  'return_dict_in_generate',
  'output_attentions',
  'no_repeat_ngram_size',
  'bad_words_ids',
  'suppress_tokens',
  'begin_suppress_tokens',
  'repetition_penalty',
  'forced_bos_token_id',
  'forced_eos_token_id',
];

/** config.json: the one of the source checkpoint, or a BART configuration with the same sizes. */
function configOf({ config: c, sourceCheckpoint }: Pick<SavedModel, 'config' | 'sourceCheckpoint'>): Json {
  const given = sourceCheckpoint?.config ?? {};
  const type = architectures[String(given.model_type)] ? String(given.model_type) : 'bart';
  return {
    ...Object.fromEntries(Object.entries(given).filter(([field]) => !omittedFields.includes(field))),
    model_type: type,
    architectures: [architectures[type]],
    is_encoder_decoder: true,
    d_model: c.dModel,
    encoder_layers: c.encoderLayers,
    decoder_layers: c.decoderLayers,
    encoder_attention_heads: c.heads,
    decoder_attention_heads: c.decoderHeads,
    ...t5Sizes(c, type),
    max_position_embeddings: c.maxLength,
    vocab_size: c.tgtVocab,
    pad_token_id: c.padId,
    eos_token_id: c.endId,
    decoder_start_token_id: c.startId,
  };
}

/** Sizes under the names of T5, if it is one; a configuration may leave out those of the decoder. */
const t5Sizes = (c: ModelConfig, type: string): Json | undefined =>
  type.endsWith('t5')
    ? {
        num_layers: c.encoderLayers,
        num_decoder_layers: c.decoderLayers,
        num_heads: c.heads,
        d_kv: c.headWidth,
      }
    : undefined;
