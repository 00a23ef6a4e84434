// Converts a model to a family of transformers: a config.json with which transformers computes the same, or
// an error that names the fields that transformers does not support.

import { sizeOf } from '../../core/tensor.ts';
import { sinusoids } from '../../engine/ops/embedding/sinusoids.ts';
import type { Json } from '../../files/json-files.ts';
import { type ModelConfig, modelConfig } from '../../model/model-config.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { parameterList } from '../../model/parameters.ts';
import type { SourceKind } from '../../model/source-kind.ts';
import type { FieldRequirement } from '../shared/requirements.ts';
import { classicFields, requireFields, sameFields, sharedWidths } from '../shared/requirements.ts';
import type { SavedModel } from '../shared/saved-model.ts';
import type { HfFamily } from './hf-families.ts';
import { activationName, activations, sizeNames, sizesJson } from './hf-fields.ts';
import { t5Json, t5Requirements } from './t5-config.ts';

/** Rows of BART's table of positions before position 0. */
const bartOffset = 2;

/**
 * Converts a model: its config.json, and a configuration and weights with the parameters of the family.
 * Throws a HeddleError that names each field that the family does not support.
 */
export function toHfConfig({ config: c, sourceKind, weights, decode = {} }: SavedModel, family: HfFamily) {
  const { type, like, own } = family;
  requireFields(family.title, hfRequirements(c, family));
  const isLearned = family.defaults.static_position_embeddings === false;
  const config = modelConfig({
    ...c,
    outputBias: like === 'bart' && !own ? (family.model?.outputBias ?? true) : c.outputBias,
    positions: isLearned ? 'learned' : c.positions,
    positionOffset: isLearned ? bartOffset : c.positionOffset,
  });
  const specific = own?.json(config) ?? (like === 't5' ? t5Json(config) : bartJson(config, family));
  const { bos_token_id: begin } = family.defaults;
  const json = {
    ...specific,
    architectures: [family.architectures[0]],
    decoder_start_token_id: c.startId,
    eos_token_id: c.endId,
    is_encoder_decoder: true,
    model_type: type,
    pad_token_id: c.padId,
    torch_dtype: 'float32',
    use_cache: true,
    vocab_size: c.srcVocab,
    bos_token_id: begin !== undefined || type === 'marian' ? c.startId : undefined,
    ...decodingJson(decode, c, family),
  };
  return { config, sourceKind, weights: relayout(c, weights, config, sourceKind), json: sortedJson(json) };
}

const sortedJson = (json: Json): Json =>
  Object.fromEntries(Object.entries(json).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));

/** Requirements of the export to a family. */
export const hfRequirements = (c: ModelConfig, family: HfFamily): FieldRequirement[] => [
  ...(family.own?.requirements(c) ??
    (family.like === 't5'
      ? t5Requirements(c, family.type === 'mt5' ? 'mt5' : 't5')
      : bartRequirements(c, family))),
  [
    'activation',
    c.activation,
    `one of ${[...new Set(activations.values())].join(', ')}`,
    activationName(c.activation) !== undefined,
  ],
];

function bartRequirements(c: ModelConfig, { type, model = {}, defaults }: HfFamily): FieldRequirement[] {
  const learned = defaults.static_position_embeddings === false;
  const positions = model.positions ?? 'sinusoidal-halves';
  return [
    ...sameFields(c, {
      norm: defaults.normalize_before ? 'pre' : 'post',
      finalNorm: defaults.add_final_layer_norm === true,
      embeddingNorm: defaults.normalize_embedding === true,
      layerNormEps: 1e-5,
    }),
    ...classicFields(c).filter(([field]) => !['activation', 'tie', 'positions'].includes(field)),
    ...sharedWidths(c),
    learned
      ? ['positions', c.positions, 'learned or sinusoidal', /^(learned|sinusoidal.*)$/.test(c.positions)]
      : ['positions', c.positions, positions],
    ...(model.outputBias === false ? sameFields(c, { outputBias: false }) : []),
    type === 'marian' ? ['tie', c.tie, 'none, target or all', c.tie !== 'embeddings'] : ['tie', c.tie, 'all'],
  ];
}

/**
 * Copies weights into the parameter buffer of another configuration. A table of positions gets
 * `positionOffset` empty rows before it.
 */
function relayout(
  from: ModelConfig,
  weights: Float32Array,
  to: ModelConfig,
  source?: SourceKind,
): Float32Array {
  const [before, after] = [from, to].map((c) => parameterList(c, source)) as [ParameterList, ParameterList];
  const buffer = new Float32Array(after.size);
  const layout = from.positions === 'sinusoidal' ? 'interleaved' : 'halves';
  for (const { name, offset, shape } of after.all) {
    const held = before.byName.get(name);
    if (name === 'src_pos.weight' || name === 'tgt_pos.weight') {
      const rows = to.maxLength * to.dModel;
      const skipped = held && held.offset + from.positionOffset * from.dModel;
      const table =
        skipped === undefined
          ? sinusoids(to.maxLength, to.dModel, layout)
          : weights.subarray(skipped, skipped + rows);
      buffer.set(table, offset + to.positionOffset * to.dModel);
    } else if (held) buffer.set(weights.subarray(held.offset, held.offset + sizeOf(shape)), offset);
  }
  return buffer;
}

/** The decoding rules as fields of transformers. */
function decodingJson(
  decode: NonNullable<SavedModel['decode']>,
  { endId }: ModelConfig,
  { forcesEnd }: Pick<HfFamily, 'forcesEnd'>,
): Json {
  const { forcedBosTokenId, forceEos, minNewTokens = 0, noRepeatNgramSize = 0 } = decode;
  const { suppressTokens = [], badWordsIds = [], repetitionPenalty, beginSuppressTokens } = decode;
  // The end token alone is no bad word.
  const badWords = [...suppressTokens.filter((id) => id !== endId).map((id) => [id]), ...badWordsIds];
  return {
    forced_eos_token_id: forceEos ? endId : forcesEnd ? null : undefined,
    forced_bos_token_id: forcedBosTokenId,
    bad_words_ids: badWords.length > 0 ? badWords : undefined,
    min_length: minNewTokens > 0 ? minNewTokens + 1 : undefined,
    no_repeat_ngram_size: noRepeatNgramSize || undefined,
    repetition_penalty: repetitionPenalty,
    suppress_tokens: suppressTokens.includes(endId) ? [endId] : undefined,
    begin_suppress_tokens: beginSuppressTokens,
  };
}

/** The fields of families like BART. */
const bartJson = (c: ModelConfig, { type }: HfFamily): Json => ({
  activation_dropout: c.dropout.feedForward,
  activation_function: activationName(c.activation),
  attention_dropout: c.dropout.attention,
  ...sizesJson(c, sizeNames.bart),
  decoder_layerdrop: 0,
  dropout: c.dropout.residual,
  encoder_layerdrop: 0,
  num_hidden_layers: c.encoderLayers,
  scale_embedding: c.scaleEmbedding,
  ...marianJson(c, type),
});

/** The fields of vocabularies and ties, which MarianMT has only. */
const marianJson = (c: ModelConfig, type: string): Json | undefined =>
  type === 'marian'
    ? {
        decoder_vocab_size: c.tgtVocab,
        share_encoder_decoder_embeddings: c.tie === 'all',
        tie_word_embeddings: c.tie !== 'none',
      }
    : undefined;

/**
 * generation_config.json: the decoding rules of the model. All other options have heddle's defaults: greedy
 * decoding up to the maximum length.
 */
export const generationJson = (c: ModelConfig, decode: SavedModel['decode'] = {}): Json => ({
  max_length: c.maxLength + 1, // counts the start token
  decoder_start_token_id: c.startId,
  eos_token_id: c.endId,
  pad_token_id: c.padId,
  ...decodingJson(decode, c, {}),
});
