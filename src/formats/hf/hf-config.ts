// Reads config.json of a Hugging Face model into a ModelConfig and decoding rules. A field is supported,
// ignored because it has no effect here, or an error. Missing fields have the defaults of transformers.

import { HeddleError, withArea } from '../../core/errors.ts';
import { listed, msg } from '../../core/message.ts';
import type { TextModel } from '../../decode/translator.ts';
import { isCount, type Json } from '../../files/json-files.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../../model/model-config.ts';
import { hfTypes } from '../shared/hf-types.ts';
import { familyOf, type HfFamily } from './hf-families.ts';
import {
  activations,
  checkHeads,
  type HfFields,
  hfFields,
  isNothing,
  namesInJson,
  type Reject,
  sizeNames,
} from './hf-fields.ts';
import { bartValues, isKnownField, type requiredValues, requiredValuesOf } from './known-fields.ts';
import { readT5Fields } from './t5-config.ts';

/** Model type, configuration and decoding rules, read from config.json and generation_config.json. */
export interface HfConfig {
  readonly family: HfFamily;
  readonly config: ModelConfig;
  readonly decode: NonNullable<TextModel['decode']>;
}

/**
 * Reads config.json (`raw`), and the decoding rules in generation_config.json or, without that file, in
 * config.json. `has(name)`: whether the weights have a tensor, from which flags that config.json omits are
 * inferred. Throws a HeddleError that starts with `path` and names the field.
 */
export function readHfConfig(
  raw: Json,
  generation?: Json,
  has: (name: string) => boolean = () => false,
  path = 'config.json',
  own?: HfFamily,
): HfConfig {
  const reject: Reject = (field, reason) => {
    throw new HeddleError(msg`${field} is ${JSON.stringify(raw[field] ?? generation?.[field])}, ${reason}`, {
      area: path,
    });
  };
  const family = own ?? familyOf(raw.model_type);
  if (family?.type !== raw.model_type || !family)
    return reject('model_type', msg`heddle reads ${hfTypes.join(', ')}`);
  checkNames(path, raw, family);
  checkValues(raw, generation, family, reject);
  const fields = hfFields({ raw, family, has, reject });
  // Old files have the decoding rules in config.json.
  const rules = family.mergesRules ? { ...raw, ...generation } : (generation ?? raw);
  const ids = specialIds(fields, rules, generation, path);
  const isT5 = family.like === 't5';
  const options = (family.own?.readFields ?? (isT5 ? readT5Fields : readBartFields))(fields);
  checkRedundant(fields, options, isT5);
  return {
    family,
    config: withArea(path, () =>
      modelConfig({ ...options, ...family.model, ...ids, hidePadding: false }, jsonNames(family)),
    ),
    // The rules of a guest are among its facts.
    decode: family.own
      ? {}
      : decodeRules(rules, ids.endId, options.tgtVocab, forcesEnd(family, raw, generation), reject),
  };
}

/** Rejects fields that heddle does not support unless they have certain values, in both files. */
function checkValues(raw: Json, generation: Json | undefined, family: HfFamily, reject: Reject): void {
  for (const [field, value] of Object.entries(generation ?? {}))
    if (!isKnownField(field, family) && !isNothing(value) && value !== false)
      reject(field, msg`a decoding rule that heddle does not support (generation_config.json)`);
  checkNeutral(raw, requiredValuesOf(family), reject);
  if (family.like === 'bart' && !family.own) checkNeutral(raw, bartValues, reject);
  if (generation) checkNeutral(generation, requiredValuesOf(family), reject);
  for (const field of family.fixed ?? [])
    if (!isNothing(raw[field]) && raw[field] !== family.defaults[field])
      reject(field, msg`it must be ${JSON.stringify(family.defaults[field])} in a ${family.title} model`);
}

/** The ids of the special tokens; `rules`: where the start token is named first. */
function specialIds(
  { raw, family, get, whole, reject }: HfFields<HfFamily>,
  rules: Json,
  generation: Json | undefined,
  path: string,
): Pick<ModelConfig, 'padId' | 'startId' | 'endId'> {
  if (!isNothing(raw.bos_token_id)) whole('bos_token_id');
  const startId =
    rules.decoder_start_token_id ??
    rules.bos_token_id ??
    get('decoder_start_token_id') ??
    get('bos_token_id');
  if (!isCount(startId))
    return reject('decoder_start_token_id', msg`it must be a whole number of at least 0`);
  const ids = { padId: whole('pad_token_id'), startId, endId: whole('eos_token_id') };
  if (ids.padId === ids.endId && !family.own) reject('eos_token_id', msg`it must differ from pad_token_id`);
  const end = generation?.eos_token_id;
  if (!isNothing(end) && JSON.stringify([end].flat()) !== JSON.stringify([ids.endId]))
    throw new HeddleError(
      msg`eos_token_id is ${ids.endId}, but ${JSON.stringify(end)} in generation_config.json; they must be equal`,
      { area: path },
    );
  return ids;
}

/** Rejects fields that contradict those that were read. */
function checkRedundant({ raw, reject }: HfFields, options: ModelOptions, isT5: boolean): void {
  const same = { hidden_size: options.dModel, num_attention_heads: options.heads };
  const sameOfT5 = { num_hidden_layers: options.encoderLayers, decoder_vocab_size: options.tgtVocab };
  for (const [field, wanted] of Object.entries(isT5 ? { ...same, ...sameOfT5 } : same))
    if (!isNothing(raw[field]) && raw[field] !== wanted)
      reject(field, msg`it must be ${wanted}, as the other fields say`);
}

/** The names in config.json of the fields of a model configuration, for errors; `dropout.embedding`: `dropout`. */
const jsonNames = ({ like, own }: HfFamily) => {
  const names = own?.names ?? namesInJson[like];
  return (field: string): string => names[field] ?? names[field.split('.')[0] ?? ''] ?? field;
};

/** Whether the end token is forced at the maximum length if no field says so. */
const forcesEnd = (family: HfFamily, raw: Json, generation: Json | undefined): boolean =>
  family.forcesEnd === true &&
  (family.mergesRules === true || (!generation && !/^[5-9]/.test(String(raw.transformers_version ?? ''))));

/** The model options of a family like BART. */
function readBartFields({
  raw,
  family,
  get,
  number,
  whole,
  sizes: read,
  flag,
  reject,
}: HfFields): ModelOptions {
  const activation =
    activations.get(String(get('activation_function'))) ??
    reject('activation_function', msg`heddle has ${[...activations.keys()].join(', ')}`);
  const sharedTable = !family.separateEmbeddings || flag('share_encoder_decoder_embeddings');
  if (!family.separateEmbeddings && !flag('share_encoder_decoder_embeddings'))
    reject('share_encoder_decoder_embeddings', msg`a ${String(raw.model_type)} model always shares them`);
  whole('extra_pos_embeddings'); // checked even if it is not used
  const tied = flag('tie_word_embeddings');
  if (sharedTable && !tied)
    reject('tie_word_embeddings', msg`supported only if source and target do not share embeddings`);
  const srcVocab = whole('vocab_size');
  const tgtVocab = isNothing(raw.decoder_vocab_size) ? srcVocab : whole('decoder_vocab_size');
  if (sharedTable && tgtVocab !== srcVocab)
    reject(
      'decoder_vocab_size',
      msg`it must be vocab_size, ${srcVocab}, since source and target share embeddings`,
    );
  const sizes = read(sizeNames.bart);
  checkHeads(sizes, reject);
  const learned = !flag('static_position_embeddings');
  const rate = number('dropout');
  return {
    srcVocab,
    tgtVocab,
    ...sizes,
    dropout: {
      embedding: rate,
      residual: rate,
      attention: number('attention_dropout'),
      feedForward: number('activation_dropout'),
    },
    norm: flag('normalize_before') ? 'pre' : 'post',
    finalNorm: flag('add_final_layer_norm', 'encoder.layer_norm.weight'),
    embeddingNorm: flag('normalize_embedding', 'encoder.layernorm_embedding.weight'),
    activation,
    positions: learned ? 'learned' : 'sinusoidal-halves',
    positionOffset: learned ? whole('extra_pos_embeddings') : 0,
    tie: sharedTable ? 'all' : tied ? 'target' : 'none',
    scaleEmbedding: flag('scale_embedding'),
    layerNormEps: 1e-5,
    outputBias: true,
  };
}

function checkNames(path: string, raw: Json, family: HfFamily): void {
  const unknown = Object.keys(raw).filter((field) => !isKnownField(field, family) && !isNothing(raw[field]));
  if (unknown.length > 0)
    throw new HeddleError(
      msg`unknown field${unknown.length > 1 ? 's' : ''} of a ${family.type} model: ${listed(unknown)}; remove fields that do not change the computation`,
      { area: path },
    );
  const { architectures: kinds } = raw;
  const architectures: readonly unknown[] = family.architectures;
  if (isNothing(kinds)) return;
  const wrong = Array.isArray(kinds) ? kinds.find((kind) => !architectures.includes(kind)) : kinds;
  if (wrong !== undefined)
    throw new HeddleError(
      msg`architectures is ${JSON.stringify(kinds)}, heddle reads ${listed(family.architectures, ' and ')}`,
      { area: path },
    );
}

/** Rejects fields whose value is none of those in the table. Absent fields are allowed. */
function checkNeutral(json: Json, table: typeof requiredValues, reject: Reject): void {
  for (const [field, values] of Object.entries(table)) {
    const value = json[field];
    const wanted = values.map((v) => JSON.stringify(v));
    if (!isNothing(value) && !wanted.includes(JSON.stringify(value)))
      reject(
        field,
        wanted.length ? msg`heddle supports only ${wanted.join(' or ')}` : msg`which heddle does not support`,
      );
  }
}

/** Decoding rules of the model. `forced`: whether the end token is forced if the field is absent. */
function decodeRules(
  json: Json,
  endId: number,
  vocab: number,
  forced: boolean,
  reject: Reject,
): HfConfig['decode'] {
  const isId = (value: unknown) => isCount(value) && value < vocab;
  const id = (field: string): number | undefined => {
    const value = json[field];
    if (isNothing(value)) return undefined;
    if (!isId(value)) reject(field, msg`it must be one id, below ${vocab}`);
    return value as number;
  };
  const count = (field: string): number => {
    const value = json[field] ?? 0;
    return isCount(value) ? value : reject(field, msg`it must be a whole number of at least 0`);
  };
  // A field that is null forces nothing.
  const absent = forced ? endId : undefined;
  const forcedEnd = Object.hasOwn(json, 'forced_eos_token_id') ? id('forced_eos_token_id') : absent;
  if (forcedEnd !== undefined && forcedEnd !== endId)
    reject('forced_eos_token_id', msg`it must be eos_token_id, ${endId}`);
  const forcedBosTokenId =
    id('forced_bos_token_id') ??
    (json.force_bos_token_to_be_generated === true ? id('bos_token_id') : undefined);
  const ngram = count('no_repeat_ngram_size');
  // min_length counts the start token, min_new_tokens does not.
  const minNewTokens = Math.max(0, count('min_length') - 1, count('min_new_tokens'));
  const penalty = json.repetition_penalty ?? 1;
  if (typeof penalty !== 'number' || !(penalty > 0))
    return reject('repetition_penalty', msg`it must be a number above 0`);
  const words = bannedWords(json.bad_words_ids, reject);
  const checked = (field: string, ids: readonly number[]): readonly number[] => {
    const wrong = ids.find((token) => !isId(token));
    return wrong === undefined ? ids : reject(field, msg`${wrong} is not an id below ${vocab}`);
  };
  const idsOf = (field: string) => checked(field, idList(field, json[field], reject));
  checked('bad_words_ids', words.flat());
  // The end token alone is no bad word, but may be suppressed.
  const suppressed = idsOf('suppress_tokens');
  const beginSuppressTokens = idsOf('begin_suppress_tokens');
  if (forcedEnd !== undefined && suppressed.includes(endId))
    reject('suppress_tokens', msg`it has eos_token_id, ${endId}, which forced_eos_token_id forces`);
  const ban = [...words.flatMap((ids) => (ids.length === 1 && ids[0] !== endId ? ids : [])), ...suppressed];
  const sequences = words.filter((ids) => ids.length > 1);
  return {
    forceEos: forcedEnd === undefined ? undefined : true,
    forcedBosTokenId,
    noRepeatNgramSize: ngram || undefined,
    repetitionPenalty: penalty === 1 ? undefined : penalty,
    minNewTokens: minNewTokens > 0 ? minNewTokens : undefined,
    suppressTokens: ban.length > 0 ? ban : undefined,
    beginSuppressTokens: beginSuppressTokens.length > 0 ? beginSuppressTokens : undefined,
    badWordsIds: sequences.length > 0 ? sequences : undefined,
  };
}

/** The ids of each word of bad_words_ids. */
function bannedWords(words: unknown, reject: Reject): number[][] {
  if (isNothing(words)) return [];
  if (!Array.isArray(words)) return reject('bad_words_ids', msg`it must be a list of lists of ids`);
  return words.map((word: unknown) => {
    if (!Array.isArray(word) || word.length === 0 || !word.every(Number.isSafeInteger))
      reject('bad_words_ids', msg`${JSON.stringify(word)} must be a list of ids`);
    return word as number[];
  });
}

function idList(field: string, list: unknown, reject: Reject): number[] {
  if (isNothing(list)) return [];
  if (!Array.isArray(list) || !list.every(Number.isSafeInteger))
    return reject(field, msg`it must be a list of ids`);
  return list as number[];
}
