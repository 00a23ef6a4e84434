// Whisper in Hugging Face's layout: the model configuration, and what config.json, generation_config.json,
// preprocessor_config.json and the tokenizer files say of prompts, rules and audio features.

import { HeddleError } from '../../core/errors.ts';
import { type Message, msg } from '../../core/message.ts';
import { isCount, isObject, type Json, parseJson, withoutUndefined } from '../../files/json-files.ts';
import type { HfFamily } from '../../formats/hf/hf-families.ts';
import {
  activationName,
  activations,
  bartNames,
  checkHeads,
  type HfFields,
  idNames,
  isNothing,
  sizesJson,
} from '../../formats/hf/hf-fields.ts';
import {
  type FieldRequirement,
  ordinaryFields,
  sameFields,
  sharedWidths,
} from '../../formats/shared/requirements.ts';
import type { ModelConfig, ModelOptions } from '../../model/model-config.ts';
import type { SpeechFacts } from './decode/speech-facts.ts';
import { forcedFields, languageCode } from './decode/speech-prompts.ts';

/** Sizes of a model: their names in config.json by field of ModelConfig. */
const sizeNames = {
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
} as const;

/** Supported fields of Whisper without a default, in config.json and generation_config.json. */
const supported = [
  'suppress_tokens',
  'begin_suppress_tokens',
  'forced_decoder_ids',
  'is_multilingual',
  'lang_to_id',
  'task_to_id',
  'max_initial_timestamp_index',
  'no_timestamps_token_id',
  'prev_sot_token_id',
  'return_timestamps',
  'language',
  'task',
];

/** Ignored fields of Whisper: of training, classification, word times, and thresholds that a caller chooses. */
const ignored = [
  'scale_embedding',
  'apply_spec_augment',
  'mask_time_prob',
  'mask_time_length',
  'mask_time_min_masks',
  'mask_feature_prob',
  'mask_feature_length',
  'mask_feature_min_masks',
  'median_filter_width',
  'use_weighted_layer_sum',
  'classifier_proj_size',
  'alignment_heads',
  'no_speech_threshold',
  'compression_ratio_threshold',
  'logprob_threshold',
  'condition_on_prev_tokens',
  'num_frames',
  'prompt_condition_type',
  'return_token_timestamps',
  'return_segments',
  'max_length',
];

/** Options that all Whisper models share. */
const fixed = {
  source: 'frames',
  stem: 'conv',
  norm: 'pre',
  finalNorm: true,
  keyBias: false,
  positions: 'learned',
  tie: 'target',
  scaleEmbedding: false,
  layerNormEps: 1e-5,
  outputBias: false,
  trainPadding: false,
} as const;

/** The model options of Whisper. */
function readWhisperFields({ get, number, whole, sizes: read, flag, reject }: HfFields): ModelOptions {
  const activation =
    activations.get(String(get('activation_function'))) ??
    reject('activation_function', msg`heddle has ${[...activations.keys()].join(', ')}`);
  if (!flag('tie_word_embeddings')) reject('tie_word_embeddings', msg`a whisper model always ties them`);
  const sizes = read(sizeNames);
  checkHeads(sizes, reject);
  if (sizes.frameWidth === 0) reject('num_mel_bins', msg`it must be at least 1`);
  const vocab = whole('vocab_size');
  const rate = number('dropout');
  return {
    ...fixed,
    ...sizes,
    srcVocab: vocab,
    tgtVocab: vocab,
    activation,
    dropout: {
      embedding: rate,
      residual: rate,
      attention: number('attention_dropout'),
      feedForward: number('activation_dropout'),
    },
  };
}

/** Requirements of the export to Whisper. */
const whisperRequirements = (c: ModelConfig): FieldRequirement[] => [
  ...ordinaryFields(c),
  ...sameFields(c, { ...fixed, normType: 'layer', feedForwardType: 'plain', biases: true }),
  ...sameFields(c, { attentionScale: true, scaleOutput: false, embeddingNorm: false, positionOffset: 0 }),
  ...sharedWidths(c),
];

/** The fields of Whisper in config.json. */
const whisperJson = (c: ModelConfig): Json => ({
  ...sizesJson(c, sizeNames),
  activation_dropout: c.dropout.feedForward,
  activation_function: activationName(c.activation),
  attention_dropout: c.dropout.attention,
  dropout: c.dropout.residual,
  bos_token_id: c.endId,
  encoder_layerdrop: 0,
  decoder_layerdrop: 0,
  num_hidden_layers: c.encoderLayers,
  scale_embedding: false,
});

/** Names of the files of a Whisper folder beside weights, configuration and tokenizer. */
const speechFileNames = ['preprocessor_config.json', 'processor_config.json', 'normalizer.json'] as const;

/** Values of preprocessor_config.json that heddle supports; `chunk_length` and `n_samples` are free. */
const features = { sampling_rate: 16000, hop_length: 160, n_fft: 400 } as const;

/** Maximum seconds of a window. */
const maxSeconds = 3600;

/** Samples of a window from preprocessor_config.json; by default those that fill the encoder. */
function windowSamples(json: Json, c: ModelConfig, path: string): number {
  const { feature_extractor: nested } = json;
  const fields = isObject(nested) ? nested : json;
  const fail = (field: string, wanted: Message): never => {
    throw new HeddleError(msg`${field} is ${JSON.stringify(fields[field])}, ${wanted}`, { area: path });
  };
  for (const [field, value] of Object.entries({ ...features, feature_size: c.frameWidth }))
    if (!isNothing(fields[field]) && fields[field] !== value) fail(field, msg`heddle supports only ${value}`);
  if (!isNothing(fields.dither) && fields.dither !== 0) fail('dither', msg`heddle supports only 0`);
  const seconds = fields.chunk_length ?? (2 * c.maxSource * features.hop_length) / features.sampling_rate;
  const samples = Number(seconds) * features.sampling_rate;
  if (typeof seconds !== 'number' || !(samples >= 400) || seconds > maxSeconds)
    fail('chunk_length', msg`it must be a number of seconds of at most ${maxSeconds}`);
  if (samples > 2 * c.maxSource * features.hop_length)
    fail('chunk_length', msg`the encoder has ${c.maxSource} positions, for ${c.maxSource / 50} s`);
  if (!isNothing(fields.n_samples) && fields.n_samples !== samples)
    fail('n_samples', msg`it must be chunk_length times ${features.sampling_rate}, ${samples}`);
  return samples;
}

/** Ids of the added tokens by text, from any of the tokenizer files. */
function addedTokens(files: Readonly<Record<string, Uint8Array>>, folder: string): Map<string, number> {
  const ids = new Map<string, number>();
  const add = (token: unknown, id: unknown) => {
    if (typeof token === 'string' && isCount(id)) ids.set(token, id);
  };
  const jsonOf = (name: string): Json => {
    const file = files[name];
    return file ? parseJson(file, `${folder}/${name}`) : {};
  };
  const { added_tokens_decoder: decoder } = jsonOf('tokenizer_config.json');
  if (isObject(decoder))
    for (const [id, token] of Object.entries(decoder))
      add(isObject(token) ? token.content : token, Number(id));
  for (const [token, id] of Object.entries(jsonOf('added_tokens.json'))) add(token, id);
  const { added_tokens: list } = jsonOf('tokenizer.json');
  if (Array.isArray(list)) for (const token of list) if (isObject(token)) add(token.content, token.id);
  for (const [token, id] of Object.entries(jsonOf('vocab.json')))
    if (token.startsWith('<|') && token.endsWith('|>')) add(token, id);
  return ids;
}

/**
 * The facts of a Whisper model from its files. Throws a HeddleError that names the file and the field if one is
 * invalid.
 */
function readSpeech(
  raw: Json,
  generation: Json | undefined,
  files: Readonly<Record<string, Uint8Array>>,
  c: ModelConfig,
  folder: string,
): SpeechFacts {
  const rules = generation ?? raw;
  const path = `${folder}/${generation ? 'generation_config.json' : 'config.json'}`;
  const fail = (field: string, wanted: Message): never => {
    throw new HeddleError(msg`${field} is ${JSON.stringify(rules[field])}, ${wanted}`, { area: path });
  };
  const isId = (id: unknown): id is number => isCount(id) && id < c.tgtVocab;
  const wantedId = `an id below ${c.tgtVocab}`;
  const id = (field: string): number | undefined => {
    const value = rules[field];
    if (isNothing(value)) return undefined;
    return isId(value) ? value : fail(field, msg`it must be ${wantedId}`);
  };
  const idList = (field: string): readonly number[] => {
    const list = rules[field];
    if (isNothing(list)) return [];
    if (!Array.isArray(list)) return fail(field, msg`it must be a list of ids`);
    // -1 stands for a list of the tokenizer in OpenAI's own files; it is no id.
    return list.every(isId) ? list : fail(field, msg`it must be a list of ids below ${c.tgtVocab}`);
  };
  const added = addedTokens(files, folder);
  const tokenIds = (field: string): ReadonlyMap<string, number> => {
    const table = rules[field];
    if (isNothing(table)) return new Map();
    if (!isObject(table) || !Object.values(table).every(isId))
      return fail(field, msg`it must give ${wantedId} each`);
    return new Map(Object.entries(table) as [string, number][]);
  };
  const tokens = tokenIds('lang_to_id');
  const start = added.get('<|startoftranscript|>') ?? c.startId;
  const translate = tokenIds('task_to_id').get('translate') ?? added.get('<|translate|>');
  const isLanguage = (token: string, at: number) =>
    /^<\|[a-z]{2,3}\|>$/.test(token) && at > start && (translate === undefined || at < translate);
  const languages = new Map<string, number>();
  for (const [token, at] of tokens.size > 0
    ? tokens
    : [...added].filter(([token, at]) => isLanguage(token, at)))
    languages.set(token.replace(/^<\||\|>$/g, ''), at);
  const multilingual = rules.is_multilingual ?? raw.is_multilingual ?? c.tgtVocab >= 51865;
  if (typeof multilingual !== 'boolean') return fail('is_multilingual', msg`it must be true or false`);
  const initial = rules.max_initial_timestamp_index;
  if (!isNothing(initial) && !isCount(initial))
    fail('max_initial_timestamp_index', msg`it must be a whole number`);
  const maxLength = rules.max_length;
  // The prompt counts: start, in multilingual models language and task, then at least one token.
  const least = multilingual ? 4 : 2;
  if (!isNothing(maxLength) && !(isCount(maxLength) && maxLength >= least))
    fail('max_length', msg`it must be a whole number of at least ${least}, for the prompt and one token`);
  const preprocessor = files['preprocessor_config.json'];
  const featurePath = `${folder}/preprocessor_config.json`;
  const facts: SpeechFacts = {
    kind: 'speech',
    windowSamples: windowSamples(preprocessor ? parseJson(preprocessor, featurePath) : {}, c, featurePath),
    fillsWindow: true,
    textEnd: c.endId,
    multilingual,
    languages,
    tasks: {
      transcribe: tokenIds('task_to_id').get('transcribe') ?? added.get('<|transcribe|>'),
      translate,
    },
    noTimestamps: id('no_timestamps_token_id') ?? added.get('<|notimestamps|>'),
    previous: id('prev_sot_token_id') ?? added.get('<|startofprev|>'),
    noSpeech: added.get('<|nospeech|>') ?? added.get('<|nocaptions|>'),
    suppress: idList('suppress_tokens'),
    suppressFirst: idList('begin_suppress_tokens'),
    maxInitialTimestamp: isNothing(initial) ? undefined : (initial as number),
    ...statedTask(generation ?? {}, multilingual ? [...languages.keys()] : [], fail),
    forced: forcedIds(rules.forced_decoder_ids ?? raw.forced_decoder_ids, isId, (wanted) =>
      fail('forced_decoder_ids', wanted),
    ),
    timestamps: rules.return_timestamps === true,
    maxTokens: Math.min(c.maxLength, isNothing(maxLength) ? c.maxLength : (maxLength as number)),
  };
  return { ...facts, stated: withoutUndefined<string>({ ...forcedFields(facts) }) };
}

/** The language and task that generation_config.json states; a model without languages has neither. */
function statedTask(
  { language, task }: Json,
  codes: readonly string[],
  fail: (field: string, wanted: Message) => never,
): Pick<SpeechFacts, 'language' | 'task'> {
  if (codes.length === 0) return {};
  const code = typeof language === 'string' ? languageCode(codes, language) : undefined;
  if (!isNothing(language) && code === undefined)
    fail('language', msg`it must be a language of the model: ${codes.slice(0, 20).join(', ')}`);
  if (isNothing(task)) return { language: code, task: undefined };
  if (task !== 'transcribe' && task !== 'translate')
    return fail('task', msg`it must be transcribe or translate`);
  return { language: code, task };
}

/** Ids of forced_decoder_ids: pairs of a position and an id, or null where nothing is forced. */
function forcedIds(
  list: unknown,
  isId: (id: unknown) => id is number,
  fail: (wanted: Message) => never,
): number[] {
  if (isNothing(list)) return [];
  if (!Array.isArray(list)) return fail(msg`it must be a list of pairs`);
  return list.flatMap((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2 || !isCount(pair[0]))
      return fail(msg`it must be a list of pairs`);
    if (isNothing(pair[1])) return [];
    return isId(pair[1]) ? [pair[1]] : fail(msg`${JSON.stringify(pair[1])} is no id of the vocabulary`);
  });
}

/** Whisper as a family of Hugging Face. */
export const whisper: HfFamily = {
  type: 'whisper',
  title: 'Whisper',
  like: 'bart',
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
  own: {
    names: { ...sizeNames, ...idNames, ...bartNames },
    supported,
    ignored,
    files: speechFileNames,
    head: 'proj_out.weight',
    readFields: readWhisperFields,
    readFacts: readSpeech,
    requirements: whisperRequirements,
    json: whisperJson,
  },
};
